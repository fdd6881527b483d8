from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from easops.parameter import Kind, Parameter, ParameterError, check_all


@pytest.mark.parametrize("value", ["36501d", "9999999d", "9" * 400 + "d", dt.timedelta.max])
def test_a_duration_that_would_leave_the_calendar_is_refused(value: str | dt.timedelta) -> None:
    with pytest.raises(ParameterError, match="is too long: the longest duration is 36500d"):
        Parameter("x", "duration").check(value)


@pytest.mark.parametrize(
    ("kind", "value", "checked"),
    [
        ("integer", "2000", 2000),
        ("number", "1.5", 1.5),
        ("boolean", "yes", True),
        ("list", "a, b", ("a", "b")),
        ("list", ["a"], ("a",)),
        ("list", '"Brandt, Laura", mueller', ("Brandt, Laura", "mueller")),
        ("list", 'O"Neill, "a ""b"""', ('O"Neill', 'a "b"')),
        ("list", " , ,", ()),
        ("duration", "1h", dt.timedelta(hours=1)),
    ],
)
def test_a_text_is_converted_to_the_kind_of_its_parameter(kind: Kind, value: Any, checked: Any) -> None:
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
        ("list", '"Brandt, Laura'),
        ("list", '"Brandt, Laura" x'),
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
    with pytest.raises(ParameterError, match="not one of a, b"):
        choice.check("c")


def test_a_value_below_the_minimum_is_refused() -> None:
    with pytest.raises(ParameterError, match="below 1"):
        Parameter("x", "integer", minimum=1).check(0)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("59s", "'59s' is below 1m, the minimum of x"),
        ("2h", "'2h' is above 1h, the maximum of x"),
        (dt.timedelta(hours=2), "2h is above 1h, the maximum of x"),
    ],
)
def test_a_duration_outside_its_bounds_is_refused(value: str | dt.timedelta, expected: str) -> None:
    with pytest.raises(ParameterError, match=expected):
        Parameter("x", "duration", minimum=60, maximum=3600).check(value)


def test_missing_parameters_get_their_defaults_and_unknown_ones_are_refused() -> None:
    parameters = (Parameter("a", "integer"), Parameter("b", "text", default="x"), Parameter("c", "list", default=None))
    assert check_all(parameters, {"a": "1"}) == {"a": 1, "b": "x", "c": None}
    with pytest.raises(ParameterError, match="there is no parameter 'z'"):
        check_all(parameters, {"a": 1, "z": 1})
    with pytest.raises(ParameterError, match="a is missing"):
        check_all(parameters, {})
