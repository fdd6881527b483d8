"""How much of a server an application pool takes.

From the processor times of its worker processes at three moments at least five seconds apart by the server's own
stamps; never from ours, and never after a fixed sleep alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, Final

import attrs

from easops.detectors.detector import Surroundings
from easops.detectors.finding import Detection, Measurement, Undetermined, Unreachable
from easops.errors import AccessRefused, BadInput, EasopsError, UnreachableHost
from easops.iis.app_pool import SYNC_APP_POOL, list_app_pools
from easops.iis.worker_process import WorkerProcessReading, read_worker_processes
from easops.inventory.host import Host
from easops.parameter import Parameter
from easops.remoting.session import Session

APART: Final = dt.timedelta(seconds=5)
"""The least time between two readings, by the server's stamps."""

_INTERVALS: Final = 2
_MOST_READINGS: Final = 6
_PATIENCE: Final = 5
"""Readings whose stamp has not moved far enough, one after another, until the server's clock is said to stand still."""


@attrs.frozen
class SyncPoolCpu:
    """The detector: the pool's share of the whole server, against a limit or half of an earlier reading."""

    name: str = "sync_pool_cpu"
    summary: str = "the share of the whole server's processors that an application pool takes"
    parameters: tuple[Parameter, ...] = (
        Parameter("pool", "text", "the application pool", SYNC_APP_POOL),
        Parameter("above", "number", "percent of the whole server above which it is a finding", None, minimum=0),
        Parameter("half_of", "result", "an earlier reading; more than half of it is a finding", None),
    )

    def detect(self, hosts: Sequence[Host], values: Mapping[str, Any], around: Surroundings) -> Detection:
        """Measure *hosts* and compare; each measurement carries its value and its limit, in percent.

        Raises BadInput unless exactly one of ``above`` and ``half_of`` is given.
        """
        if (values["above"] is None) == (values["half_of"] is None):
            raise BadInput(
                f"{self.name} needs one of above and half_of",
                "both were given" if values["above"] is not None else "neither was given",
                "write above: 60, or half_of: with the name of an earlier reading",
            )
        with ThreadPoolExecutor(max(1, min(16, len(hosts)))) as reading:
            results = list(reading.map(lambda host: _measure(host, values, around), hosts))
        measured = [result for result, _ in results if isinstance(result, Measurement)]
        return Detection(
            self.name,
            hosts=tuple(sorted(m.host for m in measured if m.limit is not None and m.value > m.limit)),
            undetermined=tuple(result for result, _ in results if isinstance(result, Undetermined)),
            unreachable=tuple(result for result, _ in results if isinstance(result, Unreachable)),
            measurements=tuple(measured),
            judged=tuple(sorted(m.host for m in measured)),
            times={host.name: time for host, (_, time) in zip(hosts, results, strict=True) if time is not None},
        )


def pool_share(earlier: WorkerProcessReading, later: WorkerProcessReading, pool: str) -> float | None:
    """The percent of the whole server, 0 to 100, that *pool* took between two readings; None where they do not tell.

    Summed over the processes that both readings have, by pid and start; a process that is new counts from its start.
    One that ended in between is lost with what it took after the earlier reading. None: no time has passed, or a
    process has less time than it had.
    """
    seconds = (later.time - earlier.time).total_seconds()
    if seconds <= 0:
        return None
    before = {process.identity: process.cpu_seconds for process in earlier.of_pool(pool)}
    spent = 0.0
    for process in later.of_pool(pool):
        took = process.cpu_seconds - before.get(process.identity, 0.0)
        if took < 0:
            return None
        spent += took
    # The stamp and the times are not of quite the same moment, so a full server may come out a little over 100.
    return min(100.0, 100.0 * spent / (seconds * later.logical_processors))


def _measure(
    host: Host, values: Mapping[str, Any], around: Surroundings
) -> tuple[Measurement | Undetermined | Unreachable, dt.datetime | None]:
    """One host's share, and its clock at the last reading. Runs in a thread of its own."""
    pool: str = values["pool"]
    limit: float | None = values["above"]
    if limit is None:
        earlier = _measured(values["half_of"], host.name)
        if earlier is None:
            return _undetermined(host.name, "the earlier reading has no figure of this server"), None
        limit = earlier / 2
    try:
        session = around.sessions.open(host, "windows")
        readings, shares = _watch(session, pool, around)
        time = readings[-1].time
        if not any(reading.of_pool(pool) for reading in readings) and not _has_pool(session, pool):
            return _undetermined(host.name, f"there is no application pool {pool}"), time
    except UnreachableHost as error:
        return Unreachable(host.name, error.what, error.why, isinstance(error, AccessRefused)), None
    except EasopsError as error:
        return _undetermined(host.name, str(error)), None
    if len(shares) < _INTERVALS:
        why = f"{len(readings)} readings gave {len(shares)} of {_INTERVALS} intervals"
        return _undetermined(host.name, f"{why}: the server's clock or the processor times did not move on"), time
    value = sum(shares) / len(shares)
    return Measurement(host.name, pool, value, "percent", limit, _evidence(readings, shares, pool)), time


def _watch(session: Session, pool: str, around: Surroundings) -> tuple[list[WorkerProcessReading], list[float]]:
    """Readings APART by the server's stamps until two intervals tell, and their shares."""
    readings = [read_worker_processes(session)]
    shares: list[float] = []
    stuck = 0
    while len(shares) < _INTERVALS and len(readings) < _MOST_READINGS and stuck < _PATIENCE:
        missing = APART
        while stuck < _PATIENCE:
            around.progress(f"{session.host}: measuring {pool}")
            around.clock.sleep(max(0.1, missing.total_seconds()))
            reading = read_worker_processes(session)
            if reading.time < readings[-1].time:  # the clock was set back: begin again from here
                readings[-1] = reading
            missing = APART - (reading.time - readings[-1].time)
            if missing <= dt.timedelta():
                readings.append(reading)
                break
            stuck += 1
        shares = [s for early, late in pairwise(readings) if (s := pool_share(early, late, pool)) is not None]
    return readings, shares[:_INTERVALS]


def _has_pool(session: Session, pool: str) -> bool:
    return any(held.name.lower() == pool.lower() for held in list_app_pools(session))


def _measured(half_of: Any, host: str) -> float | None:
    if not isinstance(half_of, Detection):
        raise BadInput("half_of is no earlier reading", f"it is {half_of!r}"[:120], "name a detect step's result")
    return half_of.measured(host)


def _evidence(readings: Sequence[WorkerProcessReading], shares: Sequence[float], pool: str) -> str:
    told = " and ".join(f"{share:.1f}" for share in shares)
    span = (readings[-1].time - readings[0].time).total_seconds()
    pids = sorted({process.pid for process in readings[-1].of_pool(pool)})
    workers = "no worker process" if not pids else f"PID {', '.join(map(str, pids))}"
    return f"{told} % in two intervals over {span:.0f} s on {readings[-1].logical_processors} processors ({workers})"


def _undetermined(host: str, why: str) -> Undetermined:
    return Undetermined("host", host, why, True, host)


SYNC_POOL_CPU: Final = SyncPoolCpu()
