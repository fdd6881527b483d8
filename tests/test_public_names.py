"""What scripts may rely on: the names in ``__all__`` of ``easops``, of ``easops.errors`` and of each room, explained.

``tests/typing`` holds their types.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import attrs
import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "easops"

NOT_FOR_SCRIPTS = {"cli", "lab"}
"""Packages without public names: the command line and the lab are programs."""

PUBLIC = (
    "easops",
    "easops.errors",
    *(f"easops.{path.parent.name}" for path in sorted(PACKAGE.glob("*/__init__.py"))
      if path.parent.name not in NOT_FOR_SCRIPTS),
)  # fmt: skip

NAMES = [(module, name) for module in PUBLIC for name in getattr(import_module(module), "__all__", ())]


@pytest.mark.parametrize("module", PUBLIC)
def test_each_room_lists_its_public_names_in_order_and_none_twice(module: str) -> None:
    names = import_module(module).__all__
    assert names == sorted(set(names), key=lambda name: (not name.isupper(), not name[0].isupper(), name))


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_each_public_name_is_explained_with_its_methods_and_its_fields(module: str, name: str) -> None:
    assert list(_unexplained(import_module(module), name)) == []


def _unexplained(module: ModuleType, name: str) -> Iterator[str]:
    """The name, and those of its methods, properties and fields, that no docstring explains."""
    value = getattr(module, name)
    if inspect.isclass(value):
        if not value.__dict__.get("__doc__"):
            yield name
        yield from (f"{name}.{member}" for member in _unexplained_members(value))
    elif inspect.isfunction(value):
        if not value.__doc__:
            yield name
    elif name not in _explained_constants(Path(inspect.getfile(module))):
        yield name


def _unexplained_members(kind: type[Any]) -> Iterator[str]:
    """Those of the class and of the classes of easops that it inherits from."""
    kinds = [base for base in kind.__mro__ if base is kind or base.__module__.startswith("easops.")]
    members = {name: member for base in reversed(kinds) for name, member in vars(base).items()}
    for name, member in members.items():
        function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
        if not name.startswith("_") and inspect.isfunction(function) and not function.__doc__:
            yield name
    if attrs.has(kind):
        text = "".join(base.__dict__.get("__doc__") or "" for base in kinds)
        for field in attrs.fields(kind):
            if not field.name.startswith("_") and not re.search(rf"\*{field.name}\*", text):
                yield field.name


def _explained_constants(path: Path) -> set[str]:
    """The names that a module assigns and explains with a text on the next line."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    explained = set()
    for statement, following in itertools.pairwise(body):
        is_text = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
        target = statement.target if isinstance(statement, ast.AnnAssign) else None
        if is_text and isinstance(target, ast.Name):
            explained.add(target.id)
    return explained


class _Example(Protocol):
    """For the test of the test."""

    def explained(self) -> None:
        """It is."""

    def unexplained(self) -> None: ...


def test_what_no_docstring_explains_is_found() -> None:
    @attrs.frozen
    class Partly:
        """Only *known* is explained."""

        known: int
        unknown: int

    assert [*_unexplained_members(Partly), *_unexplained_members(_Example)] == ["unknown", "unexplained"]


def test_the_reference_has_every_public_name() -> None:
    pages = runpy.run_path(str(ROOT / "tools" / "reference_api.py"))["PAGES"]
    text = "\n".join(page() for page in pages.values())
    missing = [f"{module}.{name}" for module, name in NAMES if not re.search(rf"^(#+ |\s*- `){name}\b", text, re.M)]
    assert missing == []


HEAVY = ("aiohttp", "dbos", "jinja2", "pypsrp", "requests", "rich", "sqlalchemy", "typer")


@pytest.mark.parametrize("room", ["errors", "inventory", "remoting", "exchange", "iis", "logs", "playbook"])
def test_importing_a_room_loads_no_library_that_only_its_use_needs(room: str) -> None:
    code = f"import sys, easops.{room}; print(*sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_name_that_a_package_does_not_have_is_an_attribute_error() -> None:
    for module in ("easops", "easops.remoting", "easops.playbook"):
        with pytest.raises(AttributeError, match=f"module '{module}' has no attribute 'nothing'"):
            getattr(import_module(module), "nothing")  # noqa: B009
