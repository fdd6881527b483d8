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


def pings(line: Any, *devices: str, at: float, status: int = 200, **more: Any) -> list[Any]:
    return [line(at, device=device, status=status, command="Ping", seconds=1, **more) for device in devices]


ALL = tuple(f"A{number}" for number in range(20))


def test_served_is_who_has_a_good_answer_of_those_with_any(estate: Any, line: Any) -> None:
    found = detect(
        estate, *pings(line, *ALL, at=900), *pings(line, *ALL[:16], at=100), *pings(line, *ALL[16:], at=90, status=503)
    )

    assert (found.found, found.judged) == (False, ("EX1",))
    assert found.sentences == {
        "EX1": "16 of 20 devices (80 %, needed 80 %) and 16 of 20 requests were served since 09:55:00 UTC"
    }
    assert found.measured("EX1") == 80


def test_one_device_of_many_is_no_proof(estate: Any, line: Any) -> None:
    found = detect(
        estate, *pings(line, *ALL, at=900), *pings(line, ALL[0], at=100), *pings(line, *ALL[1:], at=90, status=503)
    )

    assert found.hosts == ("EX1",)


def test_http_200_with_a_status_that_refuses_serves_nobody(estate: Any, line: Any) -> None:
    refused = pings(line, *ALL, at=100)
    server = estate.add("EX1", *pings(line, *ALL, at=900), *refused)
    good, bad = server.data.split(str(refused[0]).encode()[:19], 1)
    server.log = good + str(refused[0]).encode()[:19] + bad.replace(b"SC1:1_", b"SC1:110_")

    found = UNSERVED.detect(estate.hosts, check_all(UNSERVED.parameters, {"after": FREED}), estate.context)

    assert found.hosts == ("EX1",)


def test_devices_that_were_refused_before_do_not_count(estate: Any, line: Any) -> None:
    refused = [*pings(line, *ALL[:15], at=900, status=403), *pings(line, *ALL[:15], at=100, status=403)]

    found = detect(estate, *refused, *pings(line, *ALL[15:], at=900), *pings(line, *ALL[15:], "NEW", at=90))

    assert found.sentences["EX1"].startswith("6 of 6 devices (100 %")
    assert not found.found


def test_too_few_devices_with_an_answer_prove_nothing(estate: Any, line: Any) -> None:
    found = detect(estate, *pings(line, *ALL, at=900), *pings(line, ALL[0], at=100))

    assert found.undetermined[0].why.startswith("only 1 of 20 devices that were served before have had an answer")


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
