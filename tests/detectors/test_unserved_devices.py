from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from easops.actions.outcome import Done
from easops.detectors import DETECTORS
from easops.detectors.finding import Detection
from easops.parameter import check_all

UNSERVED = DETECTORS["unserved_devices"]
NOW = dt.datetime(2026, 11, 24, 10, 0, tzinfo=dt.UTC)
FREED = Done("recycle_app_pool", ended={"EX1": NOW - dt.timedelta(minutes=5)}, finished=NOW)


def detect(estate: Any, *lines: Any, after: Done | None = FREED) -> Detection:
    estate.add("EX1", *lines)
    return UNSERVED.detect(estate.hosts, check_all(UNSERVED.parameters, {"after": after}), estate.context)


def test_one_answer_of_200_shows_that_devices_are_served(estate: Any, line: Any) -> None:
    ping = {"command": "Ping", "seconds": 1}
    found = detect(estate, line(200, status=503, **ping), line(100, device="A2", **ping), line(90, device="A2", **ping))

    assert (found.found, found.judged) == (False, ("EX1",))
    assert found.sentences == {
        "EX1": "2 of 3 requests and 1 of 2 devices were answered with status 200 since 09:55:00 UTC"
    }
    assert found.measured("EX1") == 2


def test_devices_that_only_get_errors_are_a_finding(estate: Any, line: Any) -> None:
    found = detect(estate, line(200, status=503, seconds=1), line(100, status=401, seconds=1))
    assert found.hosts == ("EX1",)


@pytest.mark.parametrize(
    "old",
    [
        pytest.param({"started": 400, "seconds": 150}, id="begun before, answered by the old process"),
        pytest.param({"started": 400, "seconds": 1}, id="before"),
        pytest.param({"started": 100, "seconds": 1, "agent": "AMProbe/Local/ClientAccess"}, id="a health probe"),
    ],
)
def test_before_any_device_has_had_an_answer_nothing_is_proved(estate: Any, line: Any, old: dict[str, Any]) -> None:
    found = detect(estate, line(**old))
    assert [(item.subject, item.required) for item in found.undetermined] == [("EX1", True)]
    assert found.undetermined[0].why == "no device has had any answer since 09:55:00 UTC"


def test_without_after_the_last_minutes_count(estate: Any, line: Any) -> None:
    assert detect(estate, line(500, seconds=1), after=None).judged == ("EX1",)
    assert detect(estate, line(700, seconds=1), after=None).undetermined


def test_a_step_that_has_not_ended_proves_nothing(estate: Any, line: Any) -> None:
    found = detect(estate, line(100, seconds=1), after=Done("recycle_app_pool"))
    assert found.undetermined[0].why == "the step named by after has not ended on this host"


def test_a_server_without_logs_is_undetermined(estate: Any) -> None:
    assert "has no log" in detect(estate).undetermined[0].why
