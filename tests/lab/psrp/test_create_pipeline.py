"""The lab's own reading of the messages that create pipelines, against psrpcore's."""

from __future__ import annotations

import uuid
from typing import Any
from unittest.mock import patch
from xml.etree import ElementTree

import pytest
from psrpcore import Command, CreatePipelineEvent, PowerShell
from psrpcore.types import PSRPMessageType, PSVersion, SessionCapability, deserialize, serialize
from pypsrp.powershell import PowerShell as Client
from pypsrp.powershell import RunspacePool
from pypsrp.serializer import TaggedValue
from pypsrp.wsman import WSMan

from easops.lab.psrp.clixml import from_wire
from easops.lab.psrp.create_pipeline import CreatePipeline, read_create_pipeline

ID = uuid.UUID(int=7)
CIPHER: Any = None  # for secure strings, of which there are none here
SIMPLE: dict[str, list[list[tuple[str, dict[str | None, Any]]]]] = {
    "a cmdlet": [[("Get-Mailbox", {"Identity": "laura", "ResultSize": 5, "Archive": True, "Database": None})]],
    "texts that need escapes": [[("Get-Mailbox", {"Identity": "_x0041_ <&> \r\n\t ü 漢 \U0001f600 ''"})]],
    "numbers": [[("Get-Range", {"Offset": TaggedValue("I64", 2**40), "Length": -1, "Share": TaggedValue("Db", 0.5)})]],
    "a pipeline": [[("Get-Mailbox", {}), ("Select-Object", {"First": 3})]],
    "statements": [
        [("Import-Module", {"Name": "WebAdministration"})],
        [("Get-Item", {"Path": "IIS:\\"}), ("Select-Object", {})],
        [("Get-Date", {})],
    ],
    "a list": [[("Select-Object", {"Property": ["Name", "Guid", 3, None, ["a"]]})]],
    "an argument without a name": [[("Get-Mailbox", {None: "laura"})]],
}
OTHERS: dict[str, list[list[tuple[str, dict[str | None, Any]]]]] = {
    "a table": [[("Set-Thing", {"Values": {"a": 1}})]],
    "a list with a table in it": [[("Set-Thing", {"Values": ["a", {"a": 1}]})]],
}


def message(statements: list[list[tuple[str, dict[str | None, Any]]]]) -> bytes:
    """The message that pypsrp sends."""
    sent: list[bytes] = []
    pool = RunspacePool(WSMan("server", auth="basic", username="u", password="p"))
    pool.protocol_version, pool.ps_version = "2.3", "5.1"
    shell = Client(pool)
    for number, statement in enumerate(statements):
        if number:
            shell.add_statement()
        for name, parameters in statement:
            shell.add_cmdlet(name)
            for parameter, value in parameters.items():
                shell.add_argument(value) if parameter is None else shell.add_parameter(parameter, value)

    def fragment(data: Any, *more: Any) -> Any:
        element = pool._fragmenter.serializer.serialize(data)
        assert element is not None
        sent.append(ElementTree.tostring(element))
        raise InterruptedError

    with patch.object(pool._fragmenter, "fragment", fragment), pytest.raises(InterruptedError):
        shell.begin_invoke()
    return sent[0]


def as_psrpcore_reads(data: bytes) -> CreatePipeline:
    message: Any = deserialize(ElementTree.fromstring(data), CIPHER)
    event = CreatePipelineEvent(PSRPMessageType.CreatePipeline, message, uuid.UUID(int=1), ID)
    return CreatePipeline.of(event.pipeline_id, event.pipeline)


def told(pipeline: CreatePipeline) -> Any:
    commands = [[told_command(command) for command in statement] for statement in pipeline.statements]
    return pipeline.pipeline_id, pipeline.no_input, commands


def told_command(command: Command) -> Any:
    parameters = [(name, from_wire(value)) for name, value in command.parameters]
    return command.command_text, command.is_script, command.use_local_scope, parameters


@pytest.mark.parametrize("statements", SIMPLE.values(), ids=SIMPLE)
def test_a_simple_message_is_read_as_psrpcore_reads_it(statements: Any) -> None:
    data = message(statements)
    read = read_create_pipeline(ID, data)
    assert read is not None
    assert told(read) == told(as_psrpcore_reads(data))
    assert [[(command.command_text, len(command.parameters)) for command in part] for part in read.statements] == [
        [(name, len(parameters)) for name, parameters in part] for part in statements
    ]


@pytest.mark.parametrize("statements", OTHERS.values(), ids=OTHERS)
def test_any_other_message_is_left_to_psrpcore(statements: Any) -> None:
    data = message(statements)
    assert read_create_pipeline(ID, data) is None
    assert len(as_psrpcore_reads(data).statements) == 1


def test_a_script_and_input_are_read_from_a_client_that_is_not_pypsrp() -> None:
    powershell = PowerShell(no_input=False)
    powershell.commands = [Command("throw 'x'", is_script=True, use_local_scope=True)]
    capability = SessionCapability(
        PSVersion=PSVersion("2.0"), protocolversion=PSVersion("2.3"), SerializationVersion=PSVersion("1.1.0.1")
    )
    data = ElementTree.tostring(serialize(powershell, CIPHER, their_capability=capability))
    read = read_create_pipeline(ID, data)
    assert read is not None
    assert told(read) == told(as_psrpcore_reads(data)) == (ID, False, [[("throw 'x'", True, True, [])]])
