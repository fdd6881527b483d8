from __future__ import annotations

from easops.readings import READINGS
from easops.readings.take import ReadingResult, Row
from easops.report.terminal.text import reading_lines

from ..samples import LOST

CAS = READINGS["cas-mailbox"]


def test_a_single_row_that_is_too_wide_is_shown_a_value_a_line() -> None:
    values = ("laura.brandt@contoso.example", "ams-ex01", True, None, 5204, (), ("a", "b"))
    values_ = dict(zip(CAS.columns, values, strict=True))
    lines = reading_lines(ReadingResult(CAS, (Row(None, tuple(values_[name] for name in CAS.columns)),)), 80)
    assert lines[0].split() == ["user", "laura.brandt@contoso.example"]
    assert len(lines) == len(CAS.columns)
    assert len(reading_lines(ReadingResult(CAS, (Row(None, values),)), 200)) == 2
    assert len(reading_lines(ReadingResult(CAS, (Row(None, values),)))) == 2, (
        "off a terminal one row is one line, as many are"
    )


def test_a_host_that_gave_no_answer_is_named_with_what_to_do() -> None:
    assert reading_lines(ReadingResult(READINGS["sites"], (), LOST.unreachable)) == [
        "unreachable: EX2 is not there: no route",
        "  next: start it",
    ]
