"""The servers of an incident, as easops reaches them: sessions to the world, with faults on the way."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

import attrs

from easops.errors import Abandoned, CommandFailed, ErrorRecord, OutcomeUnknown, UnreachableHost
from easops.inventory.host import Host
from easops.lab.world import World
from easops.lab.world.happening import read_happening
from easops.lab.world.product import SYNC_POOL
from easops.lab.world.replication import Write
from easops.lab.world.state import MemoryState
from easops.remoting.command import Call, Command, Pipeline, pipeline
from easops.remoting.result import Result
from easops.remoting.retry import retrying
from easops.remoting.session import CONNECT, DEADLINE, EndpointName
from tests.simulation.machine import Process
from tests.simulation.scheduler import Scheduler
from tests.simulation.session import InProcessSession

Kind = Literal["unreachable", "slow", "lost_done", "lost_undone", "late", "hangs", "refused"]
ON_MAILBOXES: Final = ("Set-ThrottlingPolicyAssociation", "Set-CASMailbox")
"""The cmdlets that write to a mailbox."""

Beside = Literal["before", "behind"]
KINDS: Final[tuple[Kind, ...]] = ("unreachable", "slow", "lost_done", "lost_undone", "late", "hangs", "refused")


@attrs.frozen
class Fault:
    """What goes wrong with a call: *unreachable* (nothing is sent), *slow*, *lost_done* and *lost_undone* (no answer
    comes, and the command was carried out, or never is), *late* (no answer comes, and it is carried out *seconds*
    later), *hangs* (carried out after *seconds*, within the deadline or behind it), *refused*."""

    kind: Kind
    seconds: float = 0.0


@attrs.frozen
class Sent:
    """A changing call of easops that a server carried out: when, where, which, and for which process.

    *replaced* is when the worker process of the sync pool had started that was there before, in seconds since 1970.
    *write* is what it wrote to a mailbox, None where it did not. *asked* is when easops sent it.
    """

    time: float
    server: str
    cmdlet: str
    parameters: Mapping[str, Any]
    process: Process
    replaced: float
    write: Write | None
    asked: float


@attrs.define(eq=False)
class Servers:
    """The servers of *world*. *fault_of* says what goes wrong with an attempt of a call, *beside* what others do
    right before or behind a changing call, by its number; *carried_out* are the changing calls, in order."""

    world: World
    state: MemoryState
    scheduler: Scheduler
    rng: random.Random
    fault_of: Callable[[str, Pipeline], Fault | None]
    beside: Mapping[int, tuple[Beside, Mapping[str, Any]]]
    carried_out: list[Sent] = attrs.field(factory=list)
    _changes: int = 0

    def carry_out(self, session: InProcessSession, call: Pipeline, process: Process, asked: float) -> Result:
        """Have the server run *call* now, which was sent at *asked*."""
        if call.reads:
            return session.invoke(call)
        when, happening = self.beside.get(self._changes, ("", {}))
        self._changes += 1
        if when == "before":
            self._happen(happening)
        before = len(self.state.changes)
        worker = self.world.servers[session.host].pools[SYNC_POOL.lower()].worker
        started = 0.0 if worker is None else worker.started
        try:
            return session.invoke(call)
        finally:
            for made in self.state.changes[before:]:
                parameters = made["parameters"]
                write = self._written(made["cmdlet"], parameters)
                self.carried_out.append(
                    Sent(self.scheduler.now, made["server"], made["cmdlet"], parameters, process, started, write, asked)
                )
            if when == "behind":
                self._happen(happening)

    def _written(self, cmdlet: str, parameters: Mapping[str, Any]) -> Write | None:
        if cmdlet not in ON_MAILBOXES:
            return None
        return self.world.directory.find_mailboxes(str(parameters["Identity"]))[0].history[-1]

    def _happen(self, happening: Mapping[str, Any]) -> None:
        self.world._happen(read_happening({"at": 0, **happening}))


@attrs.define(eq=False)
class Sessions:
    """The sessions of one process (``easops.remoting.pool.Sessions``)."""

    servers: Servers
    process: Process
    _open: dict[tuple[str, EndpointName], SimulatedSession] = attrs.field(factory=dict)

    def open(self, host: Host, endpoint: EndpointName) -> SimulatedSession:
        key = (host.name, endpoint)
        if key not in self._open:
            inner = InProcessSession(self.servers.world, host.name, endpoint)
            self._open[key] = SimulatedSession(self.servers, self.process, inner)
        return self._open[key]

    def close(self) -> None: ...


@attrs.define(eq=False)
class SimulatedSession:
    """A session whose calls take time, and meet the faults of the incident."""

    servers: Servers
    process: Process
    inner: InProcessSession

    @property
    def host(self) -> str:
        return self.inner.host

    @property
    def endpoint(self) -> EndpointName:
        return self.inner.endpoint

    @property
    def lacks(self) -> set[str]:
        return self.inner.lacks

    def connect(self, *, deadline: float = 30.0) -> None:
        self._wait(0.1)
        self._reach_it()

    def close(self) -> None: ...

    def invoke(self, call: Call, *, deadline: float = DEADLINE) -> Result:
        statements = pipeline(call)
        ends = self.servers.scheduler.now + deadline
        return retrying(lambda: self._attempt(statements, ends), reads=statements.reads, sleep=self._wait)

    def _wait(self, seconds: float) -> None:
        self.process.boundary()
        self.servers.scheduler.wait(seconds)
        self.process.boundary()

    def _reach_it(self) -> None:
        if self.servers.world.is_down(self.host):
            self._wait(CONNECT)
            raise UnreachableHost(f"{self.host} cannot be reached", "no answer")

    def _attempt(self, call: Pipeline, ends: float) -> Result:
        servers = self.servers
        fault = servers.fault_of(self.host, call)
        kind = None if fault is None else fault.kind
        asked = servers.scheduler.now
        seconds = 0.0 if fault is None else fault.seconds
        if servers.scheduler.now >= ends:
            raise UnreachableHost(f"{self.host} was not asked", "the deadline has passed")
        if kind == "unreachable":
            self._wait(seconds)
            raise UnreachableHost(f"{self.host} cannot be reached", "connection refused")
        self._reach_it()
        self._wait(servers.rng.uniform(0.05, 0.4))
        if kind in ("lost_undone", "late"):
            if kind == "late":
                self._later(call, seconds)
            self._wait(servers.rng.uniform(0.1, 3.0))
            raise OutcomeUnknown(f"{self.host}: {call.name} was sent, and the connection broke", "connection reset")
        if kind == "hangs" and servers.scheduler.now + seconds > ends:
            self._later(call, seconds)
            self._wait(max(0.0, ends - servers.scheduler.now))
            raise Abandoned(f"{self.host}: {call.name} was given up", "no answer within the deadline")
        if kind in ("slow", "hangs"):
            self._wait(seconds)
        if servers.world.is_down(self.host):
            raise OutcomeUnknown(f"{self.host}: {call.name} was sent, and the connection broke", "connection reset")
        if kind == "refused":
            record = ErrorRecord("refused by the server", "Simulated,Refused", "System.InvalidOperationException")
            raise CommandFailed(f"{self.host}: {call.name} failed", record.message, records=(record,))
        result = servers.carry_out(self.inner, call, self.process, asked)
        self.process.boundary()
        self._wait(servers.rng.uniform(0.0, 0.2))
        if kind == "lost_done":
            raise OutcomeUnknown(f"{self.host}: {call.name} was sent, and the connection broke", "connection reset")
        return result

    def _later(self, call: Pipeline, seconds: float) -> None:
        """Have the server carry *call* out in so many seconds, whether or not its client lives then."""
        servers = self.servers
        asked = servers.scheduler.now

        def work() -> None:
            servers.scheduler.wait(seconds)
            if not servers.world.is_down(self.host):
                try:
                    servers.carry_out(self.inner, call, self.process, asked)
                except CommandFailed:
                    return  # nobody hears of it

        servers.scheduler.spawn(work, servers)


def cmdlet_of(call: Pipeline) -> str:
    """The name of the last cmdlet of *call*."""
    last = call.statements[-1][-1]
    return last.name if isinstance(last, Command) else "script"
