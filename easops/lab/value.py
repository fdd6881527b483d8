"""The output of the lab's cmdlets: plain values, and objects with the type names that a real server sends.

Plain values are None, bool, int, float, str, bytes, datetime (aware), timedelta, UUID, list (LST) and dict (DCT).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs


@attrs.frozen
class U32:
    """An unsigned 32 bit integer."""

    value: int


@attrs.frozen
class U64:
    """An unsigned 64 bit integer (CIM's sizes and times)."""

    value: int


@attrs.frozen
class I64:
    """A signed 64 bit integer."""

    value: int


@attrs.frozen
class Enum:
    """A member of a .NET enumeration: its type name, member name and number."""

    type: str
    text: str
    value: int


@attrs.frozen
class Obj:
    """An object: type names, most derived first; adapted properties; note properties; its ToString text.

    With *items* it is a list that has a type (MultiValuedProperty).
    """

    types: tuple[str, ...]
    properties: Mapping[str, Any] = attrs.field(factory=dict)
    notes: Mapping[str, Any] = attrs.field(factory=dict)
    text: str | None = None
    items: tuple[Any, ...] | None = None


@attrs.frozen
class Warning_:
    """A line for the warning stream, among a cmdlet's output."""

    text: str


@attrs.frozen
class ErrorInfo:
    """One PowerShell error record.

    *exception* is the full .NET type name, *fqid* the whole FullyQualifiedErrorId, *category* a name of
    System.Management.Automation.ErrorCategory, *activity* the cmdlet, *target* the object that it was about.
    """

    message: str
    exception: str
    fqid: str
    category: str
    activity: str = ""
    target: Any = None


class CmdletFailed(Exception):
    """A terminating error: a cmdlet raises it to end the pipeline (state Failed)."""

    def __init__(self, error: ErrorInfo) -> None:
        super().__init__(error.message)
        self.error = error


@attrs.frozen
class NonTerminating:
    """A non-terminating error, among a cmdlet's output: the pipeline goes on (state Completed)."""

    error: ErrorInfo
