"""psrpcore's server side of a runspace pool, adapted: it sends messages at once, and accepts the quirks of clients."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import attrs
from psrpcore import (
    CreatePipelineEvent,
    GetCommandMetadataEvent,
    ServerPipeline,
    ServerRunspacePool,
    SessionCapabilityEvent,
    SetMaxRunspacesEvent,
    SetMinRunspacesEvent,
    StreamType,
)
from psrpcore._payload import PSRPMessage
from psrpcore.types import PSObject, PSRPMessageType, PSVersion, add_note_property, serialize

from easops.lab.psrp.create_pipeline import CreatePipeline, read_create_pipeline
from easops.lab.psrp.fragment import message


class ServerPool(ServerRunspacePool):
    """Hands each whole message to *send*: psrpcore's own buffer takes quadratic time to cut it into fragments.

    *powershell* is the version of the engine, ``2.0`` or ``5.1``.
    """

    def __init__(self, send: Callable[[uuid.UUID | None, bytes], None], powershell: str) -> None:
        # PowerShell 2.0 speaks version 2.1 of the protocol, 5.1 speaks 2.3.
        protocol = PSVersion("2.1" if powershell == "2.0" else "2.3")
        version_table = {
            "PSVersion": PSVersion(powershell),
            "PSRemotingProtocolVersion": protocol,
            "SerializationVersion": PSVersion("1.1.0.1"),
        }
        super().__init__({"PSVersionTable": version_table})
        self.our_capability.protocolversion = protocol
        self._runs_all_statements = powershell != "2.0"
        self._send = send

    def prepare_message(
        self,
        message: PSObject | None,
        message_type: PSRPMessageType | None = None,
        pipeline_id: uuid.UUID | None = None,
        stream_type: StreamType = StreamType.default,
    ) -> None:
        assert message is not None  # psrpcore passes None for output only, and the lab sends output by itself
        element = serialize(
            message, self._cipher, our_capability=self.our_capability, their_capability=self.their_capability
        )
        kind = message_type or PSRPMessageType.get_message_id(type(message))
        clixml = ElementTree.tostring(element, encoding="unicode")
        self._send(pipeline_id, self.message(kind, clixml, pipeline_id))

    def message(self, kind: PSRPMessageType, clixml: str, pipeline: uuid.UUID | None) -> bytes:
        """One whole message of this pool, not yet cut into fragments."""
        return message(kind.value, clixml, self.runspace_pool_id, pipeline)

    def _process_SessionCapability(self, event: SessionCapabilityEvent) -> None:
        self.runspace_pool_id: uuid.UUID = event.runspace_pool_id  # before the answer, which has the id in it
        super()._process_SessionCapability(event)

    def _process_SetMaxRunspaces(self, event: SetMaxRunspacesEvent) -> None:
        _alias_ci(event._ps_object)
        super()._process_SetMaxRunspaces(event)

    def _process_SetMinRunspaces(self, event: SetMinRunspacesEvent) -> None:
        _alias_ci(event._ps_object)
        super()._process_SetMinRunspaces(event)

    def _process_message(self, message: PSRPMessage) -> Any:
        """psrpcore's event for a message; for one that creates a pipeline, a CreatePipeline."""
        if message.message_type is not PSRPMessageType.CreatePipeline or message.pipeline_id is None:
            return super()._process_message(message)
        created = read_create_pipeline(message.pipeline_id, bytes(message.data))
        if created is None:
            event = super()._process_message(message)
            assert isinstance(event, CreatePipelineEvent)
            created = CreatePipeline.of(event.pipeline_id, event.pipeline)
        ServerPipeline(self, created.pipeline_id)
        statements = [statement for statement in created.statements if statement]
        # PowerShell 2.0 runs the first statement and silently ignores the others.
        return attrs.evolve(created, statements=statements if self._runs_all_statements else statements[:1])

    def _process_CreatePipeline(self, event: CreatePipelineEvent) -> None:
        # An end-of-statement mark after the last command leaves an empty statement, which psrpcore cannot read.
        extra = getattr(event._ps_object.PowerShell, "ExtraCmds", None)
        if extra is not None:
            extra[:] = [statement for statement in extra if statement.Cmds]

    def _process_GetCommandMetadata(self, event: GetCommandMetadataEvent) -> None:
        pass


def _alias_ci(message: PSObject) -> None:
    """pypsrp writes ``CI`` in the two SetRunspaces messages, .NET and psrpcore ``ci``."""
    if not hasattr(message, "ci"):
        add_note_property(message, "ci", message.CI)
