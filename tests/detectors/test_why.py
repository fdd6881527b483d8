"""Why somebody is no finding, and the one change that would make him one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from easops.detectors import DETECTORS
from easops.detectors.contact_sync_storm import detect_in_files
from easops.detectors.finding import Detection, Looked, Measurement
from easops.detectors.why import explain
from easops.parameter import check_all
from easops.remoting.unreachable import Unreachable

STORM = DETECTORS["contact_sync_storm"]
CASES = Path(__file__).parents[1] / "data" / "cases"


def detect(estate: Any, **values: Any) -> Detection:
    return STORM.detect(estate.hosts, check_all(STORM.parameters, values), estate.context)


@pytest.mark.parametrize(
    ("lines", "change", "value"),
    [
        pytest.param({"rpc": 1900, "client": 400}, "threshold=1899", {"threshold": 1899}, id="a lower threshold"),
        pytest.param({"rpc": 3000, "attempts": 2}, "attempts=2", {"attempts": 2}, id="fewer attempts"),
    ],
)
def test_that_one_change_flips_the_verdict_and_less_does_not(
    estate: Any, flood: Callable[..., list[Any]], lines: dict[str, Any], change: str, value: dict[str, Any]
) -> None:
    estate.mailbox("laura", contacts=450)
    number = lines.pop("attempts", 12)
    estate.add("EX1", *flood(**lines)[:number])

    (before,) = explain([detect(estate)], "laura@contoso.example")
    (after,) = explain([detect(estate, **value)], "laura")

    assert (before.found, before.change, after.found) == (False, change, True)
    assert [check.passed for check in before.checks].count(False) == 1
    (name, number_) = next(iter(value.items()))
    assert not detect(estate, **{name: number_ + 1}).found


def test_what_no_parameter_can_change_has_no_change() -> None:
    detection = detect_in_files([CASES / "a-innocent-import-ended"], check_all(STORM.parameters, {}))

    (explanation,) = explain([detection], "appl1")

    assert (explanation.subject, explanation.found, explanation.change) == ("CONTOSO\\laura", False, "")
    assert [check.what for check in explanation.checks if not check.passed] == ["the same contacts again", "it goes on"]


def test_a_finding_is_explained_by_its_checks() -> None:
    detection = detect_in_files([CASES / "a-guilty-29-min"], check_all(STORM.parameters, {}))

    (explanation,) = explain([detection], "laura")

    assert explanation.found
    assert all(check.passed for check in explanation.checks)


def test_of_whom_nothing_was_read_it_says_what_was_read() -> None:
    looked = (Looked("EX1", 1, 1200, 900, None, None),)

    (explanation,) = explain([Detection("x", looked=looked)], "nobody")

    assert explanation.reason == "nothing of nobody that could count is in what was read (EX1: 900 ActiveSync requests)"


@pytest.mark.parametrize(("value", "change"), [(57.04, "above=57.0"), (57.0, "above=56.9"), (0.0, "")])
def test_a_figure_below_its_limit_names_the_limit_that_would_find_it(value: float, change: str) -> None:
    detection = Detection("x", measurements=(Measurement("EX1", "pool", value, "percent", 60.0),), judged=("EX1",))

    (explanation,) = explain([detection], "ex1")

    assert (explanation.found, explanation.change) == (False, change)
    assert not change or value > float(change.partition("=")[2])


def test_a_host_without_a_verdict_is_told_with_its_reason() -> None:
    lost = Unreachable("EX2", "EX2 does not answer", "no route")

    (explanation,) = explain([Detection("x", unreachable=(lost,))], "EX2")

    assert explanation.reason == "not judged: EX2 does not answer: no route"
