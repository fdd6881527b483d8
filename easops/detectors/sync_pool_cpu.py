"""How much of a server's processors an application pool uses.

Computed from the processor times of its worker processes at three moments, each at least five seconds after the one
before by the server's own time stamps: our clock does not count, and neither does how long we slept.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from easops.context import Context
from easops.detectors.pool_figure import Figure, PoolFigure
from easops.detectors.two_readings import two_readings
from easops.iis.worker_process import WorkerProcessReading, read_worker_processes
from easops.remoting.server_clock import was_set
from easops.remoting.session import Session

_INTERVALS: Final = 2
_MOST_READINGS: Final = 6


def pool_share(earlier: WorkerProcessReading, later: WorkerProcessReading, pool: str) -> float | None:
    """The share of the whole server, 0 to 100 percent, that *pool* used between two readings.

    Summed over its processes, identified by PID and start. A process that is new in *later* counts from its start. Of a
    process that ended in between, what it used after *earlier* is lost.

    None if the readings give no share: no time has passed, the clock was set, or a process has less processor time than
    before.
    """
    seconds = (later.time - earlier.time).total_seconds()
    if seconds <= 0 or was_set(earlier.booted, later.booted):
        return None
    before = {process.identity: process.cpu_seconds for process in earlier.of_pool(pool)}
    total = 0.0
    for process in later.of_pool(pool):
        used = process.cpu_seconds - before.get(process.identity, 0.0)
        if used < 0:
            return None
        total += used
    # The time stamp and the processor times are not read at exactly the same moment, so a server under full load may
    # come out a little above 100.
    return min(100.0, 100.0 * total / (seconds * later.logical_processors))


def _read(session: Session, pool: str, context: Context) -> Figure:
    """The mean share of two intervals. An interval without a share is replaced by a later one."""
    readings = [read_worker_processes(session)]
    shares: list[float] = []
    while len(shares) < _INTERVALS and len(readings) < _MOST_READINGS:
        progress = f"{session.host}: measuring {pool}"
        pair = two_readings(lambda: read_worker_processes(session), readings[-1], context, progress)
        if pair is None:
            break
        readings[-1:] = pair
        shares = [s for early, late in pairwise(readings) if (s := pool_share(early, late, pool)) is not None]
    time, working = readings[-1].time, any(reading.of_pool(pool) for reading in readings)
    if len(shares) < _INTERVALS:
        why = f"{len(readings)} readings gave {len(shares)} of {_INTERVALS} intervals"
        return Figure(time, working, why_not=f"{why}: the server's clock or the processor times did not move on")
    shares = shares[:_INTERVALS]
    return Figure(time, working, sum(shares) / len(shares), _evidence(readings, shares, pool))


def _evidence(readings: Sequence[WorkerProcessReading], shares: Sequence[float], pool: str) -> str:
    percents = " and ".join(f"{share:.1f}" for share in shares)
    seconds = (readings[-1].time - readings[0].time).total_seconds()
    pids = sorted({process.pid for process in readings[-1].of_pool(pool)})
    workers = "no worker process" if not pids else f"PID {', '.join(map(str, pids))}"
    processors = readings[-1].logical_processors
    return f"{percents} % in two intervals over {seconds:.0f} s on {processors} processors ({workers})"


SYNC_POOL_CPU: Final = PoolFigure(
    name="sync_pool_cpu",
    summary="the share of a server's processors that an application pool uses",
    unit="percent",
    above="percent of the whole server above which it is a finding",
    read=_read,
)
