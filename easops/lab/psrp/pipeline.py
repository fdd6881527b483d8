"""One pipeline over the wire: its input, its prompts, and the thread that runs its statements."""

from __future__ import annotations

import logging
import queue
import threading
import uuid
from typing import Any, Protocol

from psrpcore import (
    Command,
    EndOfPipelineInputEvent,
    PipelineHostResponseEvent,
    PipelineInputEvent,
)
from psrpcore.types import PSRPMessageType

from easops.lab.psrp.backend import Backend, Session
from easops.lab.psrp.bound_command import BoundCommand
from easops.lab.psrp.clixml import from_wire
from easops.lab.psrp.create_pipeline import CreatePipeline
from easops.lab.psrp.error_record import error_record, state_message, stopped, warning_message
from easops.lab.psrp.statements import Statements
from easops.lab.value import ErrorInfo

log: logging.Logger = logging.getLogger(__name__)

YES, YES_TO_ALL = 0, 1
"""The choices of a confirmation prompt that let the command run."""


class Pool(Protocol):
    """What a pipeline needs of its runspace pool."""

    session: Session
    backend: Backend
    imported: set[str]

    def send(self, pipeline: uuid.UUID | None, kind: PSRPMessageType, value: Any) -> None: ...

    def prompt(self, pipeline: uuid.UUID, caption: str, text: str) -> int: ...

    def take_runspace(self, stopping: threading.Event) -> bool: ...

    def finish(self, pipeline: uuid.UUID, *, has_runspace: bool) -> None: ...


class Pipeline:
    """What one CREATE_PIPELINE message asks for. *ended* is set when its last message has been sent."""

    def __init__(self, pool: Pool, created: CreatePipeline) -> None:
        self.id: uuid.UUID = created.pipeline_id
        self.statements: list[list[Command]] = created.statements
        self.ended: threading.Event = threading.Event()
        self._pool = pool
        self._started = False
        self._stopping = threading.Event()
        self._choices: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._input: list[Any] = []
        self._input_complete = threading.Event()
        self._takes_input = not created.no_input
        if not self._takes_input:
            self._input_complete.set()

    @property
    def cmdlets(self) -> tuple[str, ...]:
        """The names of its cmdlets as sent; a script has an empty one."""
        return tuple(
            "" if command.is_script else command.command_text for statement in self.statements for command in statement
        )

    def start(self) -> None:
        self._started = True
        threading.Thread(target=self._run, name=f"pipeline {self.id}", daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()
        self._input_complete.set()
        self._choices.put(None)
        if not self._started:
            self.ended.set()

    def handle(self, event: Any) -> None:
        """Take an input object, the end of the input, or the client's choice in a prompt."""
        match event:
            case PipelineInputEvent():
                self._input.append(from_wire(event.data))
            case EndOfPipelineInputEvent():
                self._input_complete.set()
            case PipelineHostResponseEvent():
                self._choices.put(event.result if isinstance(event.result, int) else None)

    def _run(self) -> None:
        has_runspace = self._pool.take_runspace(self._stopping)
        failure = None
        try:
            if has_runspace:
                self._input_complete.wait()
                failure = self._statements().run()
            self.check_stop()
            state = state_message("Failed", failure) if failure else state_message("Completed")
        except _Stopped:
            state = state_message("Stopped", stopped())
        except Exception as error:  # for instance a value that cannot be written: the client must not wait for ever
            log.exception("a pipeline of the lab failed")
            state = state_message("Failed", _failed(error))
        try:
            self._pool.send(self.id, PSRPMessageType.PipelineState, state)
        finally:
            self._pool.finish(self.id, has_runspace=has_runspace)
            self.ended.set()

    def _statements(self) -> Statements:
        pool = self._pool
        piped = self._input if self._takes_input else None
        return Statements(pool.session, pool.backend.new_pipeline(), pool.imported, self.statements, piped, self)

    # Called by the statements, as they run: what they give is sent to the client.

    def output(self, value: Any) -> None:
        self._pool.send(self.id, PSRPMessageType.PipelineOutput, value)

    def error(self, error: ErrorInfo) -> None:
        self._pool.send(self.id, PSRPMessageType.ErrorRecord, error_record(error))

    def warning(self, text: str) -> None:
        self._pool.send(self.id, PSRPMessageType.WarningRecord, warning_message(text))

    def confirms(self, command: BoundCommand) -> bool:
        """Ask the client's host and wait. A client without a host never answers; the wait ends when it stops the
        pipeline."""
        self._pool.prompt(
            self.id,
            "Confirm",
            "Are you sure you want to perform this action?\n"
            f'Performing the operation "{command.name}" on target "{command.target}".',
        )
        choice = self._choices.get()
        self.check_stop()
        return choice in (YES, YES_TO_ALL)

    def check_stop(self) -> None:
        if self._stopping.is_set():
            raise _Stopped


def _failed(error: Exception) -> ErrorInfo:
    text = f"The lab itself failed: {type(error).__name__}: {error}"
    return ErrorInfo(text, "System.InvalidOperationException", "LabFailed", "InvalidOperation")


class _Stopped(Exception):
    """The client has stopped the pipeline."""
