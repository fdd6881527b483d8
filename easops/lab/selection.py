"""The helpers that every remote endpoint has beside its own cmdlets: Select-Object and Out-Null."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from easops.lab.conversion import type_name
from easops.lab.value import CmdletFailed, ErrorInfo, NonTerminating, Obj

_DONE_HERE = {"Property", "ExpandProperty", "ExcludeProperty", "First", "Last", "Skip", "InputObject"}


def select_object(parameters: Mapping[str, Any], passed: tuple[Any, ...]) -> Iterator[Any]:
    """Select-Object with -Property (names and wildcards), -ExcludeProperty, -ExpandProperty, -First, -Last, -Skip.

    Raises:
        CmdletFailed: for calculated properties and for parameters that the lab does not do.
    """
    unknown = set(parameters) - _DONE_HERE
    names = parameters.get("Property")
    if unknown or any(not isinstance(name, str) for name in names or ()):
        what = f"-{sorted(unknown)[0]}" if unknown else "a calculated property"
        raise CmdletFailed(_error("NotInLab", f"The lab's Select-Object does not do {what}.", "NotImplemented"))
    rows = list(passed) if "InputObject" not in parameters else [parameters["InputObject"]]
    for row in _range(rows, parameters):
        selected = row if names is None else _properties(row, names, parameters.get("ExcludeProperty") or ())
        if (expand := parameters.get("ExpandProperty")) is None:
            yield selected
        else:
            yield from _expanded(row, expand)


def _range(rows: list[Any], parameters: Mapping[str, Any]) -> list[Any]:
    skip, first, last = (parameters.get(name) for name in ("Skip", "First", "Last"))
    if last is not None and first is None:
        end = len(rows) - (skip or 0)
        return rows[max(0, end - last) : max(0, end)]
    rows = rows[skip or 0 :]
    if first is None:
        return rows
    tail = rows[first:][-last:] if last else []
    return rows[:first] + tail


def members(row: Any) -> Mapping[str, Any]:
    if isinstance(row, Obj):
        return {**row.properties, **row.notes}
    return row if isinstance(row, dict) else {}


def _properties(row: Any, names: Iterable[str], excluded: Iterable[str]) -> Obj:
    """A name that the object has not is a property of $null, as PowerShell makes it; a wildcard gives what there is."""
    held = members(row)
    by_lower = {str(name).lower(): str(name) for name in held}
    chosen: dict[str, Any] = {}
    for name in names:
        if "*" in name or "?" in name:
            chosen.update({held_name: held[held_name] for held_name in held if _like(held_name, name)})
        else:
            actual = by_lower.get(name.lower())
            chosen[actual or name] = held[actual] if actual else None
    kept = {name: value for name, value in chosen.items() if not any(_like(name, pattern) for pattern in excluded)}
    original = row.types[0] if isinstance(row, Obj) and row.types else type_name(row)
    types = (f"Selected.{original}", "System.Management.Automation.PSCustomObject", "System.Object")
    return Obj(types=types, notes=kept)


def _expanded(row: Any, name: str) -> Iterator[Any]:
    held = {str(key).lower(): value for key, value in members(row).items()}
    if name.lower() not in held:
        yield NonTerminating(_error("ExpandPropertyNotFound", f'Property "{name}" cannot be found.', "InvalidArgument"))
        return
    value = held[name.lower()]
    if isinstance(value, Obj) and value.items is not None:
        yield from value.items
    elif isinstance(value, list):
        yield from value
    elif value is not None:
        yield value


def _like(name: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(name.lower(), pattern.lower())


def _error(identifier: str, text: str, category: str) -> ErrorInfo:
    return ErrorInfo(
        message=text,
        exception="System.Management.Automation.PSArgumentException",
        fqid=f"{identifier},Microsoft.PowerShell.Commands.SelectObjectCommand",
        category=category,
        activity="Select-Object",
    )


HELPERS: Mapping[str, Callable[[Mapping[str, Any], tuple[Any, ...]], Iterable[Any]]] = {
    "Select-Object": select_object,
    "Out-Null": lambda parameters, passed: (),
}
