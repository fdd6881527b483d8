"""Recycle an application pool, and prove it: new worker processes are there, the old ones are gone.

A pulse: two are not one, and it cannot be undone. It is keyed by the worker processes that the pool had when it was
planned, so that a run that was killed does not recycle again because an old worker still drains.
Source: Restart-WebAppPool; processModel.shutdownTimeLimit; KB 2711053 and KB 4337638.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import attrs

from easops.actions.action import Plan, Scope
from easops.actions.change import Standing
from easops.detectors.detector import Surroundings
from easops.errors import CommandFailed
from easops.iis.app_pool import SYNC_APP_POOL, list_app_pools, recycle_app_pool, shutdown_time_limit
from easops.iis.worker_process import read_worker_processes
from easops.parameter import Parameter
from easops.status import Status

_MARGIN: Final = 30.0
"""Seconds beyond the shutdown time limit that an old worker may take to go."""

_LOOK_AGAIN: Final = 5.0

Workers = list[list[Any]]
"""[[pid, start time as ISO text], …]"""


@attrs.frozen
class RecycleAppPool:
    """One recycle of *pool* on *host*, away from the worker processes *before*."""

    kind: ClassVar[str] = "recycle_app_pool"

    host: str
    pool: str
    before: Workers

    after: ClassVar[str] = "new worker processes"
    undo: ClassVar[str] = "none (a recycle has no way back, and needs none)"
    patience: ClassVar[float] = 120.0
    """Without overlapping rotation a new worker comes only when the old one is gone, 90 s later at most by default."""

    @property
    def subject(self) -> str:
        return f"worker processes of {self.pool} on {self.host}"

    def read(self, around: Surroundings) -> Workers:
        reading = read_worker_processes(around.windows(self.host))
        return [list(process.identity) for process in reading.of_pool(self.pool)]

    def standing(self, state: Workers) -> Standing:
        old = {tuple(worker) for worker in self.before}
        now = {tuple(worker) for worker in state}
        # A worker that was not there before, or none of the old ones left: it has been recycled, by whomever.
        return Standing.AFTER if now - old or not now & old else Standing.BEFORE

    def write(self, around: Surroundings) -> None:
        recycle_app_pool(around.windows(self.host), self.pool)

    def inverse(self) -> None:
        return None

    def prove(self, around: Surroundings) -> str:
        """Wait until the old worker processes have gone: the shutdown time limit, and 30 s more."""
        try:
            limit = shutdown_time_limit(around.windows(self.host), self.pool).total_seconds()
        except CommandFailed:
            limit = 90.0  # IIS's default; the wait is for the proof, and the reads below still decide
        old = {tuple(worker) for worker in self.before}
        ends = around.clock.monotonic() + limit + _MARGIN
        while True:
            left = old & {tuple(worker) for worker in self.read(around)}
            if not left:
                return ""
            if around.clock.monotonic() > ends:
                pids = ", ".join(str(pid) for pid, _ in sorted(left))
                return f"recycled, but process {pids} is still there {limit + _MARGIN:.0f} s later"
            around.progress(f"waiting for {len(left)} old worker process(es) of {self.pool} on {self.host} to end")
            around.clock.sleep(_LOOK_AGAIN)


class _RecycleAppPool:
    name = "recycle_app_pool"
    summary = "Recycle an application pool, and prove that its old worker processes are gone"
    scope: Scope = "server"
    pulse = True
    parameters = (Parameter("pool", "text", "the application pool", default=SYNC_APP_POOL),)

    def plan(self, values: Mapping[str, Any], host: str | None, around: Surroundings) -> Plan:
        assert host is not None, "a server action is planned for a host"
        pool = values["pool"]
        session = around.windows(host)
        known = {held.name.lower(): held for held in list_app_pools(session)}
        if pool.lower() not in known:
            return Plan(host, Status.FAILED, f"there is no application pool {pool} on {host}", host=host)
        held = known[pool.lower()]
        workers = read_worker_processes(session).of_pool(held.name)
        if not workers or held.state != "Started":
            return Plan(
                host, Status.SKIPPED, f"{held.name} is {held.state.lower()} and has no worker process", host=host
            )
        return Plan(
            item=host,
            status=Status.WOULD_CHANGE,
            changes=(RecycleAppPool(host, held.name, [list(worker.identity) for worker in workers]),),
            before={"workers": [f"{worker.pid} since {worker.started:%Y-%m-%d %H:%M:%S}Z" for worker in workers]},
            after={"workers": RecycleAppPool.after},
            effective="at once for new requests; the old workers drain first",
            host=host,
        )


RECYCLE_APP_POOL = _RecycleAppPool()
