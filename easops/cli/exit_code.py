"""The exit code of an exception."""

from __future__ import annotations

import errno
from typing import Final

import typer

_OF_THE_MACHINE: Final[dict[int, str]] = {
    getattr(errno, name): next_step
    for next_step, names in (
        ("free space there, then run it again", ("ENOSPC", "EDQUOT")),
        ("make it writable for this user, or name another folder", ("EROFS", "EACCES", "EPERM")),
        ("check the disk, then run it again", ("EIO", "ESTALE", "ENOTCONN")),
        ("end other programs, or raise the limit of open files (ulimit -n)", ("EMFILE", "ENFILE")),
        ("end other programs, or use a machine with more memory", ("ENOMEM",)),
    )
    for name in names
    if hasattr(errno, name)  # Windows lacks some
}
"""What to do about the errors of the operating system that are no bug of ours, by their number."""


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
    if isinstance(error, errors.EasopsError) or machine_refuses(error):
        return status.EXIT_FAILED, "failed"
    return status.EXIT_BUG, "bug"


def machine_refuses(error: BaseException) -> str:
    """What to do about an error that this machine is the cause of, such as a full disk; empty for any other."""
    if isinstance(error, MemoryError):
        return _OF_THE_MACHINE[errno.ENOMEM]
    return _OF_THE_MACHINE.get(error.errno or 0, "") if isinstance(error, OSError) else ""
