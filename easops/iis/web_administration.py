"""The WebAdministration module: calls that need it, and whether the server has it.

It is imported before each call, because PowerShell 2.0 does not load modules by itself.
"""

from __future__ import annotations

from typing import Final

from easops.errors import CommandFailed, ErrorRecord
from easops.remoting.command import Command, Pipeline
from easops.remoting.result import Result
from easops.remoting.session import Session

MODULE: Final = "WebAdministration"

POOLS: Final = "IIS:\\AppPools"
"""Where the module's drive has the application pools."""

_IMPORT: Final = Command("Import-Module", {"Name": MODULE}, reads=True)


def read_with_module(session: Session, *pipe: Command) -> Result | None:
    """The result of *pipe*, commands that only read; None if the server does not have the module or its drive (use
    appcmd then).

    Raises UnreachableHost, CommandFailed, OutcomeUnknown.
    """
    return _after_import(session, pipe)


def has_module(session: Session) -> bool:
    """Whether the server has the module and its drive. Found out by a read, so no change must be tried for it."""
    return _after_import(session, (Command("Get-ChildItem", {"LiteralPath": POOLS}, reads=True),)) is not None


def change_with_module(session: Session, command: Command) -> None:
    """Send *command*, which changes something, to a server that has the module."""
    session.invoke(Pipeline.of(_IMPORT, command))


def _after_import(session: Session, *pipes: tuple[Command, ...]) -> Result | None:
    if MODULE in session.lacks:
        return None
    try:
        return session.invoke(Pipeline(((_IMPORT,), *pipes)))
    except CommandFailed as error:
        # A failed import does not end the pipeline, so there may be records of the commands after it, too.
        if any(record.fqid.startswith("Modules_ModuleNotFound") for record in error.records):
            session.lacks.add(MODULE)
            return None
        if any(map(_lacks_drive, error.records)):
            return None
        raise


def _lacks_drive(record: ErrorRecord) -> bool:
    """Whether a path of the IIS: drive was not found. The module may import without it, and a pool that does not exist
    has the same error; appcmd can tell these two apart."""
    return record.fqid.startswith(("DriveNotFound", "PathNotFound")) and "IIS" in record.message
