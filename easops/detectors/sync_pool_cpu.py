"""How much of a server an application pool takes.

From the processor times of its worker processes at three moments at least five seconds apart by the server's own
stamps; never from ours, and never after a fixed sleep alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from easops.context import Context
from easops.detectors.pool_figure import Figure, PoolFigure
from easops.detectors.two_readings import two_readings
from easops.iis.worker_process import WorkerProcessReading, read_worker_processes
from easops.remoting.session import Session

_INTERVALS: Final = 2
_MOST_READINGS: Final = 6


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


def _read(session: Session, pool: str, context: Context) -> Figure:
    """Readings apart by the server's stamps until two intervals tell, and the mean of their shares."""
    readings = [read_worker_processes(session)]
    shares: list[float] = []
    while len(shares) < _INTERVALS and len(readings) < _MOST_READINGS:
        telling = f"{session.host}: measuring {pool}"
        moved = two_readings(lambda: read_worker_processes(session), readings[-1], context, telling)
        if moved is None:
            break
        readings[-1:] = moved
        shares = [s for early, late in pairwise(readings) if (s := pool_share(early, late, pool)) is not None]
    time, working = readings[-1].time, any(reading.of_pool(pool) for reading in readings)
    if len(shares) < _INTERVALS:
        why = f"{len(readings)} readings gave {len(shares)} of {_INTERVALS} intervals"
        return Figure(time, working, why_not=f"{why}: the server's clock or the processor times did not move on")
    shares = shares[:_INTERVALS]
    return Figure(time, working, sum(shares) / len(shares), _evidence(readings, shares, pool))


def _evidence(readings: Sequence[WorkerProcessReading], shares: Sequence[float], pool: str) -> str:
    told = " and ".join(f"{share:.1f}" for share in shares)
    seconds = (readings[-1].time - readings[0].time).total_seconds()
    pids = sorted({process.pid for process in readings[-1].of_pool(pool)})
    workers = "no worker process" if not pids else f"PID {', '.join(map(str, pids))}"
    return f"{told} % in two intervals over {seconds:.0f} s on {readings[-1].logical_processors} processors ({workers})"


SYNC_POOL_CPU: Final = PoolFigure(
    name="sync_pool_cpu",
    summary="the share of the whole server's processors that an application pool takes",
    unit="percent",
    above="percent of the whole server above which it is a finding",
    read=_read,
)
