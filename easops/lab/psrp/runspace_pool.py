"""A runspace pool without a PowerShell: the server's half of PSRP, with pipelines that run in Python.

There is no language here: a pipeline calls cmdlets, and a script is recognised by its digest or refused.
"""

from __future__ import annotations

import itertools
import threading
import uuid
from collections.abc import Iterator
from typing import Any

from psrpcore import (
    EndOfPipelineInputEvent,
    GetAvailableRunspacesEvent,
    GetCommandMetadataEvent,
    PipelineHostResponseEvent,
    PipelineInputEvent,
    PSRPPayload,
    ResetRunspaceStateEvent,
    SetMaxRunspacesEvent,
    SetMinRunspacesEvent,
    StreamType,
)
from psrpcore.types import ChoiceDescription, HostMethodIdentifier, PSRPMessageType

from easops.lab.psrp.backend import Backend, Outlet, Session
from easops.lab.psrp.clixml import to_clixml
from easops.lab.psrp.create_pipeline import CreatePipeline
from easops.lab.psrp.error_record import state_message
from easops.lab.psrp.fragment import FRAGMENT, fragments
from easops.lab.psrp.pipeline import YES, Pipeline
from easops.lab.psrp.server_pool import ServerPool
from easops.lab.value import ErrorInfo

_NO_METADATA = ErrorInfo(
    "The lab gives no command metadata.", "System.NotImplementedException", "NotInLab", "NotImplemented"
)


class RunspacePool:
    """One runspace pool. ``receive``, ``stop`` and ``close`` are called from one thread, the event loop's; each
    pipeline runs in a thread of its own, as many at a time as the pool has runspaces.

    *imported* are the modules, in lower case, that its commands have loaded. A real pool has them per runspace; that
    difference is not simulated.
    """

    def __init__(self, session: Session, backend: Backend, outlet: Outlet) -> None:
        self.session = session
        self.backend = backend
        self.imported: set[str] = set()
        self._outlet = outlet
        self._object_ids = itertools.count(1)
        self._protocol = ServerPool(self._send_message, session.signatures.powershell)
        self._pipelines: dict[uuid.UUID, Pipeline] = {}
        self._runspaces = threading.Condition()
        self._busy = 0

    def receive(self, data: bytes) -> list[Pipeline]:
        """Read fragments; returns the pipelines that are complete now, for the caller to ``start``.

        Raises:
            ValueError: the fragments are not PSRP.
        """
        complete = []
        for event in self._events(data):
            if isinstance(event, CreatePipeline):
                pipeline = Pipeline(self, event)
                self._pipelines[pipeline.id] = pipeline
                complete.append(pipeline)
            else:
                self._handle(event)
        return complete

    def _events(self, data: bytes) -> Iterator[Any]:
        """What the fragments say. Whatever makes psrpcore stumble is in what the client has sent."""
        try:
            self._protocol.receive_data(PSRPPayload(data, StreamType.default, None))
        except Exception as error:
            raise ValueError(f"not a PSRP message: {error!r}") from error
        while True:
            try:
                event = self._protocol.next_event()
            except Exception as error:
                raise ValueError(f"not a PSRP message: {error!r}") from error
            if event is None:
                return
            yield event

    def _handle(self, event: Any) -> None:
        pool = self._protocol
        match event:
            case PipelineInputEvent() | EndOfPipelineInputEvent() | PipelineHostResponseEvent():
                if pipeline := self._pipelines.get(event.pipeline_id):
                    pipeline.handle(event)
            case GetAvailableRunspacesEvent():
                with self._runspaces:
                    free = max(0, pool.max_runspaces - self._busy)
                pool.runspace_availability_response(event.ci, free)
            case SetMaxRunspacesEvent():
                pool.runspace_availability_response(event.ci, event.count >= max(1, pool.min_runspaces))
                with self._runspaces:
                    self._runspaces.notify_all()
            case SetMinRunspacesEvent():
                pool.runspace_availability_response(event.ci, 1 <= event.count <= pool.max_runspaces)
            case ResetRunspaceStateEvent():
                pool.runspace_availability_response(event.ci, True)
            case GetCommandMetadataEvent():
                self.send(event.pipeline_id, PSRPMessageType.PipelineState, state_message("Failed", _NO_METADATA))
                self._outlet.done(event.pipeline_id)

    def stop(self, pipeline: uuid.UUID) -> threading.Event | None:
        """Ask a pipeline to stop; the event is set when it has stopped. None: no pipeline of that id is running."""
        running = self._pipelines.get(pipeline)
        if running is None:
            return None
        running.stop()
        return running.ended

    def close(self) -> None:
        """Stop every pipeline; nothing is sent any more."""
        for pipeline in list(self._pipelines.values()):
            pipeline.stop()

    # Called by pipelines, from their threads.

    def send(self, pipeline: uuid.UUID | None, kind: PSRPMessageType, value: Any) -> None:
        """Send one of the lab's values as a message of that kind."""
        self._send_message(pipeline, self._protocol.message(kind, to_clixml(value), pipeline))

    def prompt(self, pipeline: uuid.UUID, caption: str, text: str) -> int:
        """Send a confirmation prompt to the client's host; returns the id of the host call."""
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
        return self._protocol.host_call(
            HostMethodIdentifier.PromptForChoice, [caption, text, choices, YES], pipeline_id=pipeline
        )

    def take_runspace(self, stopping: threading.Event) -> bool:
        """Wait for a free runspace; False when the pipeline was stopped meanwhile."""
        with self._runspaces:
            while self._busy >= max(1, self._protocol.max_runspaces):
                if stopping.is_set():
                    return False
                self._runspaces.wait(0.05)
            self._busy += 1
            return True

    def finish(self, pipeline: uuid.UUID, *, has_runspace: bool) -> None:
        """A pipeline has sent its last message."""
        if has_runspace:
            with self._runspaces:
                self._busy -= 1
                self._runspaces.notify_all()
        self._pipelines.pop(pipeline, None)
        self._protocol.pipeline_table.pop(pipeline, None)
        self._outlet.done(pipeline)

    def _send_message(self, pipeline: uuid.UUID | None, message: bytes) -> None:
        self._outlet.send(pipeline, list(fragments(next(self._object_ids), message, FRAGMENT)))
