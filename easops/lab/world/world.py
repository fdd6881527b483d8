"""The world: servers, phones and a directory, moved on by discrete events.

The scenario, the seed and the changes, each at its time, determine everything that happens. Reading does not: it only
lets happen what is due by now, which would happen anyway.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from easops.errors import BadInput
from easops.lab.call import Call, Endpoint
from easops.lab.value import CmdletFailed, ErrorInfo
from easops.lab.world.activesync import ActiveSync
from easops.lab.world.clients import StormClient
from easops.lab.world.clock import WorldClock
from easops.lab.world.directory import Directory
from easops.lab.world.events import EventQueue
from easops.lab.world.happening import Change, Happening, change_of
from easops.lab.world.host import Pool, Server
from easops.lab.world.in_flight import InFlight
from easops.lab.world.phone import Phone
from easops.lab.world.population import Population
from easops.lab.world.scenario import Scenario, build_scenario, read_scenario
from easops.lab.world.state import Beginning, StateFolder, WorldState

ZONE: Final = dt.timezone(dt.timedelta(hours=1))
"""The servers' time zone. It is not UTC, so that code that confuses the two fails."""

DEFAULT_SCENARIO: Final = "contacts-storm"

COLLEAGUE: Final = "colleague"
"""The account of the administrator who makes the changes of a scenario's happenings."""

_CLOCK_EVERY: Final = 2.0


class Answer(Protocol):
    """Answers a call: a cmdlet, or the twin of a script."""

    @property
    def endpoint(self) -> Endpoint: ...

    @property
    def run(self) -> Callable[[World, Call], Iterable[Any]]: ...

    @property
    def is_change(self) -> Callable[[Call], bool]: ...


class World:
    """One simulated organisation. One lock protects all of it."""

    def __init__(
        self, state: WorldState, beginning: Beginning, answers: Mapping[str, Answer], *, read_only: bool
    ) -> None:
        self.scenario: Scenario = build_scenario(beginning.scenario, beginning.data)
        self.seed: int = beginning.seed
        self.start: float = beginning.start
        self.read_only = read_only
        self._state = state
        self._lock = threading.RLock()
        begin = self.start - self.scenario.history
        self._events = EventQueue(begin)
        self.moment: float = begin
        self.directory: Directory = Directory(self.scenario, self.seed)
        self.servers: dict[str, Server] = {
            data.name: Server(data, self.scenario.domain, self.seed, begin, self.start, state.disk(data.name))
            for data in self.scenario.servers
        }
        self.active_sync: ActiveSync = ActiveSync(self.scenario, self.directory, self._events)
        self.in_flight: InFlight = self.active_sync.in_flight
        self._population = Population(
            self.scenario,
            self.seed,
            self.directory.mailboxes,
            self.servers,
            self.active_sync,
            self._events,
            self.start,
        )
        self.phones: list[Phone] = self._population.phones
        self._answers = answers
        self._resumed_until = self.start + state.read_clock()
        for happening in self.scenario.happenings:
            self._events.add(self.start + happening.at, self._happen, happening)
        changes = state.read_changes()
        for change in changes:
            self._events.run(change["time"])
            call = Call(change["server"], change["user"], change["cmdlet"], change["parameters"])
            list(answers[call.cmdlet].run(self, call))
        elapsed = max(state.read_clock(), *(change["time"] - self.start for change in changes), 0.0)
        self._events.run(self.start + elapsed)
        self.flush()
        state.write_clock(elapsed)
        # The clock starts only now, so that the time it took to make the world does not count.
        self.clock: WorldClock = WorldClock(elapsed, beginning.speed)
        self._clock_kept = time.monotonic()

    @classmethod
    def open(
        cls,
        path: Path,
        answers: Mapping[str, Answer],
        *,
        scenario: str | None = None,
        seed: int | None = None,
        speed: float = 1.0,
        start: dt.datetime | None = None,
        read_only: bool = False,
    ) -> World:
        """Resume the world in the state folder *path* at *speed*, or make a new one there.

        A new world has *scenario* (contacts-storm) and *seed* (1), and begins at *start* (now). *answers* are what may
        be called, by name; the stored changes are replayed with them.

        Raises BadInput: no such scenario, the folder has another world than the one named, or a lab is running there.
        """
        state = StateFolder(path)
        try:
            beginning = state.read()
            if beginning is None:
                name = scenario or DEFAULT_SCENARIO
                # Whole seconds, as the files' stamps.
                moment = float(int(time.time() if start is None else start.timestamp()))
                beginning = Beginning(name, read_scenario(name), 1 if seed is None else seed, moment, speed)
                state.write(beginning)
            elif (scenario or beginning.scenario, beginning.seed if seed is None else seed) != (
                beginning.scenario,
                beginning.seed,
            ):
                raise BadInput(
                    f"{path} contains scenario {beginning.scenario!r} with seed {beginning.seed}",
                    f"not {scenario or beginning.scenario!r} with seed {beginning.seed if seed is None else seed}",
                    "name that scenario and seed, or another --state folder",
                )
            resumed = Beginning(beginning.scenario, beginning.data, beginning.seed, beginning.start, speed)
            return cls(state, resumed, answers, read_only=read_only)
        except BaseException:
            state.close()
            raise

    # ---- time

    @property
    def time(self) -> float:
        """How far the world has moved on, in seconds since 1970."""
        return self._events.time

    def now(self) -> dt.datetime:
        """The world's time, aware, in UTC."""
        return dt.datetime.fromtimestamp(self.start + self.clock.elapsed(), dt.UTC)

    def local(self, moment: float) -> dt.datetime:
        """*moment* by the servers' wall clock."""
        return dt.datetime.fromtimestamp(moment, ZONE)

    def catch_up(self) -> float:
        """Move the world on to now, and now and then write the logs and keep the clock: called by a ticker, and before
        each call. Gives now, in seconds since 1970."""
        with self._lock:
            elapsed = self.clock.elapsed()
            self._events.run(self.start + elapsed)
            if time.monotonic() - self._clock_kept > _CLOCK_EVERY:
                self.flush()
                self._state.write_clock(elapsed)
                self._clock_kept = time.monotonic()
            return self.time

    def advance(self, seconds: float) -> None:
        """Move a clock that stands (speed 0) on by hand."""
        with self._lock:
            self.clock.advance(seconds)
            self.catch_up()

    def reach(self, elapsed: float) -> float:
        """Move a clock that stands on by what calls have taken, then to *elapsed* seconds since the world's start
        unless it is past that. Gives what it shows; that is on disk, so that a world started again does not go back.
        """
        with self._lock:
            before = self.clock.elapsed()
            self.clock.reach(elapsed)
            after = self.clock.elapsed()
            if after != before:
                self.catch_up()
                self._state.write_clock(after)
            return after

    def begin_call(self, server: str) -> float:
        """The moment of a call of *server*, in seconds since 1970: now. By a clock that stands it takes its time."""
        with self._lock:
            self.clock.count_call(server)
            return self.catch_up()

    def close(self) -> None:
        """Stop the clock where it is, and leave the folder as a restart wants it."""
        with self._lock:
            elapsed = self.clock.stop()
            self._events.run(self.start + elapsed)
            self.flush()
            self._state.write_clock(elapsed)
            self._state.close()

    def flush(self) -> None:
        """Write all log lines to disk."""
        for server in self.servers.values():
            for log in server.logs.values():
                log.flush()

    # ---- calls

    def perform(self, answer: Answer, call: Call, moment: float | None = None) -> list[Any]:
        """Answer one call at the world's time now. A change is on disk when this returns.

        *moment* is when the call's pipeline began, as ``catch_up`` gave it. Readings of clocks and processors have that
        time: on a fast clock those of one pipeline's statements would otherwise be seconds apart.

        Raises CmdletFailed, also for a change to a read-only world.
        """
        with self._lock:
            self.catch_up()
            self.moment = self.time if moment is None else moment
            try:
                change = answer.is_change(call)
                if change and self.read_only:
                    raise CmdletFailed(
                        ErrorInfo(
                            f"This lab is read-only: {call.cmdlet} would change it.",
                            "System.UnauthorizedAccessException",
                            f"LabReadOnly,{call.cmdlet}",
                            "PermissionDenied",
                            activity=call.cmdlet,
                        )
                    )
                output = list(answer.run(self, call))
            except CmdletFailed as error:
                self._journal(call, answer.endpoint, error.error.fqid)
                raise
            if change:
                change_call = {"time": self.time, "server": call.server, "user": call.user, "cmdlet": call.cmdlet}
                self._state.add_change({**change_call, "parameters": dict(call.parameters)})
            # Stored with each answer, so that after a restart no client sees the time go back.
            self._state.write_clock(self.time - self.start)
            self._journal(call, answer.endpoint, "ok")
            return output

    def calls(self) -> tuple[Mapping[str, Any], ...]:
        """Every call so far, of this world and of those that it resumes, oldest first."""
        with self._lock:
            return tuple(self._state.read_calls())

    def _journal(self, call: Call, endpoint: Endpoint, outcome: str) -> None:
        self._state.add_call(
            {
                "time": dt.datetime.fromtimestamp(self.time, dt.UTC).isoformat(),
                "server": call.server,
                "endpoint": endpoint,
                "user": call.user,
                "cmdlet": call.cmdlet,
                "parameters": dict(call.parameters),
                "outcome": outcome,
            }
        )

    # ---- what others do

    @property
    def storms(self) -> tuple[StormClient, ...]:
        """The storms that go on, whether or not they are refused."""
        return self._population.storms

    def is_down(self, server: str) -> bool:
        """Whether *server* is down now: it answers nobody."""
        with self._lock:
            self.catch_up()
            return self.servers[server].down

    def _happen(self, happening: Happening) -> None:
        """An event: what the scenario has for this moment. It is not stored, as a resumed world does it again."""
        match happening.what:
            case "begin_storm":
                self._population.begin_storm(happening.whom, happening.details)
            case "fix_device":
                self._population.end_storm(happening.whom)
            case "jump_clock":
                self.servers[happening.whom].jump_clock(self.time, happening.details["by"])
            case "server_down":
                self._go_down(self.servers[happening.whom], happening.details.get("for"))
            case _:
                self._change(change_of(happening, self._server_for(happening)))

    def _go_down(self, server: Server, seconds: float | None) -> None:
        if server.down:
            return
        self.active_sync.go_down(server)
        if seconds is not None:
            self._events.add(self.time + seconds, self.active_sync.come_up, server)

    def _change(self, change: Change | None) -> None:
        """A colleague makes a change; a refused one is only noted."""
        if change is None or self.servers[change.server].down:
            return
        call = Call(change.server, f"{self.scenario.netbios}\\{COLLEAGUE}", change.cmdlet, change.parameters)
        answer, outcome = self._answers[change.cmdlet], "ok"
        moment, self.moment = self.moment, self.time
        try:
            list(answer.run(self, call))
        except CmdletFailed as error:
            outcome = error.error.fqid
        self.moment = moment
        if self.time > self._resumed_until or self.time == self.start:
            self._journal(call, answer.endpoint, outcome)

    def _server_for(self, happening: Happening) -> str:
        """The server that a colleague asks: the one that it concerns, else one of the version that can do it."""
        if happening.server is not None:
            return happening.server
        model = None
        if happening.user is not None:
            found = self.directory.find_mailboxes(happening.whom)
            model = found[0].product.throttling if found else None
        else:
            named = [policy for policy in self.directory.policies if policy.name == happening.whom]
            model = named[-1].model if named else None
        able = [
            server.name for server in self.servers.values() if server.product.throttling == model and not server.down
        ]
        return next(iter(able or self.servers))

    def recycle(self, server: Server, pool: Pool) -> None:
        """Recycle *pool* at the world's time now."""
        self.active_sync.recycle(server, pool)

    def policies_changed(self) -> None:
        """To be called after any change to a throttling policy."""
        self.active_sync.policies_changed()
