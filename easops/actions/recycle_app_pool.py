"""Recycle an application pool, and prove it: new worker processes have started, and the old ones are gone.

A one-way change: it cannot be undone, and two recycles are not the same as one. It is therefore keyed by the worker
processes that the pool had when it was planned: a run that was killed and resumed does not recycle again because an old
worker process is still shutting down. In a playbook whose evidence says which servers to recycle, it replaces the
worker processes that the evidence saw: a server with a younger one was recycled since, and is left alone.
Source: Restart-WebAppPool; processModel.shutdownTimeLimit; KB 2711053 and KB 4337638.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

import attrs

from easops.actions.action import Plan, Scope
from easops.actions.change import Comparison
from easops.actions.outcome import Done
from easops.actions.replication import not_arrived
from easops.clock import Waiting
from easops.context import Context
from easops.errors import BadInput, CommandFailed, EasopsError
from easops.exchange.server import read_directory_use
from easops.iis.app_pool import SYNC_APP_POOL, AppPool, list_app_pools, recycle_app_pool, shutdown_time_limit
from easops.iis.worker_process import WorkerProcess, read_worker_processes
from easops.parameter import Parameter
from easops.status import Status

_MARGIN: Final = 30.0
"""Seconds that an old worker process may take to end beyond the shutdown time limit."""

_READ_AGAIN: Final = 5.0
"""Seconds until a state that is waited for is read again."""

_READ_AGAIN_AT_MOST: Final = 15.0
"""What these seconds grow to while old worker processes end their requests: each read costs a server that is busy."""

_REPLICATION_TIME: Final = 900.0
"""Seconds that a change has to reach a server's domain controllers; between sites it may take longer."""

Workers = list[list[Any]]
"""[[pid, start time as ISO text], …]"""


@attrs.frozen
class RecycleAppPool:
    """One recycle of *pool* on *host*, which replaces the worker processes *before*."""

    kind: ClassVar[str] = "recycle_app_pool"
    depends_on: ClassVar[str] = ""
    waits_for_recycle: ClassVar[bool] = False

    host: str
    pool: str
    before: Workers

    after: ClassVar[str] = "new worker processes"
    undo: ClassVar[str] = "not applicable (a recycle cannot be undone)"
    visible_within: ClassVar[float] = 120.0
    """Without overlapped recycling a new worker process starts only when the old one is gone: by default after at most
    90 s."""

    @property
    def subject(self) -> str:
        return f"worker processes of {self.pool} on {self.host}"

    def read(self, context: Context) -> Workers:
        reading = read_worker_processes(context.windows(self.host))
        return [list(process.identity) for process in reading.of_pool(self.pool)]

    def compare(self, state: Workers) -> Comparison:
        old = {tuple(worker) for worker in self.before}
        now = {tuple(worker) for worker in state}
        # Recycled, by us or by somebody else: there is a worker process that was not there before, or no old one left.
        return Comparison.AFTER if now - old or not now & old else Comparison.BEFORE

    def write(self, context: Context) -> None:
        recycle_app_pool(context.windows(self.host), self.pool)

    def inverse(self) -> None:
        return None

    def prove(self, context: Context) -> str:
        """Wait until the old worker processes are gone: for the shutdown time limit, and 30 s more."""
        try:
            limit = shutdown_time_limit(context.windows(self.host), self.pool).total_seconds()
        except CommandFailed:
            limit = 90.0  # IIS's default. It only limits the wait: the reads below decide.
        old = {tuple(worker) for worker in self.before}
        began = context.clock.monotonic()
        ends = began + limit + _MARGIN
        wait = _READ_AGAIN
        while True:
            left = old & {tuple(worker) for worker in self.read(context)}
            if not left:
                return ""
            pids = ", ".join(str(pid) for pid, _ in sorted(left))
            if context.clock.monotonic() > ends:
                return f"recycled, but old worker process {pids} still runs {limit + _MARGIN:.0f} s later"
            progress = f"{self.host}: waiting until old worker process {pids} has ended"
            context.progress(Waiting(progress, context.clock.monotonic() - began, limit + _MARGIN))
            context.clock.sleep(wait)
            wait = min(wait + _READ_AGAIN, _READ_AGAIN_AT_MOST)


class _RecycleAppPool:
    name = "recycle_app_pool"
    summary = "Recycle an application pool, and prove that its old worker processes are gone"
    scope: Scope = "server"
    one_way = True
    stronger = ""
    parameters: tuple[Parameter, ...] = (
        Parameter("pool", "text", "the application pool", default=SYNC_APP_POOL),
        Parameter(
            "after",
            "result",
            "wait until the changes of this step have reached the domain controllers of each server: a worker process "
            "that starts earlier keeps the old settings",
            default=None,
        ),
    )

    def plan(self, values: Mapping[str, Any], host: str | None, context: Context) -> Plan:
        assert host is not None, "a server action is planned for a host"
        running = _running(values["pool"], host, context)
        if isinstance(running, Plan):
            return running
        missing, note = _await_replication(values["after"], host, context)
        if missing:
            why = (
                f"the changes to {', '.join(missing)} have not reached the domain controllers of {host} within "
                f"{_REPLICATION_TIME / 60:.0f} min: new worker processes would start with the old settings"
            )
            return Plan(host, Status.FAILED, why, host=host)
        if values["after"] is not None:
            # A worker process that started during the wait has the old settings, so it must be replaced too.
            running = _running(values["pool"], host, context)
            if isinstance(running, Plan):
                return running
        pool, workers = running
        if since := _recycled_since(workers, context.evidence.get(host), values["after"]):
            return Plan(host, Status.SKIPPED, since, host=host)
        return Plan(
            item=host,
            status=Status.WOULD_CHANGE,
            changes=(RecycleAppPool(host, pool.name, [list(worker.identity) for worker in workers]),),
            before={"workers": [f"{worker.pid} since {worker.started:%Y-%m-%d %H:%M:%S}Z" for worker in workers]},
            after={"workers": RecycleAppPool.after},
            effective=f"at once for new requests; the old worker processes finish theirs first{note}",
            host=host,
        )


def _running(name: str, host: str, context: Context) -> tuple[AppPool, tuple[WorkerProcess, ...]] | Plan:
    """The pool and its worker processes; a Plan if there is nothing to recycle."""
    session = context.windows(host)
    pools = {pool.name.lower(): pool for pool in list_app_pools(session)}
    if name.lower() not in pools:
        return Plan(host, Status.FAILED, f"there is no application pool {name} on {host}", host=host)
    pool = pools[name.lower()]
    workers = read_worker_processes(session).of_pool(pool.name)
    if pool.state == "Unknown" and not workers:
        why = f"{pool.name} has no worker process, and its state cannot be read: it may be stopped"
        return Plan(host, Status.FAILED, why, host=host)
    if not workers or pool.state not in ("Started", "Unknown"):
        running = "has no worker process" if not workers else "its worker processes end"
        return Plan(host, Status.SKIPPED, f"{pool.name} is {pool.state.lower()} and {running}", host=host)
    return pool, workers


def _recycled_since(workers: Sequence[WorkerProcess], evidence: dt.datetime | None, after: Any) -> str:
    """Why a recycle would only repeat one that the *evidence*, read at that time, did not see; else empty.

    Not if the step *after* has changed something: its settings are newer than the evidence, and need a newer process.
    """
    if evidence is None or (isinstance(after, Done) and after.changed):
        return ""
    younger = [worker for worker in workers if worker.started > evidence]
    if not younger:
        return ""
    started = ", ".join(f"{worker.pid} started at {worker.started:%H:%M:%S}Z" for worker in younger)
    return f"already recycled since the evidence was read at {evidence:%Y-%m-%d %H:%M:%S}Z: worker process {started}"


def _await_replication(after: Any, name: str, context: Context) -> tuple[tuple[str, ...], str]:
    """Wait until the changes of the step *after* have reached the domain controllers that the server *name* uses.

    Gives the users whose changes have not reached it in time, and a note if the server could not be asked.
    """
    if after is None:
        return (), ""
    if not isinstance(after, Done):
        raise BadInput(
            "after is not the result of a changing step", f"it is {after!r}"[:120], "name the result of a step with do:"
        )
    host = context.host(name)
    not_checked = f". Not checked whether {name} has the changes to the users yet"
    if host.exchange is None:
        return (), f"{not_checked}: it has no exchange endpoint to ask"
    began = context.clock.monotonic()
    ends = began + _REPLICATION_TIME
    try:
        session = context.sessions.open(host, "exchange")
        written_on = context.organisation.domain_controller
        used = read_directory_use(session, name, domain_controller=written_on)
        if not used.domain_controllers:
            return (), f"{not_checked}: the server does not say which domain controllers it uses"
        while True:
            missing = not_arrived(after, session, host.version, used, written_on=written_on)
            if not missing:
                break
            if context.clock.monotonic() >= ends:
                return missing, ""
            progress = f"waiting until the changes to {', '.join(missing)} reach the domain controllers of {name}"
            context.progress(Waiting(progress, context.clock.monotonic() - began, _REPLICATION_TIME, about=name))
            context.clock.sleep(_READ_AGAIN)
    except EasopsError as error:
        return (), f"{not_checked}: {error}"
    return (), ""


RECYCLE_APP_POOL = _RecycleAppPool()
