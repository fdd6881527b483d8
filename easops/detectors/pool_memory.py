"""How much memory an application pool holds: the private bytes of its worker processes, in GiB.

While an old worker process drains beside its successor, both count.
"""

from __future__ import annotations

from typing import Final

from easops.detectors.detector import Surroundings
from easops.detectors.measuring import span
from easops.detectors.pool_figure import Figure, PoolFigure
from easops.iis.worker_process import read_worker_processes
from easops.remoting.session import Session

_GIB: Final = 2**30


def _read(session: Session, pool: str, around: Surroundings) -> Figure:
    reading = read_worker_processes(session)
    workers = reading.of_pool(pool)
    told = "; ".join(
        f"PID {worker.pid}, up {span(reading.time - worker.started)}: {worker.private_bytes / _GIB:.1f} GiB"
        for worker in workers
    )
    held = sum(worker.private_bytes for worker in workers) / _GIB
    return Figure(reading.time, bool(workers), held, told or "no worker process")


POOL_MEMORY: Final = PoolFigure(
    name="pool_memory",
    summary="the private memory of an application pool's worker processes",
    unit="GiB",
    above="GiB above which it is a finding",
    read=_read,
)
