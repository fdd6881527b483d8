"""How much memory an application pool uses: the private bytes of its worker processes, in GiB.

While an old worker process shuts down beside its successor, both count.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

from easops.context import Context
from easops.detectors.duration_words import span
from easops.detectors.pool_figure import Figure, PoolFigure
from easops.iis.worker_process import WorkerProcess, read_worker_processes
from easops.remoting.session import Session

_GIB: Final = 2**30


def _read(session: Session, pool: str, context: Context) -> Figure:
    reading = read_worker_processes(session)
    workers = reading.of_pool(pool)
    private_gib = sum(worker.private_bytes for worker in workers) / _GIB
    return Figure(reading.time, bool(workers), private_gib, _evidence(reading.time, workers))


def _evidence(now: dt.datetime, workers: Sequence[WorkerProcess]) -> str:
    return "; ".join(
        f"PID {worker.pid}, up {span(now - worker.started)}: {worker.private_bytes / _GIB:.1f} GiB"
        for worker in workers
    )


POOL_MEMORY: Final = PoolFigure(
    name="pool_memory",
    summary="the private memory of an application pool's worker processes",
    unit="GiB",
    above="GiB above which it is a finding",
    read=_read,
)
