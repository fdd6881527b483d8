"""The WebAdministration module: imported before each call (PowerShell 2.0 loads none by itself), and found missing."""

from __future__ import annotations

from typing import Final

from easops.errors import CommandFailed
from easops.remoting.command import Command, Pipeline
from easops.remoting.result import Result
from easops.remoting.session import Session

MODULE: Final = "WebAdministration"

_IMPORT: Final = Command("Import-Module", {"Name": MODULE}, reads=True)


def read_with_module(session: Session, *pipe: Command) -> Result | None:
    """What *pipe*, commands that read, gives; None where the server has no such module, so that appcmd is the way.

    Raises UnreachableHost, CommandFailed, OutcomeUnknown.
    """
    return _after_import(session, pipe)


def has_module(session: Session) -> bool:
    """Whether the server has the module; asked by a read, so that a change need not be tried to find out."""
    return _after_import(session) is not None


def change_with_module(session: Session, command: Command) -> None:
    """Send *command*, which changes something, to a server that has the module."""
    session.invoke(Pipeline.of(_IMPORT, command))


def _after_import(session: Session, *pipes: tuple[Command, ...]) -> Result | None:
    if MODULE in session.lacks:
        return None
    try:
        return session.invoke(Pipeline(((_IMPORT,), *pipes)))
    except CommandFailed as error:
        # The import's own error does not end a pipeline: those of the commands after it may come too.
        if not any(record.fqid.startswith("Modules_ModuleNotFound") for record in error.records):
            raise
        session.lacks.add(MODULE)
        return None
