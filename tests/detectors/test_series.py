from __future__ import annotations

import datetime as dt
import itertools

import pytest

from easops.detectors.finding import Series
from easops.detectors.series import STEPS, series

AT = dt.datetime(2026, 11, 24, 9, 0, tzinfo=dt.UTC)


def after(seconds: float) -> dt.datetime:
    return AT + dt.timedelta(seconds=seconds)


def test_each_value_is_the_sum_of_its_minute() -> None:
    counted = [(after(0), 5), (after(59), 1), (after(120), 2)]
    assert series("EX1", "x", "RPC", counted, AT, after(180)) == Series("EX1", "x", "RPC", AT, 60, (6, 0, 2))


def test_a_minute_that_was_observed_only_in_part_is_left_out() -> None:
    counted = [(after(30), 1), (after(70), 2), (after(150), 4)]
    found = series("EX1", "x", "RPC", counted, after(10), after(179))
    assert found == Series("EX1", "x", "RPC", after(60), 60, (2,))


def test_less_than_a_whole_minute_makes_no_series() -> None:
    assert series("EX1", "x", "RPC", [(after(30), 1)], after(1), after(119)) is None
    assert series("EX1", "x", "RPC", [], after(90), after(10)) is None


@pytest.mark.parametrize(
    ("hours", "step"), [(1, 60), (5, 60), (6, 300), (25, 300), (72, 900), (24 * 12, 3600), (24 * 30, 14_400)]
)
def test_a_long_window_has_longer_steps(hours: int, step: int) -> None:
    found = series("EX1", "x", "RPC", [(after(3600 * hours - 1), 1)], AT, after(3600 * hours))
    assert found is not None
    assert found.step == step
    assert len(found.values) <= 300
    assert found.values[-1] == 1 or found.start + dt.timedelta(seconds=step * len(found.values)) < after(3600 * hours)


def test_series_of_one_figure_fit_on_one_axis() -> None:
    assert all(later % earlier == 0 for earlier, later in itertools.pairwise(STEPS))
