from __future__ import annotations

import base64
import datetime as dt
from typing import Any

import attrs
import pytest

from easops.detectors import DETECTORS
from easops.detectors.finding import Detection
from easops.parameter import check_all
from easops.remoting.result import RemoteObject, Result

STRANDED = DETECTORS["stranded_pings"]
POOL = "MSExchangeSyncAppPool"
NOW = dt.datetime(2026, 11, 24, 10, 0, tzinfo=dt.UTC)
MINUTE = 60
BASE64 = base64.b64encode(b"\xa1\x12\x09\x04\x05APPL1\x04\x01\x02\x03\x04\x06iPhone").decode()


@attrs.frozen
class InFlight:
    """A request in flight, *age* in seconds at the first reading."""

    id: str = "f1"
    age: float = 65 * MINUTE
    command: str = "Ping"
    site: int = 2
    query: str = ""

    def at(self, seconds: float) -> RemoteObject:
        query = self.query or f"Cmd={self.command}&User=anna&DeviceId=A1&DeviceType=iPhone"
        return RemoteObject(
            ("Selected.x",),
            {
                "requestId": self.id,
                "timeElapsed": None if self.age != self.age else round((self.age + seconds) * 1000),
                "siteId": self.site,
                "verb": "POST",
                "url": f"/Microsoft-Server-ActiveSync/default.eas?{query}",
                "clientIPAddr": "10.0.0.1",
            },
        )


@attrs.frozen
class Moment:
    """What the server says so many *seconds* after the first reading: the one worker of the pool, and its requests."""

    seconds: float
    requests: tuple[InFlight, ...]
    pid: int | None = 4
    started: dt.datetime = NOW - dt.timedelta(days=24)
    cpu: int = 1

    @property
    def processes(self) -> Result:
        worker = {
            "ProcessId": self.pid,
            "CommandLine": f'w3wp.exe -ap "{POOL}"',
            "CreationDate": self.started,
            "KernelModeTime": self.cpu,
            "UserModeTime": 1,
            "PrivatePageCount": 1,
        }
        workers = [RemoteObject(("Win32_Process",), worker)] if self.pid is not None else []
        system = RemoteObject(("Win32_ComputerSystem",), {"NumberOfLogicalProcessors": 8})
        clock = RemoteObject(("Win32_OperatingSystem",), {"LocalDateTime": NOW + dt.timedelta(seconds=self.seconds)})
        return Result((*workers, system, clock))

    @property
    def answer(self) -> Result:
        return Result(tuple(request.at(self.seconds) for request in self.requests))


def detect(estate: Any, *moments: Moment, max_heartbeat: str | None = None, **values: Any) -> Detection:
    """The detection where the server is read at exactly these *moments*."""
    server = estate.add("EX1")
    server.processes = iter([moment.processes for moment in moments])
    server.requests = iter([moment.answer for moment in moments if moment.pid is not None])
    server.pools = (POOL,)
    server.max_heartbeat = max_heartbeat
    values = {"fewest": 1, **values}
    return STRANDED.detect(estate.hosts, check_all(STRANDED.parameters, values), estate.context)


def twice(*requests: InFlight) -> tuple[Moment, Moment]:
    return Moment(0, requests), Moment(5, requests)


def test_what_outlives_every_heartbeat_in_two_readings_is_stranded(estate: Any) -> None:
    old = InFlight(age=23 * 86_400)
    found = detect(
        estate, *twice(old, InFlight("f2", site=1), InFlight("f3", age=20 * MINUTE), InFlight("f4", 5, "SendMail"))
    )

    assert (found.hosts, found.judged, found.times) == (("EX1",), ("EX1",), {"EX1": NOW + dt.timedelta(seconds=5)})
    assert [(m.name, round(m.value), m.limit) for m in found.measurements] == [
        ("stranded", 2, 0.0),
        ("stranded in the back end", 1, None),
        ("stranded in the front end", 1, None),
        ("age of the oldest waiting request", 23 * 1440, 64.0),
    ]
    assert found.sentences["EX1"] == (
        "2 of 3 Pings have waited longer than the 64 min allowed: the oldest 23 days "
        "(back end 1, front end 1; PID 4, up 24 days)"
    )
    assert found.evidence == f"EX1: {found.sentences['EX1']}"


def test_many_long_pings_are_healthy_and_one_reading_is_enough(estate: Any) -> None:
    found = detect(estate, Moment(0, tuple(InFlight(f"f{at}", at * 7) for at in range(412))))

    assert (found.found, found.judged) == (False, ("EX1",))
    assert found.sentences["EX1"] == "412 Pings (back end 412), the oldest 47 min: all within 59 min + 5 min"


@pytest.mark.parametrize(
    ("ping", "found"),
    [
        pytest.param(InFlight(age=64 * MINUTE), False, id="at the limit"),
        pytest.param(InFlight(age=64 * MINUTE + 1), True, id="above the limit"),
        pytest.param(InFlight(command="Sync"), True, id="a Sync that hangs"),
        pytest.param(InFlight(command="SendMail", age=86_400), False, id="not a command that waits"),
        pytest.param(InFlight(query=BASE64, site=1), True, id="a Ping in the base64 form"),
        pytest.param(InFlight(query="x=1", age=86_400), False, id="no command at all"),
    ],
)
def test_only_the_age_of_a_waiting_command_decides(estate: Any, ping: InFlight, found: bool) -> None:
    assert detect(estate, *twice(ping)).found is found


@pytest.mark.parametrize(
    "later",
    [
        pytest.param(Moment(5, ()), id="it ended"),
        pytest.param(Moment(5, (InFlight("f2"),)), id="another one"),
        pytest.param(Moment(5, (InFlight(age=3),)), id="its id is used again"),
        pytest.param(Moment(5, (InFlight(age=65 * MINUTE - 5),)), id="its age has not grown"),
        pytest.param(Moment(5, (InFlight(),), started=NOW), id="its process is another one with the same PID"),
    ],
)
def test_what_is_not_the_same_request_the_second_time_is_not_stranded(estate: Any, later: Moment) -> None:
    assert not detect(estate, Moment(0, (InFlight(),)), later).found


def test_the_limit_is_the_heartbeat_and_the_margin(estate: Any) -> None:
    assert detect(estate, *twice(InFlight(age=13 * MINUTE)), heartbeat="10m", margin="2m").found
    assert not detect(estate, *twice(InFlight(age=13 * MINUTE)), heartbeat="10m", margin="5m").found


@pytest.mark.parametrize(
    ("told", "found"),
    [
        pytest.param("600", True, id="a shorter one"),
        pytest.param("3540", False, id="the usual one"),
        pytest.param("nonsense", False, id="nothing that can be read"),
        pytest.param(None, False, id="nothing"),
    ],
)
def test_the_heartbeat_is_what_the_server_says(estate: Any, told: str | None, found: bool) -> None:
    assert detect(estate, *twice(InFlight(age=20 * MINUTE)), max_heartbeat=told).found is found


def test_one_old_request_is_told_and_is_no_finding(estate: Any) -> None:
    found = detect(estate, *twice(InFlight(), *(InFlight(f"g{at}", at) for at in range(900))), fewest=3)

    assert not found.found
    assert "1 of 901 Pings have waited longer" in found.sentences["EX1"]
    assert found.sentences["EX1"].endswith("fewer than 3: to watch")


@pytest.mark.parametrize(("cpu", "found"), [(10_000_000, False), (1, True)])
def test_an_old_sync_of_a_worker_that_works_is_not_stranded(estate: Any, cpu: int, found: bool) -> None:
    first, second = twice(InFlight(command="Sync"))
    assert detect(estate, first, attrs.evolve(second, cpu=cpu)).found is found


def test_a_request_that_is_told_twice_counts_once_and_one_without_an_age_spoils_nothing(estate: Any) -> None:
    found = detect(estate, *twice(InFlight(), InFlight(), InFlight("f2", age=float("nan"))))

    assert found.measured("EX1") == 1
    assert found.sentences["EX1"].endswith("1 more could not be read (no id, age or site), and were not judged")


def test_requests_of_other_commands_that_are_hours_old_are_mentioned(estate: Any) -> None:
    found = detect(estate, Moment(0, (InFlight(command="SendMail", age=3 * 3600), InFlight("f2", age=5))))

    assert found.sentences["EX1"].endswith("; also older than 2 hours: 1 Sendmail")


def test_no_age_is_trusted_while_the_clock_stands_still(estate: Any) -> None:
    found = detect(estate, *[Moment(0, (InFlight(),))] * 6)
    assert [item.subject for item in found.undetermined] == ["EX1"]
    assert "clock" in found.undetermined[0].why


def test_after_the_clock_was_set_back_the_readings_begin_again(estate: Any) -> None:
    back = [Moment(at, (InFlight(),)) for at in (0, -100, -94)]
    assert detect(estate, *back).times == {"EX1": NOW - dt.timedelta(seconds=94)}


def test_a_pool_without_a_worker_process_has_nothing_stranded_and_a_missing_pool_is_undetermined(estate: Any) -> None:
    idle = Moment(0, (), pid=None)
    assert detect(estate, idle).sentences == {"EX1": "no Ping is waiting"}
    found = detect(estate, idle, pool="MSExchangeSink")
    assert found.undetermined[0].why == "there is no application pool MSExchangeSink"


def test_an_unreachable_server_is_listed(estate: Any) -> None:
    estate.add("EX1").unreachable = True
    found = STRANDED.detect(estate.hosts, check_all(STRANDED.parameters, {}), estate.context)
    assert [item.host for item in found.unreachable] == ["EX1"]
