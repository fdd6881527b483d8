from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easops.duration import DurationError, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("1h30m", 5400), ("2d", 172800), ("1.5h", 5400), ("1h 5m", 3900)]
)
def test_a_duration_is_numbers_with_units(text: str, seconds: int) -> None:
    assert parse_duration(text) == dt.timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "90", "s", "1x", "1h-5m", "ten minutes", "1hm"])
def test_a_text_that_is_not_a_duration_is_refused(text: str) -> None:
    with pytest.raises(DurationError):
        parse_duration(text)


@given(st.integers(min_value=0, max_value=10**8))
def test_a_duration_can_be_read_back_after_it_was_written(seconds: int) -> None:
    span = dt.timedelta(seconds=seconds)
    assert parse_duration(format_duration(span)) == span
