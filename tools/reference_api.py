"""The reference pages of the API, generated from signatures and docstrings; ``tools/reference.py`` writes them."""

from __future__ import annotations

import ast
import datetime as dt
import enum
import inspect
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any, Final

import attrs

import easops
from easops.errors import EasopsError, ErrorRecord

ORDER: Final = (
    "load_inventory", "detect", "run", "do", "undo", "resume", "find_playbook", "read_hosts", "SessionPool", "Observer",
    "RunReport", "Detection", "Status", "EasopsError",
)  # fmt: skip
"""The names of ``easops``, in the order in which a script needs them."""

RESULTS: Final = {
    "easops.inventory": ("Inventory", "Host"),
    "easops.playbook": (
        "Assessment",
        "Verdict",
        "Point",
        "NextCommand",
        "Repeat",
        "OpenRun",
        "StepResult",
        "Preview",
        "Notice",
    ),
    "easops.actions": ("ItemOutcome",),
    "easops.detectors": ("UserFinding", "Device", "Measurement", "Undetermined", "Unreachable"),
}
"""The types in the results of those functions: described on the same page, and not again on the page of the rooms."""

ROOMS: Final = (
    "easops.inventory",
    "easops.remoting",
    "easops.exchange",
    "easops.iis",
    "easops.logs",
    "easops.detectors",
    "easops.actions",
    "easops.readings",
    "easops.playbook",
    "easops.notify",
    "easops.report",
)

_SECTION: Final = re.compile(r"(Args|Returns|Raises):$")
_ENTRY: Final = re.compile(r"    (\S[^:]*): (.*)$")


def api() -> str:
    """The names of ``easops``, what their results contain, and the errors."""
    lines = ["# The API", "", _prose(inspect.getdoc(easops) or ""), ""]
    lines += [
        "`examples/` has scripts that use them. [The rooms](rooms.md) has what the rooms offer in addition.",
        "",
    ]
    assert set(ORDER) == set(easops.__all__)
    for name in ORDER:
        lines += _entry(name, getattr(easops, name), "##")
    lines += ["## What is in the results", ""]
    for module, names in RESULTS.items():
        for name in names:
            lines += _entry(name, getattr(import_module(module), name), "###", module)
    lines += ["## Errors", "", "All are in `easops.errors`. Their classes say what the caller does next.", ""]
    lines += _errors(EasopsError, 0)
    lines += ["", "### ErrorRecord", "", "Of `easops.errors`.", "", *_docstring(ErrorRecord), *_fields(ErrorRecord)]
    return _page(lines)


def rooms() -> str:
    """The public names of the rooms."""
    lines = ["# The rooms", ""]
    lines += [
        "Scripts may rely on the names on this page, on those of [the API](api.md), and on nothing else: other modules",
        "and names may change in any release.",
        "",
        "Functions here take a session (of `read_hosts` or `SessionPool.open`) and return values. Those that change",
        "something do it at once, without a record and without undo; `do` has both.",
        "",
    ]
    for room in ROOMS:
        module = import_module(room)
        lines += [f"## {room}", "", _prose(inspect.getdoc(module) or ""), ""]
        elsewhere = [name for name in RESULTS.get(room, ()) if name in module.__all__]
        elsewhere += [name for name in module.__all__ if name in easops.__all__]
        if elsewhere:
            lines += [f"On the page of [the API](api.md): {', '.join(f'`{name}`' for name in elsewhere)}.", ""]
        names = sorted(
            (name for name in module.__all__ if name not in elsewhere),
            key=lambda name: (not inspect.isfunction(getattr(module, name)), name.lower()),
        )
        for name in names:
            value = getattr(module, name)
            known = inspect.isfunction(value) or inspect.isclass(value)
            lines += _entry(name, value, "###") if known else _constant(name, module)
    return _page(lines)


def _constant(name: str, module: ModuleType) -> list[str]:
    """A table of a room: the text after its assignment, and its keys."""
    body = ast.parse(inspect.getsource(module)).body
    text = next(
        following.value.value
        for statement, following in itertools.pairwise(body)
        if isinstance(statement, ast.AnnAssign) and ast.unparse(statement.target) == name
        if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
    )
    keys = ", ".join(f"`{key}`" for key in getattr(module, name))
    return [f"### {name}", "", f"{_prose(str(text))} {keys}.", ""]


def _page(lines: Sequence[str]) -> str:
    return "\n".join(lines).rstrip() + "\n"


def _entry(name: str, value: Any, mark: str, module: str = "") -> list[str]:
    lines = [f"{mark} {name}", ""]
    if inspect.isfunction(value):
        return [*lines, "```python", _signature(name, value), "```", "", *_docstring(value)]
    if module:
        lines += [f"Of `{module}`.", ""]
    for kind in _kinds(value):
        lines += _docstring(kind)
    if issubclass(value, enum.Enum):
        return [*lines, ", ".join(f"`{member.value}`" for member in value) + ".", ""]
    text = [*_fields(value), *_properties(value)]
    lines += [*text, ""] if text else []
    for method, function in _methods(value):
        lines += ["```python", _signature(f"{name}.{method}", function), "```", "", *_docstring(function)]
    return lines


def _errors(error: type[EasopsError], depth: int) -> list[str]:
    text = " ".join(" ".join(_docstring(error)).split())
    lines = [f"{'  ' * depth}- `{error.__name__}`: {text}"]
    for kind in error.__subclasses__():
        if kind.__module__ == "easops.errors":
            lines += _errors(kind, depth + 1)
    return lines


def _fields(value: type) -> list[str]:
    if not attrs.has(value):
        return []
    # As written in the source: attrs resolves its own annotations as soon as a record has been read.
    written: dict[str, str] = {}
    for kind in reversed(value.__mro__):
        written |= vars(kind).get("__annotations__", {})
    names = [field.name for field in attrs.fields(value) if not field.name.startswith("_")]
    return [f"- `{name}: {written[name]}`" for name in names]


def _kinds(value: type) -> list[type]:
    """The class, and the classes that it inherits fields from."""
    return [value, *(kind for kind in value.__mro__[1:] if attrs.has(kind))]


def _properties(value: type) -> list[str]:
    lines = []
    for name, member in (entry for kind in _kinds(value) for entry in vars(kind).items()):
        if isinstance(member, property) and not name.startswith("_"):
            text = " ".join(_prose(inspect.getdoc(member) or "").split())
            kind = inspect.get_annotations(member.fget)["return"] if member.fget is not None else ""
            lines.append(f"- `{name}: {kind}`" + (f": {text}" if text else ""))
    return lines


def _methods(value: type) -> Iterator[tuple[str, Callable[..., Any]]]:
    for name, member in vars(value).items():
        function = member.__func__ if isinstance(member, classmethod) else member
        if inspect.isfunction(function) and not name.startswith("_"):
            yield name, function


def _signature(name: str, function: Callable[..., Any]) -> str:
    """``name(…) -> …`` in one line, or one parameter per line if it is long."""
    signature = inspect.signature(function)
    parts: list[str] = []
    starred = False
    for parameter in signature.parameters.values():
        if parameter.name in ("self", "cls"):
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            starred = True
            parts.append("*")
        annotated = f"{parameter.name}: {parameter.annotation}"
        default = "" if parameter.default is parameter.empty else f" = {_default(parameter.default)}"
        parts.append(annotated + default)
    result = f" -> {signature.return_annotation}"
    line = f"{name}({', '.join(parts)}){result}"
    return line if len(line) <= 100 else "\n".join([f"{name}(", *(f"    {part}," for part in parts), f"){result}"])


def _default(value: Any) -> str:
    if isinstance(value, dt.timedelta):
        return f"timedelta(minutes={value.total_seconds() / 60:g})"
    if isinstance(value, str):
        return f'"{value}"'
    return "…" if callable(value) else repr(value)


def _docstring(value: Any) -> list[str]:
    """A docstring as Markdown; its sections become lists."""
    text = inspect.getdoc(value)
    assert text, f"{value!r} has no docstring"
    out: list[str] = []
    section = ""
    for line in text.splitlines():
        if found := _SECTION.match(line):
            section = found[1]
            out += [{"Args": "Arguments", "Returns": "Returns", "Raises": "Raises"}[section] + ":", ""]
        elif section and line.startswith("    "):
            entry = _ENTRY.match(line) if section != "Returns" else None
            if entry is not None:
                names = ", ".join(f"`{name.strip()}`" for name in entry[1].split(","))
                out.append(f"- {names}: {entry[2]}")
            elif section != "Returns" and out[-1]:
                out.append(f"  {line.strip()}")
            else:
                out.append(line.strip())
        else:
            section = section if not line else ""
            out.append(line)
    return [_prose("\n".join(out)), ""]


def _prose(text: str) -> str:
    """Docstring text as Markdown: ``code`` has one back-tick there, and the path of a page becomes a link."""
    text = text.replace("``", "`")
    text = re.sub(r"docs/reference/([\w-]+)\.md", r"[\1](\1.md)", text)
    return re.sub(r"docs/explanation/([\w-]+)\.md", r"[\1](../explanation/\1.md)", text)


PAGES: Final[dict[str, Callable[[], str]]] = {"api.md": api, "rooms.md": rooms}
