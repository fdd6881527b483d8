"""A server of Windows Server 2008 R2: PowerShell 2.0, and perhaps no WebAdministration module."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from easops.errors import CommandFailed, ErrorRecord
from easops.remoting.command import Call, Command, Script, pipeline
from easops.remoting.result import RemoteObject, Result
from easops.remoting.session import EndpointName

NO_MODULE = ErrorRecord(
    "The specified module 'WebAdministration' was not loaded because no valid module file was found.",
    "ResourceUnavailable",
    "Modules_ModuleNotFound,Microsoft.PowerShell.Commands.ImportModuleCommand",
    "FileNotFoundException",
)


@attrs.define
class OldServer:
    """Has Get-WmiObject and appcmd.exe: *instances* by class, *written* by the arguments of appcmd."""

    instances: dict[str, tuple[dict[str, Any], ...]] = attrs.field(factory=dict)
    written: dict[tuple[str, ...], tuple[tuple[str, ...], Any]] = attrs.field(factory=dict)
    invoked: list[str] = attrs.field(factory=list)
    host: str = "OLD"
    endpoint: EndpointName = "windows"
    lacks: set[str] = attrs.field(factory=set)

    def connect(self, *, deadline: float = 30.0) -> None: ...

    def invoke(self, call: Call, *, deadline: float = 60.0) -> Result:
        self.invoked.append(str(call) if not isinstance(call, Script) else " ".join(call.parameters["Arguments"]))
        output: list[Any] = []
        for (command,) in pipeline(call).statements:
            output += self._answer(command)
        return Result(tuple(output))

    def _answer(self, command: Command | Script) -> list[Any]:
        parameters = command.parameters
        if isinstance(command, Script):
            lines, code = self.written[tuple(parameters["Arguments"])]
            return [*lines, {"ExitCode": code}] if code is not None else list(lines)
        if command.name == "Get-WmiObject":
            kind = f"System.Management.ManagementObject#\\{parameters['Class']}"
            return [RemoteObject((kind,), properties) for properties in self.instances[parameters["Class"]]]
        if command.name == "Import-Module":
            raise CommandFailed("Import-Module was refused", NO_MODULE.message, records=(NO_MODULE,))
        record = ErrorRecord(
            f"The term '{command.name}' is not recognized as the name of a cmdlet",
            "ObjectNotFound",
            "CommandNotFoundException",
            "CommandNotFoundException",
        )
        raise CommandFailed(f"{command.name} was refused", record.message, records=(record,))

    def close(self) -> None: ...


@pytest.fixture
def old_server() -> Callable[..., OldServer]:
    return OldServer
