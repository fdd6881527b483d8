"""The engine's own cmdlets that every endpoint has beside its others: Select-Object and Out-Null."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from easops.lab.signatures.conversion import type_name
from easops.lab.value import CmdletFailed, ErrorInfo, NonTerminating, Obj

_SIMULATED = {"Property", "ExpandProperty", "ExcludeProperty", "First", "Last", "Skip", "InputObject"}


def select_object(parameters: Mapping[str, Any], piped: tuple[Any, ...]) -> Iterator[Any]:
    """Select-Object with -Property (names and wildcards), -ExcludeProperty, -ExpandProperty, -First, -Last, -Skip.

    Raises:
        CmdletFailed: calculated properties, and parameters that the lab does not simulate.
    """
    unknown = set(parameters) - _SIMULATED
    names = parameters.get("Property")
    if unknown or any(not isinstance(name, str) for name in names or ()):
        what = f"-{sorted(unknown)[0]}" if unknown else "a calculated property"
        raise CmdletFailed(_error("NotInLab", f"The lab's Select-Object does not simulate {what}.", "NotImplemented"))
    rows = list(piped) if "InputObject" not in parameters else [parameters["InputObject"]]
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
    """The properties of an object or a dictionary by name."""
    if isinstance(row, Obj):
        return {**row.properties, **row.notes}
    return row if isinstance(row, dict) else {}


def _properties(row: Any, names: Iterable[str], excluded: Iterable[str]) -> Obj:
    """Some properties of an object. A name that it does not have becomes a property of $null, as in PowerShell; a
    wildcard gives what there is."""
    properties = members(row)
    by_lower = {str(name).lower(): str(name) for name in properties}
    chosen: dict[str, Any] = {}
    for name in names:
        if "*" in name or "?" in name:
            chosen.update({own: properties[own] for own in properties if _like(own, name)})
        else:
            actual = by_lower.get(name.lower())
            chosen[actual or name] = properties[actual] if actual else None
    kept = {name: value for name, value in chosen.items() if not any(_like(name, pattern) for pattern in excluded)}
    original = row.types[0] if isinstance(row, Obj) and row.types else type_name(row)
    types = (f"Selected.{original}", "System.Management.Automation.PSCustomObject", "System.Object")
    return Obj(types=types, notes=kept)


def _expanded(row: Any, name: str) -> Iterator[Any]:
    properties = {str(key).lower(): value for key, value in members(row).items()}
    if name.lower() not in properties:
        yield NonTerminating(_error("ExpandPropertyNotFound", f'Property "{name}" cannot be found.', "InvalidArgument"))
        return
    value = properties[name.lower()]
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


ENGINE_CMDLETS: Mapping[str, Callable[[Mapping[str, Any], tuple[Any, ...]], Iterable[Any]]] = {
    "Select-Object": select_object,
    "Out-Null": lambda parameters, piped: (),
}
