"""PowerShell error records off the wire, as values, and the CommandFailed that they make.

Source: MS-PSRP 2.2.3.15 (ErrorRecord); System.Management.Automation.ErrorCategory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs
from pypsrp.complex_objects import ErrorRecord as WireErrorRecord
from pypsrp.complex_objects import GenericComplexObject

from easops.errors import CommandFailed, ErrorRecord
from easops.remoting.served_by import ServedBy, executed_on

_NOBODY: Final = ServedBy()

_CATEGORIES: Final = (
    "NotSpecified OpenError CloseError DeviceError DeadlockDetected InvalidArgument InvalidData InvalidOperation "
    "InvalidResult InvalidType MetadataError NotImplemented NotInstalled ObjectNotFound OperationStopped "
    "OperationTimeout SyntaxError ParserError PermissionDenied ResourceBusy ResourceExists ResourceUnavailable "
    "ReadError WriteError FromStdErr SecurityError ProtocolError ConnectionError AuthenticationError LimitsExceeded "
    "QuotaExceeded NotEnabled"
).split()
"""The enumeration ErrorCategory, in the order of its numbers."""


def read_records(errors: Sequence[WireErrorRecord], *, failed: bool) -> tuple[ErrorRecord, ...]:
    """The records of an error stream. *failed* says that the pipeline failed: its last record is what ended it."""
    return tuple(_record(error, terminating=failed and error is errors[-1]) for error in errors)


def command_failed(
    host: str, call: str, records: tuple[ErrorRecord, ...], served_by: ServedBy = _NOBODY
) -> CommandFailed:
    """The error of a call that the server refused; the record that ended it comes first. *served_by* are the servers
    that the answer's headers name."""
    ordered = tuple(sorted(records, key=lambda record: not record.terminating))
    first = ordered[0] if ordered else ErrorRecord("the pipeline failed without an error record")
    return CommandFailed(
        f"{host}: {first.command or call} was refused",
        f"{first.exception or 'error'}: {first.message}",
        "the text of the server says what it needs",
        records=ordered,
        served_by=str(attrs.evolve(served_by, executed=executed_on(ordered))),
    )


def _record(error: WireErrorRecord, *, terminating: bool) -> ErrorRecord:
    message = str(error.details_message or "")
    exception_name = str(error.reason or "")
    if isinstance(error.exception, GenericComplexObject):
        # A serialized exception may have its properties among the adapted or among the extended ones.
        properties = {**error.exception.adapted_properties, **error.exception.extended_properties}
        message = message or str(properties.get("Message") or error.exception.to_string or "")
        exception_name = exception_name or next(iter(error.exception.types), "").rpartition(".")[2]
    category = error.category
    return ErrorRecord(
        message=message or str(error.message or error.fq_error or "no message"),
        category=_CATEGORIES[category] if isinstance(category, int) and 0 <= category < len(_CATEGORIES) else "",
        fqid=str(error.fq_error or ""),
        exception=exception_name,
        command=str(error.activity or ""),
        terminating=terminating,
    )
