"""The reference pages of the API, from signatures and docstrings; ``tools/reference.py`` writes them."""

from __future__ import annotations

import datetime as dt
import enum
import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any, Final

import attrs

import easops
from easops.errors import EasopsError

ORDER: Final = (
    "load_inventory", "detect", "run", "do", "undo", "resume", "find_playbook", "read_hosts", "SessionPool", "Observer",
    "RunReport", "Detection", "Status", "EasopsError", "Interrupted",
)  # fmt: skip
"""The names as one meets them."""

HELD: Final = {
    "easops.inventory": ("Inventory", "Host"),
    "easops.playbook.assessment.assessment": ("Assessment",),
    "easops.playbook.assessment.verdict": ("Verdict",),
    "easops.playbook.assessment.point": ("Point",),
    "easops.playbook.assessment.next_command": ("NextCommand", "Repeat"),
    "easops.playbook.assessment.run_facts": ("OpenRun",),
    "easops.playbook.steps.step_result": ("StepResult",),
    "easops.actions.outcome": ("ItemOutcome",),
    "easops.detectors.finding": ("UserFinding", "Device", "Measurement", "Undetermined"),
    "easops.remoting.unreachable": ("Unreachable",),
    "easops.playbook.steps.effects": ("Preview",),
}
"""What the results hold."""

ROOMS: Final = ("easops.exchange", "easops.iis", "easops.logs", "easops.inventory")

_SECTION: Final = re.compile(r"(Args|Returns|Raises):$")
_ENTRY: Final = re.compile(r"    (\S[^:]*): (.*)$")


def api() -> str:
    """The names of ``easops``, what their results hold, and the errors."""
    lines = ["# The API", "", _prose(inspect.getdoc(easops) or ""), ""]
    lines += [
        "`examples/` has scripts that use them. What the rooms offer beside them is in [The rooms](rooms.md).",
        "",
    ]
    assert set(ORDER) == set(easops.__all__)
    for name in ORDER:
        lines += _entry(name, getattr(easops, name), "##")
    lines += ["## What the results hold", ""]
    for module, names in HELD.items():
        for name in names:
            lines += _entry(name, getattr(import_module(module), name), "###", module)
    lines += ["## Errors", "", "All are of `easops.errors`, and tell what the caller does next.", ""]
    lines += _errors(EasopsError, 0)
    return _page(lines)


def rooms() -> str:
    """The rooms' own lists."""
    lines = ["# The rooms", ""]
    lines += [
        "What scripts use beside the dozen names of [the API](api.md): functions that take a session, of `read_hosts`",
        "or `SessionPool.open`, and give values. Those that change something do it at once, without record and undo;",
        "`do` has both.",
        "",
    ]
    for room in ROOMS:
        module = import_module(room)
        lines += [f"## {room}", "", _prose(inspect.getdoc(module) or ""), ""]
        names = sorted(module.__all__, key=lambda name: (not inspect.isfunction(getattr(module, name)), name.lower()))
        for name in names:
            if module.__name__ != "easops.inventory" or name not in HELD["easops.inventory"]:
                lines += _entry(name, getattr(module, name), "###")
    return _page(lines)


def _page(lines: Sequence[str]) -> str:
    return "\n".join(lines).rstrip() + "\n"


def _entry(name: str, held: Any, mark: str, module: str = "") -> list[str]:
    lines = [f"{mark} {name}", ""]
    if inspect.isfunction(held):
        return [*lines, "```python", _signature(name, held), "```", "", *_docstring(held)]
    if module:
        lines += [f"Of `{module}`.", ""]
    for kind in _kinds(held):
        lines += _docstring(kind)
    if issubclass(held, enum.Enum):
        return [*lines, ", ".join(f"`{member.value}`" for member in held) + ".", ""]
    told = [*_fields(held), *_properties(held)]
    lines += [*told, ""] if told else []
    for method, function in _methods(held):
        lines += ["```python", _signature(f"{name}.{method}", function), "```", "", *_docstring(function)]
    return lines


def _errors(error: type[EasopsError], depth: int) -> list[str]:
    told = " ".join(" ".join(_docstring(error)).split())
    lines = [f"{'  ' * depth}- `{error.__name__}`: {told}"]
    for kind in error.__subclasses__():
        if kind.__module__ == "easops.errors":
            lines += _errors(kind, depth + 1)
    return lines


def _fields(held: type) -> list[str]:
    if not attrs.has(held):
        return []
    # As they are written: attrs' own are resolved once somebody has read a record.
    written: dict[str, str] = {}
    for kind in reversed(held.__mro__):
        written |= vars(kind).get("__annotations__", {})
    names = [field.name for field in attrs.fields(held) if not field.name.startswith("_")]
    return [f"- `{name}: {written[name]}`" for name in names]


def _kinds(held: type) -> list[type]:
    """The class, and those that its fields come from."""
    return [held, *(kind for kind in held.__mro__[1:] if attrs.has(kind))]


def _properties(held: type) -> list[str]:
    lines = []
    for name, member in (entry for kind in _kinds(held) for entry in vars(kind).items()):
        if isinstance(member, property) and not name.startswith("_"):
            told = " ".join(_prose(inspect.getdoc(member) or "").split())
            kind = inspect.get_annotations(member.fget)["return"] if member.fget is not None else ""
            lines.append(f"- `{name}: {kind}`" + (f": {told}" if told else ""))
    return lines


def _methods(held: type) -> Iterator[tuple[str, Callable[..., Any]]]:
    for name, member in vars(held).items():
        function = member.__func__ if isinstance(member, classmethod) else member
        if inspect.isfunction(function) and not name.startswith("_"):
            yield name, function


def _signature(name: str, function: Callable[..., Any]) -> str:
    """``name(…) -> …`` in one line, or a parameter a line where that would be long."""
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


def _docstring(held: Any) -> list[str]:
    """A docstring as Markdown: its sections become lists."""
    told = inspect.getdoc(held)
    assert told, f"{held!r} has no docstring"
    out: list[str] = []
    section = ""
    for line in told.splitlines():
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
    """Docstring text as Markdown: ``code`` has one back-tick there, and another page is a link."""
    text = text.replace("``", "`")
    text = re.sub(r"docs/reference/([\w-]+)\.md", r"[\1](\1.md)", text)
    return re.sub(r"docs/explanation/([\w-]+)\.md", r"[\1](../explanation/\1.md)", text)


PAGES: Final[dict[str, Callable[[], str]]] = {"api.md": api, "rooms.md": rooms}
