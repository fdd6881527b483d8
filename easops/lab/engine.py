"""The Python engine of the lab: the server's half of PSRP on psrpcore, without a PowerShell.

A front opens one shell a runspace pool, feeds it the fragments that come in, and is given those that go out through an
``Outlet``. Each pipeline runs in a thread of its own, as many at a time as the pool has runspaces. Parameters are bound
by the law, and what a cmdlet does is the ``Backend``'s. There is no language here: a script is known by its digest, or
refused.
"""

from __future__ import annotations

import hashlib
import itertools
import logging
import queue
import threading
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol
from xml.etree import ElementTree

import attrs
from psrpcore import (
    Command,
    CreatePipelineEvent,
    EndOfPipelineInputEvent,
    GetAvailableRunspacesEvent,
    GetCommandMetadataEvent,
    PipelineHostResponseEvent,
    PipelineInputEvent,
    PSRPPayload,
    ResetRunspaceStateEvent,
    ServerPipeline,
    ServerRunspacePool,
    SessionCapabilityEvent,
    SetMaxRunspacesEvent,
    SetMinRunspacesEvent,
    StreamType,
)
from psrpcore.types import (
    ChoiceDescription,
    HostMethodIdentifier,
    PSObject,
    PSRPMessageType,
    PSVersion,
    add_note_property,
    serialize,
)

from easops.lab import selection
from easops.lab.call import Endpoint
from easops.lab.clixml import from_wire, to_clixml
from easops.lab.framing import FRAGMENT, fragments, message
from easops.lab.law import COMMON, SHOULD_PROCESS, Law, not_found
from easops.lab.record import error_record, state_message, stopped, warning_message
from easops.lab.value import CmdletFailed, ErrorInfo, NonTerminating, Warning_

log = logging.getLogger(__name__)

# Cmdlets of these verbs ask before they act where -Confirm is not given (Exchange's pages, -Confirm).
ASKING_VERBS = ("Remove", "Clear", "Disable")
_YES, _YES_TO_ALL = 0, 1


class Backend(Protocol):
    """What the engine asks of the world. Called from pipeline threads; makes its own order."""

    def invoke(
        self,
        server: str,
        endpoint: Endpoint,
        user: str,
        cmdlet: str,
        parameters: Mapping[str, Any],
        input: tuple[Any, ...],
    ) -> Iterable[Any]:
        """Output values, Warning_ and NonTerminating in order; raises CmdletFailed.

        *parameters* are bound and converted by the law, without the common ones and without WhatIf and Confirm.
        """
        ...

    def script(self, server: str, user: str, digest: str, parameters: Mapping[str, Any]) -> Iterable[Any]:
        """The twin of a script (SHA-256 of its LF-normalised text); raises CmdletFailed for one it does not know."""
        ...

    def commands(self, endpoint: Endpoint) -> Collection[str]:
        """Canonical names of the cmdlets that ``invoke`` answers."""
        ...


class Outlet(Protocol):
    """Where an engine's fragments go; *pipeline* None is the pool. Called from any thread."""

    def send(self, pipeline: uuid.UUID | None, fragments: Sequence[bytes]) -> None:
        """May block while the client is slow."""
        ...

    def done(self, pipeline: uuid.UUID) -> None: ...


@attrs.frozen
class Session:
    """Who opened a shell where."""

    server: str
    endpoint: Endpoint
    user: str
    law: Law


class _Pool(ServerRunspacePool):
    """psrpcore's pool, with its messages sent at once (its own buffer fragments in quadratic time) and two repairs."""

    def __init__(self, send: Callable[[uuid.UUID | None, bytes], None], powershell: str) -> None:
        # PowerShell 2.0 speaks 2.1 of the protocol, which 5.1's 2.3 has grown out of.
        protocol = PSVersion("2.1" if powershell == "2.0" else "2.3")
        table = {
            "PSVersion": PSVersion(powershell),
            "PSRemotingProtocolVersion": protocol,
            "SerializationVersion": PSVersion("1.1.0.1"),
        }
        super().__init__({"PSVersionTable": table})
        self.our_capability.protocolversion = protocol
        self.batches = powershell != "2.0"
        self._send = send

    def prepare_message(
        self,
        message: PSObject | None,
        message_type: PSRPMessageType | None = None,
        pipeline_id: uuid.UUID | None = None,
        stream_type: StreamType = StreamType.default,
    ) -> None:
        assert message is not None  # output goes through PythonShell.emit
        element = serialize(
            message, self._cipher, our_capability=self.our_capability, their_capability=self.their_capability
        )
        kind = message_type or PSRPMessageType.get_message_id(type(message))
        data = ElementTree.tostring(element, encoding="unicode")
        self._send(pipeline_id, self.message(kind, data, pipeline_id))

    def message(self, kind: PSRPMessageType, data: str, pipeline: uuid.UUID | None) -> bytes:
        return message(kind.value, data, self.runspace_pool_id, pipeline)

    def _process_SessionCapability(self, event: SessionCapabilityEvent) -> None:
        self.runspace_pool_id = event.runspace_pool_id  # before the answer, which carries it
        super()._process_SessionCapability(event)

    def _process_SetMaxRunspaces(self, event: SetMaxRunspacesEvent) -> None:
        _alias_ci(event._ps_object)
        super()._process_SetMaxRunspaces(event)

    def _process_SetMinRunspaces(self, event: SetMinRunspacesEvent) -> None:
        _alias_ci(event._ps_object)
        super()._process_SetMinRunspaces(event)

    def _process_CreatePipeline(self, event: CreatePipelineEvent) -> None:
        # A statement mark behind the last command leaves an empty statement, which psrpcore does not read.
        extra = getattr(event._ps_object.PowerShell, "ExtraCmds", None)
        if extra is not None:
            extra[:] = [statement for statement in extra if statement.Cmds]
            if not self.batches:
                # PowerShell 2.0 reads the first statement, and passes over the others without a word.
                extra[:] = extra[:1]
        ServerPipeline(self, event.pipeline_id)
        super()._process_CreatePipeline(event)

    def _process_GetCommandMetadata(self, event: GetCommandMetadataEvent) -> None:
        pass


def _alias_ci(message: PSObject) -> None:
    """pypsrp writes ``CI`` in the two SetRunspaces messages, .NET and psrpcore ``ci``."""
    if not hasattr(message, "ci"):
        add_note_property(message, "ci", message.CI)


class PythonShell:
    """One runspace pool. ``receive``, ``stop`` and ``close`` are called from one thread (the front's loop).

    *imported* are the modules, in lower case, that its commands have loaded. A real pool keeps them by runspace: that
    more than one of those would differ is not simulated.
    """

    def __init__(self, session: Session, backend: Backend, outlet: Outlet) -> None:
        self.session = session
        self.backend = backend
        self._outlet = outlet
        self._objects = itertools.count(1)
        self._pool = _Pool(self._send, session.law.powershell)
        self.imported: set[str] = set()
        self._pipelines: dict[uuid.UUID, Pipeline] = {}
        self._turn = threading.Condition()
        self._running = 0

    def receive(self, data: bytes) -> list[Pipeline]:
        """Take fragments in; returns the pipelines that are complete now, for the caller to ``start``.

        Raises:
            ValueError: the fragments are not PSRP.
        """
        self._pool.receive_data(PSRPPayload(data, StreamType.default, None))
        ready = []
        try:
            while (event := self._pool.next_event()) is not None:
                if isinstance(event, CreatePipelineEvent):
                    pipeline = Pipeline(self, event)
                    self._pipelines[event.pipeline_id] = pipeline
                    ready.append(pipeline)
                else:
                    self._take(event)
        except (KeyError, AttributeError, TypeError) as error:
            raise ValueError(f"not a PSRP message: {error!r}") from error
        return ready

    def _take(self, event: Any) -> None:
        match event:
            case PipelineInputEvent() | EndOfPipelineInputEvent() | PipelineHostResponseEvent():
                if pipeline := self._pipelines.get(event.pipeline_id):
                    pipeline.take(event)
            case GetAvailableRunspacesEvent():
                with self._turn:
                    free = max(0, self._pool.max_runspaces - self._running)
                self._pool.runspace_availability_response(event.ci, free)
            case SetMaxRunspacesEvent():
                self._pool.runspace_availability_response(event.ci, event.count >= max(1, self._pool.min_runspaces))
                with self._turn:
                    self._turn.notify_all()
            case SetMinRunspacesEvent():
                self._pool.runspace_availability_response(event.ci, 1 <= event.count <= self._pool.max_runspaces)
            case ResetRunspaceStateEvent():
                self._pool.runspace_availability_response(event.ci, True)
            case GetCommandMetadataEvent():
                self.emit(event.pipeline_id, PSRPMessageType.PipelineState, state_message("Failed", _NO_METADATA))
                self._outlet.done(event.pipeline_id)

    def stop(self, pipeline: uuid.UUID) -> threading.Event | None:
        """Ask a pipeline to stop; the event is set when it has. None: there is none running of that id."""
        running = self._pipelines.get(pipeline)
        if running is None:
            return None
        running.stop()
        return running.ended

    def close(self) -> None:
        """Stop what runs; nothing is sent any more."""
        for pipeline in list(self._pipelines.values()):
            pipeline.stop()

    # What pipelines use, from their threads.

    def emit(self, pipeline: uuid.UUID | None, kind: PSRPMessageType, value: Any) -> None:
        """Send one of the lab's values as a message of that kind."""
        self._send(pipeline, self._pool.message(kind, to_clixml(value), pipeline))

    def ask(self, pipeline: uuid.UUID, caption: str, text: str) -> int:
        """Send a confirmation prompt to the client's host; returns the call's id."""
        choices = [
            ChoiceDescription(Label=label, HelpMessage=help_)
            for label, help_ in (
                ("&Yes", "Continue with only the next step of the operation."),
                ("Yes to &All", "Continue with all the steps of the operation."),
                ("&No", "Skip this operation and proceed with the next operation."),
                ("No to A&ll", "Skip this operation and all subsequent operations."),
                ("&Suspend", "Pause the current pipeline and return to the command prompt."),
            )
        ]
        return self._pool.host_call(
            HostMethodIdentifier.PromptForChoice, [caption, text, choices, _YES], pipeline_id=pipeline
        )

    def take_turn(self, stopping: threading.Event) -> bool:
        """Wait for a free runspace; False when stopped meanwhile."""
        with self._turn:
            while self._running >= max(1, self._pool.max_runspaces):
                if stopping.is_set():
                    return False
                self._turn.wait(0.05)
            self._running += 1
            return True

    def finish(self, pipeline: uuid.UUID, *, had_turn: bool) -> None:
        """A pipeline has sent its last message."""
        if had_turn:
            with self._turn:
                self._running -= 1
                self._turn.notify_all()
        self._pipelines.pop(pipeline, None)
        self._pool.pipeline_table.pop(pipeline, None)
        self._outlet.done(pipeline)

    def _send(self, pipeline: uuid.UUID | None, data: bytes) -> None:
        self._outlet.send(pipeline, list(fragments(next(self._objects), data, FRAGMENT)))


class Pipeline:
    """One CREATE_PIPELINE: its statements, its input, and the thread that runs it."""

    def __init__(self, shell: PythonShell, event: CreatePipelineEvent) -> None:
        powershell = event.pipeline
        self.id: uuid.UUID = event.pipeline_id
        self.statements = list(_statements(powershell.commands))
        self.ended = threading.Event()
        self._shell = shell
        self._started = False
        self._stopping = threading.Event()
        self._answers: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._input: list[Any] = []
        self._input_complete = threading.Event()
        self._takes_input = not powershell.no_input
        if not self._takes_input:
            self._input_complete.set()

    @property
    def cmdlets(self) -> tuple[str, ...]:
        """Names as sent; a script's is empty."""
        return tuple(
            "" if command.is_script else command.command_text for statement in self.statements for command in statement
        )

    def start(self) -> None:
        self._started = True
        threading.Thread(target=self._run, name=f"pipeline {self.id}", daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()
        self._input_complete.set()
        self._answers.put(None)
        if not self._started:
            self.ended.set()

    def take(self, event: Any) -> None:
        """Input or a host's answer."""
        match event:
            case PipelineInputEvent():
                self._input.append(from_wire(event.data))
            case EndOfPipelineInputEvent():
                self._input_complete.set()
            case PipelineHostResponseEvent():
                self._answers.put(event.result if isinstance(event.result, int) else None)

    def _run(self) -> None:
        had_turn = self._shell.take_turn(self._stopping)
        failure = None
        try:
            if had_turn:
                self._input_complete.wait()
                for number, statement in enumerate(self.statements):
                    last = number == len(self.statements) - 1
                    failure = self._statement(statement, first=number == 0, last=last)
            self._check_stop()
            state = state_message("Failed", failure) if failure else state_message("Completed")
        except _Stopped:
            state = state_message("Stopped", stopped())
        try:
            self._shell.emit(self.id, PSRPMessageType.PipelineState, state)
        finally:
            self._shell.finish(self.id, had_turn=had_turn)
            self.ended.set()

    def _statement(self, statement: Sequence[Command], *, first: bool, last: bool) -> ErrorInfo | None:
        """Run one statement. A terminating error of the last one fails the pipeline; of another it is written to the
        error stream, and the next statement runs (as PowerShell's batches do)."""
        try:
            self._pipe(statement, takes_input=first and self._takes_input)
        except CmdletFailed as failed:
            if last:
                return failed.error
            self._error(failed.error)
        return None

    def _pipe(self, statement: Sequence[Command], *, takes_input: bool) -> None:
        # Every command is bound before the first one runs.
        steps = [
            _Step(self._shell, command, piped=number > 0 or takes_input) for number, command in enumerate(statement)
        ]
        passed: tuple[Any, ...] = tuple(self._input) if takes_input else ()
        for number, step in enumerate(steps):
            output = self._step(step, passed)
            if number < len(steps) - 1:
                passed = tuple(output)
            else:
                for value in output:
                    self._shell.emit(self.id, PSRPMessageType.PipelineOutput, value)

    def _step(self, step: _Step, passed: tuple[Any, ...]) -> Iterator[Any]:
        """The output of one command; its warnings and errors go to their streams."""
        if step.what_if or (step.asks and not self._confirmed(step)):
            return
        for value in step.run(passed):
            self._check_stop()
            if isinstance(value, Warning_):
                if step.preference("WarningAction") not in ("SilentlyContinue", "Ignore"):
                    self._shell.emit(self.id, PSRPMessageType.WarningRecord, warning_message(value.text))
            elif isinstance(value, NonTerminating):
                if step.preference("ErrorAction") == "Stop":
                    raise CmdletFailed(value.error)
                if step.preference("ErrorAction") not in ("SilentlyContinue", "Ignore"):
                    self._error(value.error)
            else:
                yield value
        self._check_stop()

    def _confirmed(self, step: _Step) -> bool:
        """Ask the client's host, and wait: a client without one never answers, until it stops the pipeline."""
        self._shell.ask(
            self.id,
            "Confirm",
            "Are you sure you want to perform this action?\n"
            f'Performing the operation "{step.name}" on target "{step.target}".',
        )
        answer = self._answers.get()
        self._check_stop()
        return answer in (_YES, _YES_TO_ALL)

    def _error(self, error: ErrorInfo) -> None:
        self._shell.emit(self.id, PSRPMessageType.ErrorRecord, error_record(error))

    def _check_stop(self) -> None:
        if self._stopping.is_set():
            raise _Stopped


class _Stopped(Exception):
    """The client has stopped the pipeline."""


class _Step:
    """One bound command of a statement. Raises CmdletFailed where it does not bind."""

    def __init__(self, shell: PythonShell, command: Command, *, piped: bool) -> None:
        session, backend = shell.session, shell.backend
        self._session = session
        self._backend = backend
        self._imported = shell.imported
        self._bound: Mapping[str, Any] = {}
        arguments = [(name, from_wire(value)) for name, value in command.parameters]
        if command.is_script:
            self._script(str(command.command_text), arguments)
            return
        text = str(command.command_text)
        self._load(session.law, text)
        self.name, self._bound = session.law.bind(session.endpoint, text, arguments, piped=piped)
        self._parameters = {k: v for k, v in self._bound.items() if k not in COMMON and k not in SHOULD_PROCESS}
        if self.name in selection.HELPERS:
            self._call: Callable[[tuple[Any, ...]], Iterable[Any]] = self._help
        elif self.name in backend.commands(session.endpoint):
            self._call = self._invoke
        else:
            raise CmdletFailed(_not_in_lab(self.name))
        signature = session.law.signature(session.endpoint, self.name)
        self._should_process = signature is not None and signature.should_process

    def _load(self, law: Law, text: str) -> None:
        """The module of a command is loaded at its first use; by PowerShell 2.0 not: there the command is unknown."""
        signature = law.signature(self._session.endpoint, text)
        if signature is not None and signature.module:
            if law.powershell == "2.0" and signature.module.lower() not in self._imported:
                raise CmdletFailed(not_found(text))
            self._imported.add(signature.module.lower())

    def _script(self, text: str, arguments: Sequence[tuple[str | None, Any]]) -> None:
        if self._session.endpoint == "exchange":
            raise CmdletFailed(_no_language(text))
        self.name = ""
        self._digest = hashlib.sha256(text.replace("\r\n", "\n").encode("utf-8")).hexdigest()
        # A script has no signature here: positions are kept as their numbers.
        self._parameters = {name or str(number): value for number, (name, value) in enumerate(arguments)}
        self._should_process = False
        self._call = self._twin

    @property
    def what_if(self) -> bool:
        return self._bound.get("WhatIf") is True

    @property
    def asks(self) -> bool:
        if not self._should_process:
            return False
        confirm = self._bound.get("Confirm")
        by_itself = self._session.endpoint == "exchange" and self.name.split("-")[0] in ASKING_VERBS
        return confirm is True or (confirm is None and by_itself)

    @property
    def target(self) -> str:
        return str(next((self._bound[name] for name in ("Identity", "Name") if name in self._bound), ""))

    def preference(self, name: str) -> str:
        return str(self._bound.get(name, "Continue"))

    def run(self, passed: tuple[Any, ...]) -> Iterator[Any]:
        try:
            yield from self._call(passed)
        except (CmdletFailed, GeneratorExit):
            raise
        except Exception as error:
            log.exception("the lab's %s failed", self.name or "script")
            raise CmdletFailed(_broken(self.name, error)) from error

    def _invoke(self, passed: tuple[Any, ...]) -> Iterable[Any]:
        session = self._session
        for path in (*_texts(self._parameters.get("Path")), *_texts(self._parameters.get("LiteralPath"))):
            if path.lower().startswith("iis:") and "webadministration" not in self._imported:
                return [NonTerminating(_no_drive(self.name))]
        output = self._backend.invoke(
            session.server, session.endpoint, session.user, self.name, self._parameters, passed
        )
        return output if self.name != "Import-Module" else self._import(output)

    def _import(self, output: Iterable[Any]) -> Iterator[Any]:
        failed = set()
        for value in output:
            if isinstance(value, NonTerminating):
                failed.add(str(value.error.target).lower())
            yield value
        self._imported |= {name.lower() for name in _texts(self._parameters.get("Name"))} - failed

    def _twin(self, passed: tuple[Any, ...]) -> Iterable[Any]:
        return self._backend.script(self._session.server, self._session.user, self._digest, self._parameters)

    def _help(self, passed: tuple[Any, ...]) -> Iterable[Any]:
        return selection.HELPERS[self.name](self._parameters, passed)


def _statements(commands: Iterable[Command]) -> Iterator[list[Command]]:
    statement: list[Command] = []
    for command in commands:
        statement.append(command)
        if command.end_of_statement:
            yield statement
            statement = []
    if statement:
        yield statement


def _texts(value: Any) -> list[str]:
    """The texts of a parameter that takes one or several."""
    return [str(item) for item in value] if isinstance(value, list | tuple) else [] if value is None else [str(value)]


def _no_drive(name: str) -> ErrorInfo:
    """What a path of IIS: is to an engine that has not loaded the module of that drive."""
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
        f"The lab does not answer {name}: this version has it, the simulation has not.",
        "System.NotImplementedException",
        f"NotInLab,{name}",
        "NotImplemented",
        activity=name,
    )


def _broken(name: str, error: Exception) -> ErrorInfo:
    return ErrorInfo(
        f"The lab itself failed: {type(error).__name__}: {error}",
        "System.InvalidOperationException",
        f"LabFailed,{name or 'script'}",
        "InvalidResult",
        activity=name,
    )


_NO_METADATA = ErrorInfo(
    "The lab gives no command metadata.", "System.NotImplementedException", "NotInLab", "NotImplemented"
)
