"""The exit code of an exception."""

from __future__ import annotations

import typer


class Terminated(BaseException):
    """SIGTERM arrived while no run was executing."""


def exit_code(error: BaseException) -> tuple[int, str]:
    """The exit code of an exception, and the status that goes with it in JSON."""
    from easops import errors, status

    if isinstance(error, KeyboardInterrupt | typer.Abort):
        return status.EXIT_INTERRUPTED, "stopped"
    if isinstance(error, Terminated):
        return status.EXIT_TERMINATED, "stopped"
    if isinstance(error, typer.TyperException | errors.BadInput):
        return status.EXIT_USAGE, "bad_input"
    if isinstance(error, errors.Refused):
        return status.EXIT_REFUSED, "refused"
    if isinstance(error, errors.UnreachableHost):
        return status.EXIT_UNREACHABLE, "unreachable"
    if isinstance(error, errors.OutcomeUnknown):
        return status.EXIT_UNPROVEN, "unknown"
    if isinstance(error, errors.EasopsError):
        return status.EXIT_FAILED, "failed"
    return status.EXIT_BUG, "bug"
