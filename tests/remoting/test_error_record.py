"""PowerShell error records off the wire: which value each becomes, and what the error of the call says."""

from __future__ import annotations

from typing import Any

import pytest
from pypsrp.complex_objects import ErrorRecord as WireErrorRecord
from pypsrp.complex_objects import GenericComplexObject

from easops.errors import ErrorRecord
from easops.remoting.error_record import command_failed, read_records


def on_the_wire(**properties: Any) -> WireErrorRecord:
    """An error record as pypsrp decodes it."""
    record = WireErrorRecord()  # type: ignore[no-untyped-call]
    for name, value in properties.items():
        setattr(record, name, value)
    return record


def exception(types: tuple[str, ...] = (), **properties: Any) -> GenericComplexObject:
    serialized = GenericComplexObject()
    serialized.types = list(types)
    for name, value in properties.items():
        setattr(serialized, name, value)
    return serialized


NOT_FOUND = "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException"


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (
            on_the_wire(
                message="as a whole",
                details_message="in detail",
                reason="ManagementObjectNotFoundException",
                category=13,
                fq_error="6B6149EC,GetMailbox",
                activity="Get-Mailbox",
            ),
            ErrorRecord(
                "in detail",
                "ObjectNotFound",
                "6B6149EC,GetMailbox",
                "ManagementObjectNotFoundException",
                "Get-Mailbox",
            ),
        ),
        (
            on_the_wire(exception=exception((NOT_FOUND, "System.Exception"), adapted_properties={"Message": "no x"})),
            ErrorRecord("no x", exception="ManagementObjectNotFoundException"),
        ),
        (
            on_the_wire(exception=exception(extended_properties={"Message": "no y"})),
            ErrorRecord("no y"),
        ),
        (on_the_wire(exception=exception(to_string="no z")), ErrorRecord("no z")),
        (on_the_wire(message="as a whole", fq_error="Id"), ErrorRecord("as a whole", fqid="Id")),
        (on_the_wire(fq_error="Id"), ErrorRecord("Id", fqid="Id")),
        (on_the_wire(category=99), ErrorRecord("no message")),
        (on_the_wire(category="ObjectNotFound"), ErrorRecord("no message")),
    ],
    ids=[
        "whole",
        "only an exception, adapted properties",
        "only an exception, extended properties",
        "only an exception, as text",
        "only a message",
        "only an id",
        "a category that PowerShell does not have",
        "a category that is not a number",
    ],
)
def test_a_record_has_the_most_detailed_text_that_the_server_sent(record: Any, expected: ErrorRecord) -> None:
    assert read_records([record], failed=False) == (expected,)


def test_only_the_last_record_of_a_failed_pipeline_ended_it() -> None:
    first, last = on_the_wire(message="a"), on_the_wire(message="b")

    assert [record.terminating for record in read_records([first, last], failed=True)] == [False, True]
    assert [record.terminating for record in read_records([first, last], failed=False)] == [False, False]


def test_the_error_names_the_command_and_the_record_that_ended_it() -> None:
    harmless = ErrorRecord("a warning of sorts", command="Import-Module")
    fatal = ErrorRecord(
        "no such pool", exception="ItemNotFoundException", command="Restart-WebAppPool", terminating=True
    )

    failed = command_failed("EX1", "Import-Module; Restart-WebAppPool", (harmless, fatal))

    assert str(failed) == "EX1: Restart-WebAppPool was refused: ItemNotFoundException: no such pool"
    assert failed.records == (fatal, harmless)


def test_without_an_error_record_the_error_names_the_call() -> None:
    failed = command_failed("EX1", "Get-Date", ())

    assert str(failed) == "EX1: Get-Date was refused: error: the pipeline failed without an error record"
