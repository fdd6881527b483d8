"""The result of a call, as values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

Value = Any
"""A value that a server returned: None, bool, int, float, str, bytes, datetime (aware, UTC), timedelta, UUID, tuple,
dict or RemoteObject."""


@attrs.frozen
class RemoteObject:
    """An object that a server returned.

    *types* are the names of its types, the most specific first, *properties* its properties by name, and *text* the
    result of its ToString (None if it was not sent).
    """

    types: tuple[str, ...]
    properties: Mapping[str, Value]
    text: str | None = None

    def get(self, name: str, default: Value = None) -> Value:
        """The property *name*, in upper or lower case, as in PowerShell; *default* where there is none."""
        if name in self.properties:
            return self.properties[name]
        lower = name.lower()
        for property_name, value in self.properties.items():
            if property_name.lower() == lower:
                return value
        return default

    def is_a(self, name: str) -> bool:
        """Whether one of the type names is *name*, or ends with it after a separator.

        So ``Win32_Process`` is any CIM or WMI instance of that class, whatever its namespace.
        """
        ends = tuple(separator + name for separator in "./\\#")
        return any(type_name == name or type_name.endswith(ends) for type_name in self.types)

    def __str__(self) -> str:
        return self.text if self.text is not None else (self.types[0] if self.types else "")


@attrs.frozen
class Result:
    """The *output* and the *warnings* (their texts) of a call that succeeded. With an error record it would have raised
    CommandFailed. *served_by* names the servers that took part, where they say so."""

    output: tuple[Value, ...] = ()
    warnings: tuple[str, ...] = ()
    served_by: str = attrs.field(default="", eq=False)

    def objects(self, type_name: str = "") -> tuple[RemoteObject, ...]:
        """The objects in the output: all, or those of one type (``RemoteObject.is_a``)."""
        return tuple(
            item for item in self.output if isinstance(item, RemoteObject) and (not type_name or item.is_a(type_name))
        )
