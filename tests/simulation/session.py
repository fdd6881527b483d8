"""A session that goes straight to the lab: no socket, no thread, no waiting.

What it leaves out is HTTP, WS-Management, fragments and logon. Arguments and answers are still CLIXML on the way: each
side writes it with its own writer, and the other reads it with its own reader, as over the wire.
"""

from __future__ import annotations

import functools
import xml.etree.ElementTree as ET
from typing import Any, Final

import attrs
import psrpcore
from psrpcore.types import deserialize
from pypsrp.complex_objects import ObjectMeta
from pypsrp.messages import ErrorRecordMessage, PipelineState, WarningRecord
from pypsrp.serializer import Serializer

from easops.errors import UnreachableHost
from easops.lab.psrp.backend import Backend
from easops.lab.psrp.backend import Session as LabSession
from easops.lab.psrp.bound_command import BoundCommand
from easops.lab.psrp.clixml import to_clixml
from easops.lab.psrp.error_record import error_record, state_message, warning_message
from easops.lab.psrp.statements import Statements
from easops.lab.signatures.table import SignatureTable
from easops.lab.value import ErrorInfo, Obj
from easops.lab.world import World
from easops.lab.world_backend import WorldBackend
from easops.remoting.clixml import read_object
from easops.remoting.command import Call, Command, Pipeline, Script, pipeline
from easops.remoting.error_record import command_failed, read_records
from easops.remoting.psrp import batches, wire_value
from easops.remoting.result import Result
from easops.remoting.session import EndpointName

_PROTOCOLS: Final = {"2.0": "2.1", "5.1": "2.3"}
"""The version of the protocol by that of PowerShell. Source: MS-PSRP 2.2.2.1."""

_NO_CIPHER: Final[Any] = None
"""It is for secure strings, which no argument is."""


class InProcessSession:
    """A session to one endpoint of *server* in *world*, as ``easops.remoting.session.Session`` describes it.

    *host* is the name of the host in the inventory. The world answers at its time now; nothing here moves its clock but
    what a call takes of it. A call cannot be lost, nor exceed its deadline.
    """

    def __init__(self, world: World, server: str, endpoint: EndpointName, *, host: str = "") -> None:
        self.host: str = host or server
        self.endpoint: EndpointName = endpoint
        self.lacks: set[str] = set()
        self._world = world
        self._backend: Backend = WorldBackend(world)
        product, web = world.servers[server].product, world.servers[server].web_administration
        signatures = _signatures(product.version, () if web else ("WebAdministration",))
        self._session = LabSession(server, endpoint, f"{world.scenario.netbios}\\admin", signatures)
        self._protocol = _PROTOCOLS[signatures.powershell]
        self._imported: set[str] = set()

    def __repr__(self) -> str:
        return f"InProcessSession({self.host!r}, {self.endpoint!r})"

    def connect(self, *, deadline: float = 30.0) -> None:
        """Nothing is to be opened. Raises UnreachableHost where the server is down."""
        self._check_up()

    def _check_up(self) -> None:
        if self._world.is_down(self._session.server):
            self.close()
            raise UnreachableHost(
                f"{self.host} cannot be reached", "the server is down", "check that it is up and reachable"
            )

    def close(self) -> None:
        """The runspace is lost, with the modules that it has loaded."""
        self._imported.clear()

    def invoke(self, call: Call, *, deadline: float = 60.0) -> Result:
        """Run *call*. Raises CommandFailed as a session over the wire does."""
        statements = pipeline(call)
        self._check_up()
        output: list[Any] = []
        warnings: list[str] = []
        for batch in batches(statements, self._protocol):
            answer = self._run(batch, statements)
            output += answer.output
            warnings += answer.warnings
        return Result(tuple(output), tuple(warnings))

    def _run(self, batch: tuple[tuple[Command | Script, ...], ...], call: Pipeline) -> Result:
        """Run the statements of one pipeline."""
        answer = _Answer()
        sent = [[_sent(command) for command in statement] for statement in batch]
        failure = Statements(self._session, self._backend.new_pipeline(), self._imported, sent, None, answer).run()
        if failure is not None:
            answer.fail(failure)
        records = read_records(answer.errors, failed=failure is not None)
        if records:
            raise command_failed(self.host, call.name, records)
        return Result(tuple(answer.outputs), tuple(answer.warnings))


@functools.cache
def _signatures(version: str, lacks: tuple[str, ...]) -> SignatureTable:
    return SignatureTable(version, lacks=lacks)


@attrs.define
class _Answer:
    """The sink of a pipeline: what the client reads of each value on the wire."""

    outputs: list[Any] = attrs.field(factory=list)
    errors: list[Any] = attrs.field(factory=list)
    warnings: list[str] = attrs.field(factory=list)

    def output(self, value: Any) -> None:
        self.outputs.append(read_object(to_clixml(value)))

    def error(self, error: ErrorInfo) -> None:
        self.errors.append(_message(ErrorRecordMessage, error_record(error)))

    def fail(self, error: ErrorInfo) -> None:
        """*error* fails the pipeline: it comes with its state."""
        self.errors.append(_message(PipelineState, state_message("Failed", error)).error_record)

    def warning(self, text: str) -> None:
        self.warnings.append(str(_message(WarningRecord, warning_message(text)).message))

    def confirms(self, command: BoundCommand) -> bool:
        """Over the wire nobody would answer, and the call would wait for its deadline: easops never lets it ask."""
        raise AssertionError(f"{command.name} asks for confirmation")

    def check_stop(self) -> None:
        """Nobody stops a pipeline here."""


def _message(kind: type, value: Obj) -> Any:
    """A message of the server, as the client reads it."""
    return Serializer().deserialize(to_clixml(value), ObjectMeta("Obj", object=kind))


def _sent(command: Command | Script) -> psrpcore.Command:
    """*command* as the server reads it."""
    is_script = isinstance(command, Script)
    read = psrpcore.Command(name=command.text if isinstance(command, Script) else command.name, is_script=is_script)
    read.parameters.extend((name, _argument(value)) for name, value in command.parameters.items())
    return read


def _argument(value: Any) -> Any:
    """The value of a parameter, as the server reads it."""
    if value is None or isinstance(value, bool) or (type(value) is str and value.isascii() and value.isprintable()):
        return value  # the same on both sides, and nearly every value is one of these
    element = Serializer().serialize(wire_value(value))
    assert element is not None  # it is for null only
    return deserialize(ET.fromstring(ET.tostring(element)), _NO_CIPHER)
