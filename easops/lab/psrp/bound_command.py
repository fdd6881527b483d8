"""One command of a statement with its parameters bound: a cmdlet, one of the engine's own, or a known script."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from psrpcore import Command

from easops.lab.psrp.backend import PipelineBackend, Session
from easops.lab.psrp.clixml import from_wire
from easops.lab.psrp.select_object import ENGINE_CMDLETS
from easops.lab.signatures.signature import COMMON, SHOULD_PROCESS
from easops.lab.signatures.table import not_found
from easops.lab.value import CmdletFailed, ErrorInfo, NonTerminating

log: logging.Logger = logging.getLogger(__name__)

# Cmdlets with these verbs ask for confirmation unless -Confirm is given (Exchange's pages, parameter Confirm).
ASKING_VERBS = ("Remove", "Clear", "Disable")


class BoundCommand:
    """A command that is ready to run. *name* is canonical, empty for a script.

    *imported* are the modules that the pool has loaded, in lower case; a command adds to them. *piped*: objects come
    down the pipe. Raises CmdletFailed where the parameters do not bind, or the lab does not answer the command.
    """

    def __init__(
        self, session: Session, backend: PipelineBackend, imported: set[str], command: Command, *, piped: bool
    ) -> None:
        self._session = session
        self._backend = backend
        self._imported = imported
        self.name: str = ""
        self._bound: Mapping[str, Any] = {}
        text = str(command.command_text)
        arguments = [(name, from_wire(value)) for name, value in command.parameters]
        if command.is_script:
            self._bind_script(text, arguments)
        else:
            self._bind_cmdlet(text, arguments, piped=piped)

    def _bind_cmdlet(self, text: str, arguments: Sequence[tuple[str | None, Any]], *, piped: bool) -> None:
        session = self._session
        self._load_module(text)
        self.name, self._bound = session.signatures.bind(session.endpoint, text, arguments, piped=piped)
        self._parameters = {k: v for k, v in self._bound.items() if k not in COMMON and k not in SHOULD_PROCESS}
        if self.name in ENGINE_CMDLETS:
            self._call: Callable[[tuple[Any, ...]], Iterable[Any]] = self._call_engine
        elif self.name in self._backend.commands(session.endpoint):
            self._call = self._call_cmdlet
        else:
            raise CmdletFailed(_not_in_lab(self.name))
        signature = session.signatures.find(session.endpoint, self.name)
        self._should_process = signature is not None and signature.should_process

    def _load_module(self, text: str) -> None:
        """The engine loads a command's module at its first use. PowerShell 2.0 does not: there the command is unknown
        until the module is imported."""
        signatures = self._session.signatures
        signature = signatures.find(self._session.endpoint, text)
        if signature is not None and signature.module:
            if signatures.powershell == "2.0" and signature.module.lower() not in self._imported:
                raise CmdletFailed(not_found(text))
            self._imported.add(signature.module.lower())

    def _bind_script(self, text: str, arguments: Sequence[tuple[str | None, Any]]) -> None:
        if self._session.endpoint == "exchange":
            raise CmdletFailed(_no_language(text))
        self._digest = hashlib.sha256(text.replace("\r\n", "\n").encode("utf-8")).hexdigest()
        # A script has no signature here: a positional argument keeps its number as its name.
        self._parameters = {name or str(number): value for number, (name, value) in enumerate(arguments)}
        self._should_process = False
        self._call = self._call_script

    @property
    def what_if(self) -> bool:
        return self._bound.get("WhatIf") is True

    @property
    def needs_confirmation(self) -> bool:
        if not self._should_process:
            return False
        confirm = self._bound.get("Confirm")
        by_default = self._session.endpoint == "exchange" and self.name.split("-")[0] in ASKING_VERBS
        return confirm is True or (confirm is None and by_default)

    @property
    def target(self) -> str:
        """What the command acts on, as a confirmation prompt names it."""
        return str(next((self._bound[name] for name in ("Identity", "Name") if name in self._bound), ""))

    def preference(self, name: str) -> str:
        """The value of ErrorAction or WarningAction."""
        return str(self._bound.get(name, "Continue"))

    def run(self, piped: tuple[Any, ...]) -> Iterator[Any]:
        """Output values, Warning_ and NonTerminating in order; raises CmdletFailed, also for a fault of the lab's."""
        try:
            yield from self._call(piped)
        except (CmdletFailed, GeneratorExit):
            raise
        except Exception as error:
            log.exception("the lab's %s failed", self.name or "script")
            raise CmdletFailed(_lab_failed(self.name, error)) from error

    def _call_cmdlet(self, piped: tuple[Any, ...]) -> Iterable[Any]:
        session = self._session
        for path in (*_texts(self._parameters.get("Path")), *_texts(self._parameters.get("LiteralPath"))):
            if path.lower().startswith("iis:") and "webadministration" not in self._imported:
                return [NonTerminating(_no_drive(self.name))]
        output = self._backend.invoke(
            session.server, session.endpoint, session.user, self.name, self._parameters, piped, session.settings
        )
        return output if self.name != "Import-Module" else self._imports(output)

    def _imports(self, output: Iterable[Any]) -> Iterator[Any]:
        """Pass on the output of Import-Module, and note the modules that it loaded."""
        failed = set()
        for value in output:
            if isinstance(value, NonTerminating):
                failed.add(str(value.error.target).lower())
            yield value
        self._imported |= {name.lower() for name in _texts(self._parameters.get("Name"))} - failed

    def _call_script(self, piped: tuple[Any, ...]) -> Iterable[Any]:
        return self._backend.script(self._session.server, self._session.user, self._digest, self._parameters)

    def _call_engine(self, piped: tuple[Any, ...]) -> Iterable[Any]:
        return ENGINE_CMDLETS[self.name](self._parameters, piped)


def _texts(value: Any) -> list[str]:
    """The texts of a parameter that takes one or several."""
    return [str(item) for item in value] if isinstance(value, list | tuple) else [] if value is None else [str(value)]


def _no_drive(name: str) -> ErrorInfo:
    """The error of a path on ``IIS:`` where the module of that drive is not loaded."""
    return ErrorInfo(
        "Cannot find drive. A drive with the name 'IIS' does not exist.",
        "System.Management.Automation.DriveNotFoundException",
        f"DriveNotFound,Microsoft.PowerShell.Commands.{name.replace('-', '')}Command",
        "ObjectNotFound",
        activity=name,
        target="IIS",
    )


def _no_language(text: str) -> ErrorInfo:
    return ErrorInfo(
        "The syntax is not supported by this runspace. This can occur if the runspace is in no-language mode.",
        "System.Management.Automation.ParseException",
        "ScriptsNotAllowed",
        "ParserError",
        target=text,
    )


def _not_in_lab(name: str) -> ErrorInfo:
    return ErrorInfo(
        f"The lab does not simulate {name}; a server of this version has it.",
        "System.NotImplementedException",
        f"NotInLab,{name}",
        "NotImplemented",
        activity=name,
    )


def _lab_failed(name: str, error: Exception) -> ErrorInfo:
    return ErrorInfo(
        f"The lab itself failed: {type(error).__name__}: {error}",
        "System.InvalidOperationException",
        f"LabFailed,{name or 'script'}",
        "InvalidResult",
        activity=name,
    )
