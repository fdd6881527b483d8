"""The WebAdministration module: calls that need it, and whether the server has it.

It is imported before each call, because PowerShell 2.0 does not load modules by itself.
"""

from __future__ import annotations

from typing import Final

from easops.errors import CommandFailed
from easops.remoting.command import Command, Pipeline
from easops.remoting.result import Result
from easops.remoting.session import Session

MODULE: Final = "WebAdministration"

_IMPORT: Final = Command("Import-Module", {"Name": MODULE}, reads=True)


def read_with_module(session: Session, *pipe: Command) -> Result | None:
    """The result of *pipe*, commands that only read; None if the server does not have the module (use appcmd then).

    Raises UnreachableHost, CommandFailed, OutcomeUnknown.
    """
    return _after_import(session, pipe)


def has_module(session: Session) -> bool:
    """Whether the server has the module. Found out by a read, so that no change must be tried for it."""
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
        # A failed import does not end the pipeline, so there may be records of the commands after it, too.
        if not any(record.fqid.startswith("Modules_ModuleNotFound") for record in error.records):
            raise
        session.lacks.add(MODULE)
        return None
