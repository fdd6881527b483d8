from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easops.detectors import DETECTORS
from easops.detectors.finding import Detection, Measurement
from easops.detectors.sync_pool_cpu import pool_share
from easops.errors import BadInput
from easops.iis.worker_process import WorkerProcess, WorkerProcessReading
from easops.parameter import check_all
from easops.remoting.result import RemoteObject, Result

CPU = DETECTORS["sync_pool_cpu"]
POOL = "MSExchangeSyncAppPool"
NOW = dt.datetime(2026, 11, 24, 10, 0, tzinfo=dt.UTC)
OLD = NOW - dt.timedelta(days=1)


def answer(seconds: float, *processes: tuple[int, float], pool: str = POOL, ahead: float = 0) -> Result:
    """What a server of 8 processors says at NOW plus *seconds*: its workers by (pid, processor seconds).

    Its clock was set forward by *ahead* seconds since the server was started.
    """
    workers = [
        RemoteObject(
            ("Win32_Process",),
            {
                "ProcessId": pid,
                "CommandLine": f'w3wp.exe -ap "{pool}" -v "v4.0"',
                "CreationDate": OLD,
                "KernelModeTime": round(cpu * 2_500_000),
                "UserModeTime": round(cpu * 7_500_000),
                "PrivatePageCount": 1,
            },
        )
        for pid, cpu in processes
    ]
    system = RemoteObject(("Win32_ComputerSystem",), {"NumberOfLogicalProcessors": 8})
    times = {"LocalDateTime": seconds + ahead, "LastBootUpTime": ahead - 86_400}
    clock = {name: NOW + dt.timedelta(seconds=time) for name, time in times.items()}
    return Result((*workers, system, RemoteObject(("Win32_OperatingSystem",), clock)))


def detect(estate: Any, answers: list[Result], **values: Any) -> Detection:
    estate.add("EX1").processes = iter(answers)
    estate.servers["EX1"].pools = (POOL,)
    return CPU.detect(estate.hosts, check_all(CPU.parameters, values), estate.context)


def reading(seconds: float, *processes: tuple[int, float]) -> WorkerProcessReading:
    workers = tuple(WorkerProcess(POOL, pid, OLD, cpu, 1) for pid, cpu in processes)
    return WorkerProcessReading(NOW + dt.timedelta(seconds=seconds), 8, workers)


@pytest.mark.parametrize(
    ("earlier", "later", "share"),
    [
        pytest.param(reading(0, (4, 100)), reading(10, (4, 140)), 50.0, id="one process"),
        pytest.param(reading(0, (4, 100), (8, 7)), reading(10, (4, 120), (8, 27)), 50.0, id="two are added up"),
        pytest.param(reading(0, (4, 100)), reading(10, (8, 20)), 25.0, id="a new one counts from its start"),
        pytest.param(reading(0), reading(10), 0.0, id="none"),
        pytest.param(reading(0, (4, 0)), reading(10, (4, 81)), 100.0, id="never above the whole server"),
        pytest.param(reading(0, (4, 100)), reading(10, (4, 90)), None, id="less processor time than before"),
        pytest.param(reading(0, (4, 100)), reading(0, (4, 100)), None, id="no time has passed"),
    ],
)
def test_the_share_is_of_the_whole_server(
    earlier: WorkerProcessReading, later: WorkerProcessReading, share: float | None
) -> None:
    assert pool_share(earlier, later, POOL) == share


workers = st.lists(st.tuples(st.integers(1, 5), st.floats(0, 1e6)), max_size=4, unique_by=lambda worker: worker[0])


@given(workers, workers, st.floats(-10, 1000))
def test_a_share_is_never_outside_0_to_100(one: list[Any], other: list[Any], seconds: float) -> None:
    share = pool_share(reading(0, *one), reading(seconds, *other), POOL)

    assert share is None or 0 <= share <= 100


def test_three_readings_give_the_mean_of_two_intervals_and_show_both(estate: Any) -> None:
    found = detect(estate, [answer(0, (4, 0)), answer(5, (4, 36)), answer(15, (4, 100))], above=60)

    assert found.measurements == (
        Measurement(
            "EX1",
            POOL,
            85.0,
            "percent",
            60.0,
            "90.0 and 80.0 % in two intervals over 15 s on 8 processors (PID 4)",
        ),
    )
    assert (found.hosts, found.judged, found.times) == (("EX1",), ("EX1",), {"EX1": NOW + dt.timedelta(seconds=15)})


def test_a_figure_at_the_limit_is_not_a_finding(estate: Any) -> None:
    found = detect(estate, [answer(at, (4, 4.8 * at)) for at in (0, 5, 10)], above=60)

    assert found.measurements[0].value == pytest.approx(60.0)
    assert not found.found


def test_a_reading_waits_until_the_servers_own_time_stamp_has_moved(estate: Any) -> None:
    found = detect(estate, [answer(at, (4, 4 * at)) for at in (0, 4.5, 5, 5.5, 10)], above=60)

    assert found.measurements[0].evidence == "50.0 and 50.0 % in two intervals over 10 s on 8 processors (PID 4)"


def test_a_server_whose_clock_stands_still_is_undetermined(estate: Any) -> None:
    def still() -> Iterator[Result]:
        while True:
            yield answer(0, (4, 10))

    found = detect(estate, still(), above=60)  # type: ignore[arg-type]

    assert [(item.subject, item.required) for item in found.undetermined] == [("EX1", True)]
    assert (found.measurements, found.judged) == ((), ())


def test_an_interval_without_a_share_is_replaced_by_a_later_one(estate: Any) -> None:
    found = detect(estate, [answer(at, (4, cpu)) for at, cpu in ((0, 90), (5, 10), (10, 30), (15, 50))], above=60)

    assert found.measured("EX1") == 50.0


@pytest.mark.parametrize("ahead", [3, 600, -3, -600])
@pytest.mark.parametrize("jump", [1, 2])
def test_an_interval_in_which_the_clock_was_set_does_not_count(estate: Any, jump: int, ahead: float) -> None:
    found = detect(
        estate, [answer(5 * at, (4, 20 * at), ahead=ahead if at >= jump else 0) for at in range(9)], above=40
    )

    assert found.measured("EX1") == 50.0


@pytest.mark.parametrize(("earlier", "found"), [(99.0, False), (90.0, True)])
def test_half_of_an_earlier_reading_is_the_limit(estate: Any, earlier: float, found: bool) -> None:
    before = Detection("sync_pool_cpu", measurements=(Measurement("EX1", POOL, earlier, "percent"),))

    result = detect(estate, [answer(at, (4, 3.8 * at)) for at in (0, 5, 10)], half_of=before)

    assert (result.found, result.measurements[0].limit) == (found, earlier / 2)


def test_half_of_a_step_that_has_no_figure_for_the_server_is_undetermined(estate: Any) -> None:
    found = detect(estate, [], half_of=Detection("sync_pool_cpu"))

    assert found.undetermined[0].why == "the earlier detect step has no figure for this server"


def test_a_pool_without_a_worker_process_uses_nothing(estate: Any) -> None:
    found = detect(estate, [answer(at, (4, at), pool="Other") for at in (0, 5, 10)], above=60)

    assert found.measured("EX1") == 0.0
    assert found.measurements[0].evidence.endswith("(no worker process)")


def test_a_pool_that_does_not_exist_is_undetermined(estate: Any) -> None:
    found = detect(estate, [answer(at, (4, at)) for at in (0, 5, 10)], above=60, pool="MSExchangeSink")

    assert found.undetermined[0].why == "there is no application pool MSExchangeSink"


def test_an_unreachable_server_is_listed(estate: Any) -> None:
    estate.add("EX1").unreachable = True

    found = CPU.detect(estate.hosts, check_all(CPU.parameters, {"above": 60}), estate.context)

    assert [item.host for item in found.unreachable] == ["EX1"]


@pytest.mark.parametrize("values", [{}, {"above": 60, "half_of": Detection("sync_pool_cpu")}])
def test_exactly_one_of_above_and_half_of_is_needed(estate: Any, values: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="needs one of above, half_of and recovered_from"):
        detect(estate, [], **values)
