from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from easops.detectors import DETECTORS
from easops.detectors.finding import Detection, Measurement
from easops.parameter import check_all
from easops.playbook.steps.detection_words import verify_words
from easops.remoting.result import RemoteObject, Result
from easops.status import Status

MEMORY = DETECTORS["pool_memory"]
POOL = "MSExchangeSyncAppPool"
NOW = dt.datetime(2026, 11, 24, 10, 0, tzinfo=dt.UTC)


def detect(estate: Any, *gigabytes: float, **values: Any) -> Detection:
    """The detection where the pool's workers use so many GiB each."""
    workers = [
        RemoteObject(
            ("Win32_Process",),
            {
                "ProcessId": 4 + 4 * number,
                "CommandLine": f'w3wp.exe -ap "{POOL}"',
                "CreationDate": NOW - dt.timedelta(days=24 - number),
                "KernelModeTime": 1,
                "UserModeTime": 1,
                "PrivatePageCount": int(size * 2**30),
            },
        )
        for number, size in enumerate(gigabytes)
    ]
    system = RemoteObject(("Win32_ComputerSystem",), {"NumberOfLogicalProcessors": 8})
    clock = RemoteObject(("Win32_OperatingSystem",), {"LocalDateTime": NOW})
    estate.add("EX1").processes = iter([Result((*workers, system, clock))])
    estate.servers["EX1"].pools = (POOL,)
    return MEMORY.detect(estate.hosts, check_all(MEMORY.parameters, values), estate.context)


def test_the_workers_of_the_pool_are_summed_and_each_is_in_the_evidence(estate: Any) -> None:
    found = detect(estate, 5.25, 0.5, above=3)
    evidence = "PID 4, up 24 days: 5.2 GiB; PID 8, up 23 days: 0.5 GiB"
    assert found.measurements == (Measurement("EX1", POOL, 5.75, "GiB", 3.0, evidence),)
    assert (found.hosts, found.judged, found.times) == (("EX1",), ("EX1",), {"EX1": NOW})


def test_the_evidence_names_the_server_wherever_it_is_shown(estate: Any) -> None:
    found = detect(estate, 5.25, above=3)
    evidence = "EX1: PID 4, up 24 days: 5.2 GiB"
    assert found.evidence == evidence
    assert verify_words(found, Status.VERIFY_FAILED) == evidence


@pytest.mark.parametrize(("earlier", "found"), [(5.0, False), (3.9, True)])
def test_half_of_an_earlier_reading_is_the_limit(estate: Any, earlier: float, found: bool) -> None:
    before = Detection("pool_memory", measurements=(Measurement("EX1", POOL, earlier, "GiB"),))
    assert detect(estate, 2.0, half_of=before).found is found


def test_a_pool_without_a_worker_process_uses_nothing(estate: Any) -> None:
    assert detect(estate, above=3).measured("EX1") == 0.0
    assert detect(estate, above=3, pool="None").undetermined[0].why == "there is no application pool None"
