"""What came back: decoded once, into values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

Value = Any
"""None, bool, int, float, str, bytes, datetime (aware, UTC), timedelta, UUID, tuple, dict or RemoteObject."""


@attrs.frozen
class RemoteObject:
    """An object of the far side: its type names (most derived first), properties, and its ToString text."""

    types: tuple[str, ...]
    properties: Mapping[str, Value]
    text: str | None = None

    def get(self, name: str, default: Value = None) -> Value:
        """A property by name, without regard to case, as PowerShell has it."""
        if name in self.properties:
            return self.properties[name]
        wanted = name.lower()
        for held, value in self.properties.items():
            if held.lower() == wanted:
                return value
        return default

    def is_a(self, name: str) -> bool:
        """Whether *name* ends one of the type names (``Win32_Process`` for a CIM or WMI instance of any namespace)."""
        ends = tuple(mark + name for mark in "./\\#")
        return any(held == name or held.endswith(ends) for held in self.types)

    def __str__(self) -> str:
        return self.text if self.text is not None else (self.types[0] if self.types else "")


@attrs.frozen
class Result:
    """The output and the warnings of a call that succeeded (an error record makes it a CommandFailed)."""

    output: tuple[Value, ...] = ()
    warnings: tuple[str, ...] = ()

    def objects(self, type_name: str = "") -> tuple[RemoteObject, ...]:
        """The objects of the output, or those of one type."""
        return tuple(
            item for item in self.output if isinstance(item, RemoteObject) and (not type_name or item.is_a(type_name))
        )
