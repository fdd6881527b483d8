"""Error records, warnings and pipeline states as the lab's values (MS-PSRP 2.2.3.15, 2.2.3.16, 2.2.2.21)."""

from __future__ import annotations

from typing import Any, Literal

from psrpcore.types import ErrorCategory

from easops.lab.signatures.conversion import type_name
from easops.lab.value import ErrorInfo, Obj

_STATES = {"Stopped": 3, "Completed": 4, "Failed": 5}
_RUNTIME = ("System.Management.Automation.RuntimeException", "System.SystemException")


def error_record(error: ErrorInfo) -> Obj:
    """The error record as it is in the ERROR_RECORD message and in a pipeline state, without invocation info."""
    category = ErrorCategory[error.category]
    reason = error.exception.rpartition(".")[2]
    target_name = "" if error.target is None else _text(error.target)
    target_type = "" if error.target is None else _kind(error.target)
    return Obj(
        types=("System.Management.Automation.ErrorRecord", "System.Object"),
        text=error.message,
        notes={
            "Exception": Obj(
                types=_ancestry(error.exception),
                text=f"{error.exception}: {error.message}",
                properties={"Message": error.message, "Data": {}, "InnerException": None, "HResult": -2146233087},
            ),
            "TargetObject": error.target,
            "FullyQualifiedErrorId": error.fqid,
            "InvocationInfo": None,
            "ErrorCategory_Category": int(category.value),
            "ErrorCategory_Activity": error.activity,
            "ErrorCategory_Reason": reason,
            "ErrorCategory_TargetName": target_name,
            "ErrorCategory_TargetType": target_type,
            "ErrorCategory_Message": f"{error.category}: ({target_name}:{target_type}) [{error.activity}], {reason}",
            "SerializeExtendedInfo": False,
        },
    )


def warning_message(text: str) -> Obj:
    return Obj(
        types=(),
        text=text,
        notes={"InformationalRecord_Message": text, "InformationalRecord_SerializeInvocationInfo": False},
    )


def state_message(state: Literal["Stopped", "Completed", "Failed"], error: ErrorInfo | None = None) -> Obj:
    notes: dict[str, Any] = {"PipelineState": _STATES[state]}
    if error is not None:
        notes["ExceptionAsErrorRecord"] = error_record(error)
    return Obj(types=(), notes=notes)


def stopped() -> ErrorInfo:
    return ErrorInfo(
        "The pipeline has been stopped.",
        "System.Management.Automation.PipelineStoppedException",
        "PipelineStopped",
        "OperationStopped",
    )


def _ancestry(exception: str) -> tuple[str, ...]:
    between = _RUNTIME if exception.startswith("System.Management.Automation.") else ()
    return (exception, *(name for name in between if name != exception), "System.Exception", "System.Object")


def _text(target: Any) -> str:
    return target.text or "" if isinstance(target, Obj) else str(target)


def _kind(target: Any) -> str:
    if isinstance(target, Obj) and target.types:
        return target.types[0].rpartition(".")[2]
    return type_name(target).rpartition(".")[2]
