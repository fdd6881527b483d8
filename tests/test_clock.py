from __future__ import annotations

import pytest

from easops.clock import Waiting, lasted


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (119.4, "119 s"), (120, "2 min")]
)
def test_a_time_has_the_unit_that_suits_it(seconds: float, text: str) -> None:
    assert lasted(seconds) == text


def test_a_wait_says_how_long_it_has_lasted_and_how_long_it_may_last() -> None:
    assert Waiting("EX1: it is ending", 0.0, 120) == "EX1: it is ending (at most 2 min)"
    assert Waiting("EX1: it is ending", 12, 120) == "EX1: it is ending (12 s of at most 2 min)"
    assert Waiting("waiting for run R", 12) == "waiting for run R (12 s)"
    assert Waiting("waiting for run R", 0.2) == "waiting for run R"


def test_the_texts_of_one_wait_are_about_the_same_thing() -> None:
    early, late = Waiting("EX1: 1 min has passed", 60, about="EX1"), Waiting("EX1: 2 min have passed", 120, about="EX1")
    assert (early.about, late.about) == ("EX1", "EX1")
    assert Waiting("EX1: it is ending", 3).about == "EX1: it is ending"
