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
from easops.actions.change import Comparison
from easops.actions.outcome import Done
from easops.actions.replication import not_replicated
from easops.clock import Waiting
from easops.context import Context
from easops.errors import BadInput, CommandFailed, EasopsError
from easops.iis.app_pool import SYNC_APP_POOL, AppPool, list_app_pools, recycle_app_pool, shutdown_time_limit
from easops.iis.worker_process import WorkerProcess, read_worker_processes
from easops.parameter import Parameter
from easops.status import Status

_MARGIN: Final = 30.0
"""Seconds beyond the shutdown time limit that an old worker may take to go."""

_LOOK_AGAIN: Final = 5.0

_REPLICATION: Final = 900.0
"""Seconds that a server's own domain controller is given to learn of a change: between sites it may take longer."""

Workers = list[list[Any]]
"""[[pid, start time as ISO text], …]"""


@attrs.frozen
class RecycleAppPool:
    """One recycle of *pool* on *host*, away from the worker processes *before*."""

    kind: ClassVar[str] = "recycle_app_pool"
    depends_on: ClassVar[str] = ""

    host: str
    pool: str
    before: Workers

    after: ClassVar[str] = "new worker processes"
    undo: ClassVar[str] = "none (a recycle has no way back, and needs none)"
    visible_within: ClassVar[float] = 120.0
    """Without overlapping rotation a new worker comes only when the old one is gone, 90 s later at most by default."""

    @property
    def subject(self) -> str:
        return f"worker processes of {self.pool} on {self.host}"

    def read(self, context: Context) -> Workers:
        reading = read_worker_processes(context.windows(self.host))
        return [list(process.identity) for process in reading.of_pool(self.pool)]

    def compare(self, state: Workers) -> Comparison:
        old = {tuple(worker) for worker in self.before}
        now = {tuple(worker) for worker in state}
        # A worker that was not there before, or none of the old ones left: it has been recycled, by whomever.
        return Comparison.AFTER if now - old or not now & old else Comparison.BEFORE

    def write(self, context: Context) -> None:
        recycle_app_pool(context.windows(self.host), self.pool)

    def inverse(self) -> None:
        return None

    def prove(self, context: Context) -> str:
        """Wait until the old worker processes have gone: the shutdown time limit, and 30 s more."""
        try:
            limit = shutdown_time_limit(context.windows(self.host), self.pool).total_seconds()
        except CommandFailed:
            limit = 90.0  # IIS's default; the wait is for the proof, and the reads below still decide
        old = {tuple(worker) for worker in self.before}
        began = context.clock.monotonic()
        ends = began + limit + _MARGIN
        while True:
            left = old & {tuple(worker) for worker in self.read(context)}
            if not left:
                return ""
            pids = ", ".join(str(pid) for pid, _ in sorted(left))
            if context.clock.monotonic() > ends:
                return f"recycled, but process {pids} is still there {limit + _MARGIN:.0f} s later"
            told = f"{self.host}: old worker process {pids} is ending"
            context.progress(Waiting(told, context.clock.monotonic() - began, limit + _MARGIN))
            context.clock.sleep(_LOOK_AGAIN)


class _RecycleAppPool:
    name = "recycle_app_pool"
    summary = "Recycle an application pool, and prove that its old worker processes are gone"
    scope: Scope = "server"
    one_way = True
    stronger = ""
    parameters = (
        Parameter("pool", "text", "the application pool", default=SYNC_APP_POOL),
        Parameter(
            "after",
            "result",
            "wait until each server's own domain controller knows what this step changed: a worker process that "
            "starts before keeps the old settings",
            default=None,
        ),
    )

    def plan(self, values: Mapping[str, Any], host: str | None, context: Context) -> Plan:
        assert host is not None, "a server action is planned for a host"
        held = _running(values["pool"], host, context)
        if isinstance(held, Plan):
            return held
        missing, note = _await_known(values["after"], host, context)
        if missing:
            why = (
                f"the domain controller of {host} does not know yet what was changed for {', '.join(missing)}, "
                f"{_REPLICATION / 60:.0f} min later: its new worker processes would keep the old settings"
            )
            return Plan(host, Status.FAILED, why, host=host)
        if values["after"] is not None:
            # A worker process that started during the wait has the old settings: it is one to get away from.
            held = _running(values["pool"], host, context)
            if isinstance(held, Plan):
                return held
        pool, workers = held
        return Plan(
            item=host,
            status=Status.WOULD_CHANGE,
            changes=(RecycleAppPool(host, pool.name, [list(worker.identity) for worker in workers]),),
            before={"workers": [f"{worker.pid} since {worker.started:%Y-%m-%d %H:%M:%S}Z" for worker in workers]},
            after={"workers": RecycleAppPool.after},
            effective=f"at once for new requests; the old workers drain first{note}",
            host=host,
        )


def _running(name: str, host: str, context: Context) -> tuple[AppPool, tuple[WorkerProcess, ...]] | Plan:
    """The pool and its worker processes; a Plan where there is nothing to recycle."""
    session = context.windows(host)
    known = {pool.name.lower(): pool for pool in list_app_pools(session)}
    if name.lower() not in known:
        return Plan(host, Status.FAILED, f"there is no application pool {name} on {host}", host=host)
    pool = known[name.lower()]
    workers = read_worker_processes(session).of_pool(pool.name)
    if not workers or pool.state != "Started":
        why = f"{pool.name} is {pool.state.lower()} and has no worker process"
        return Plan(host, Status.SKIPPED, why, host=host)
    return pool, workers


def _await_known(after: Any, name: str, context: Context) -> tuple[tuple[str, ...], str]:
    """Wait until the server's own domain controller knows what the step *after* changed.

    Gives the users whose change it does not know in the end, and a note where it could not be asked.
    """
    if after is None:
        return (), ""
    if not isinstance(after, Done):
        raise BadInput("after is no changing step", f"it is {after!r}"[:120], "name the result of a step with do:")
    host = context.host(name)
    if host.exchange is None:
        return (), f". Whether {name} knows the changed users is not known: it has no exchange endpoint to ask"
    began = context.clock.monotonic()
    ends = began + _REPLICATION
    try:
        while missing := not_replicated(after, context.sessions.open(host, "exchange"), host.version):
            if context.clock.monotonic() >= ends:
                return missing, ""
            told = f"waiting until the domain controller of {name} knows {', '.join(missing)} as changed"
            context.progress(Waiting(told, context.clock.monotonic() - began, _REPLICATION, about=name))
            context.clock.sleep(_LOOK_AGAIN)
    except EasopsError as error:
        return (), f". Whether {name} knows the changed users could not be asked: {error}"
    return (), ""


RECYCLE_APP_POOL = _RecycleAppPool()
