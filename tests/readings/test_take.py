"""One host that cannot be read hides no other, and what was not read is said and counts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest

from easops.context import Context
from easops.errors import BadInput, CommandFailed, EasopsError, UnexpectedAnswer
from easops.inventory.load import load_inventory
from easops.readings.reading import Reading, Rows
from easops.readings.take import NotRead, ReadingResult, take
from easops.report import FORMATS
from easops.status import Status

REFUSED = CommandFailed("AMS-EX01: Get-Thing failed", "access is denied", "use an account of the administrators")


@attrs.frozen
class Thing:
    name: str


def reading(first: EasopsError | str) -> Reading:
    """Things of each server; on AMS-EX01 *first* is raised, or is what of them could not be read."""

    def read(values: Mapping[str, Any], host: str | None, context: Context) -> Any:
        if host != "AMS-EX01":
            return [Thing("one")]
        if isinstance(first, EasopsError):
            raise first
        return Rows([Thing("two")], first)

    return Reading("things", "Things", "server", ("name",), read)


def taken(lab: Path, first: EasopsError | str) -> ReadingResult:
    return take(reading(first), {}, load_inventory(lab).hosts)


@pytest.mark.parametrize("error", [REFUSED, UnexpectedAnswer("an odd answer", "it has no rows")])
def test_a_host_whose_reading_fails_is_said_and_the_others_are_shown(calm: Path, error: EasopsError) -> None:
    result = taken(calm, error)
    assert [(row.host, row.values) for row in result.rows] == [("AMS-EX02", ("one",))]
    assert result.not_read == (NotRead("AMS-EX01", error.with_next_step),)
    assert (result.status, result.exit_code) == (Status.UNDETERMINED, 6)
    text = FORMATS["text"].reading(result)
    assert "one" in text
    assert "not read: AMS-EX01: " in text
    document = json.loads(FORMATS["json"].reading(result))
    assert document["not_read"] == [{"host": "AMS-EX01", "why": error.with_next_step}]
    assert document["exit_code"] == 6


def test_a_part_that_could_not_be_read_is_said_beside_the_rows(calm: Path) -> None:
    result = taken(calm, "3 more things")
    assert sorted(row.values for row in result.rows) == [("one",), ("two",)]
    assert (result.not_read, result.exit_code) == ((NotRead("AMS-EX01", "3 more things"),), 6)


def test_bad_input_is_raised(calm: Path) -> None:
    with pytest.raises(BadInput):
        taken(calm, BadInput("there is no such pool"))
