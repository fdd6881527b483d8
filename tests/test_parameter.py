from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easops.parameter import Kind, Parameter, ParameterError, check_all, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("1h30m", 5400), ("2d", 172800), ("1.5h", 5400), ("1h 5m", 3900)]
)
def test_a_duration_is_numbers_with_units(text: str, seconds: int) -> None:
    assert parse_duration(text) == dt.timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "90", "s", "1x", "1h-5m", "ten minutes", "1hm"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ParameterError):
        parse_duration(text)


@pytest.mark.parametrize("value", ["36501d", "9999999d", "9" * 400 + "d", dt.timedelta.max])
def test_a_duration_that_would_leave_the_calendar_is_refused(value: str | dt.timedelta) -> None:
    with pytest.raises(ParameterError, match="is too long for a duration: the longest is 36500d"):
        Parameter("x", "duration").check(value)


@given(st.integers(min_value=0, max_value=10**8))
def test_a_duration_reads_back_as_it_was_written(seconds: int) -> None:
    span = dt.timedelta(seconds=seconds)
    assert parse_duration(format_duration(span)) == span


@pytest.mark.parametrize(
    ("kind", "value", "checked"),
    [
        ("integer", "2000", 2000),
        ("number", "1.5", 1.5),
        ("boolean", "yes", True),
        ("list", "a, b", ("a", "b")),
        ("list", ["a"], ("a",)),
        ("duration", "1h", dt.timedelta(hours=1)),
    ],
)
def test_a_value_given_as_text_gets_its_kind(kind: Kind, value: Any, checked: Any) -> None:
    assert Parameter("x", kind).check(value) == checked


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("integer", "two"),
        ("integer", True),
        ("integer", 1.5),
        ("number", "x"),
        ("number", None),
        ("text", 5),
        ("text", "  "),
        ("boolean", 1),
        ("list", 5),
        ("duration", 60),
        ("result", "storm"),
    ],
)
def test_a_value_of_another_kind_is_refused(kind: Kind, value: Any) -> None:
    with pytest.raises(ParameterError):
        Parameter("x", kind).check(value)


def test_a_choice_is_one_of_its_choices() -> None:
    choice = Parameter("x", "choice", choices=("a", "b"))
    assert choice.check("a") == "a"
    with pytest.raises(ParameterError, match="none of a, b"):
        choice.check("c")


def test_a_minimum_holds() -> None:
    with pytest.raises(ParameterError, match="below 1"):
        Parameter("x", "integer", minimum=1).check(0)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("59s", "'59s' is below 1m, the least that x can be"),
        ("2h", "'2h' is above 1h, the most that x can be"),
        (dt.timedelta(hours=2), "2h is above 1h, the most that x can be"),
    ],
)
def test_the_bounds_of_a_duration_hold(value: str | dt.timedelta, told: str) -> None:
    with pytest.raises(ParameterError, match=told):
        Parameter("x", "duration", minimum=60, maximum=3600).check(value)


def test_all_parameters_come_with_their_defaults_and_no_other_is_taken() -> None:
    parameters = (Parameter("a", "integer"), Parameter("b", "text", default="x"), Parameter("c", "list", default=None))
    assert check_all(parameters, {"a": "1"}) == {"a": 1, "b": "x", "c": None}
    with pytest.raises(ParameterError, match="there is no parameter 'z'"):
        check_all(parameters, {"a": 1, "z": 1})
    with pytest.raises(ParameterError, match="a is missing"):
        check_all(parameters, {})
