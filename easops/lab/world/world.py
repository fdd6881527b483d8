"""The world: servers, phones and a directory, moved on by discrete events.

What happens is decided by the scenario, the seed and the changes, each at its time. Whether and when anybody looks
makes no difference: reading moves the world up to now, and now would have come anyway.
"""

from __future__ import annotations

import datetime as dt
import heapq
import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from easops.errors import BadInput
from easops.lab.call import Call, Endpoint
from easops.lab.value import CmdletFailed, ErrorInfo
from easops.lab.world import eas_line_2010
from easops.lab.world.clock import WorldClock
from easops.lab.world.directory import ClientAccess, Directory, Mailbox
from easops.lab.world.eas_line import back_line, challenge_line, front_line, probe_lines, text
from easops.lab.world.host import Job, Pool, Server, Worker
from easops.lab.world.in_flight import InFlight
from easops.lab.world.product import SYNC_POOL, Model
from easops.lab.world.scenario import build_scenario, read_scenario
from easops.lab.world.state import Beginning, StateFolder
from easops.lab.world.stranding import Stranding
from easops.lab.world.throttling import Policy, is_low
from easops.lab.world.traffic import (
    Client,
    FirstSyncClient,
    HeavyClient,
    OrdinaryClient,
    Phone,
    Plan,
    Request,
    StormClient,
)
from easops.lab.world.view import View

ZONE: Final = dt.timezone(dt.timedelta(hours=1))
"""The servers' time zone. Not UTC, so that who mixes the two up is found out."""

DEFAULT_SCENARIO: Final = "contacts-storm"

_BLOCK_DELAY: Final = 8 * 3600.0
"""Seconds after which a worker process notices a block by itself. Source: KB 2612821, 8 to 24 hours."""
_POLICY_DELAY: Final = 900.0
"""Seconds after which it notices that a policy was edited: 5 to 15 minutes. That a user was given another policy it
does not notice before it restarts (KB 2689533)."""
_LIMITS: Final[Mapping[Model, tuple[str, str, str]]] = {
    "budget": ("EasMaxBurst", "EasCutoffBalance", "EasRechargeRate"),
    "percent": ("EASPercentTimeInAD", "EASPercentTimeInCAS", "EASPercentTimeInMailboxRPC"),
}
_PROBE_EVERY: Final = 90.0
_CLOCK_EVERY: Final = 2.0


class Answer(Protocol):
    """What answers a call: a cmdlet, or the twin of a script."""

    @property
    def endpoint(self) -> Endpoint: ...

    @property
    def run(self) -> Callable[[World, Call], Iterable[Any]]: ...

    @property
    def is_change(self) -> Callable[[Call], bool]: ...


class World:
    """One simulated organisation. All of it is behind one lock."""

    def __init__(
        self, state: StateFolder, beginning: Beginning, answers: Mapping[str, Answer], *, read_only: bool
    ) -> None:
        self.scenario = build_scenario(beginning.scenario, beginning.data)
        self.seed = beginning.seed
        self.start = beginning.start
        self.read_only = read_only
        self._state = state
        self._lock = threading.RLock()
        self._events: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._count = 0
        self._budgets: dict[tuple[Any, Model], tuple[Policy, Mapping[str, str]]] = {}
        self._policies_changed = float("-inf")
        begin = self.start - self.scenario.history
        self.time = begin
        self.moment = begin
        self.directory = Directory(self.scenario, self.seed)
        self.servers = {
            data.name: Server(data, self.scenario.domain, self.seed, begin, self.start, state.servers)
            for data in self.scenario.servers
        }
        self.phones: list[Phone] = []
        self.in_flight = InFlight()
        self._flooding: set[Mailbox] = set()
        self._populate(begin)
        changes = state.read_changes()
        for change in changes:
            self._run(change["time"])
            call = Call(change["server"], change["user"], change["cmdlet"], change["parameters"])
            list(answers[call.cmdlet].run(self, call))
        elapsed = max(state.read_clock(), *(change["time"] - self.start for change in changes), 0.0)
        self._run(self.start + elapsed)
        self.flush()
        state.write_clock(elapsed)
        # Its clock starts only now: what the generation took is not the world's time.
        self.clock = WorldClock(elapsed, beginning.speed)
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
        """The world that *path* holds, going on at *speed*; in a new folder, that of *scenario* (contacts-storm) and
        *seed* (1), which begins at *start* (now). The changes that are kept are replayed by *answers*, by name.

        Raises BadInput: no such scenario, the folder holds another world than the one named, or a lab runs there.
        """
        state = StateFolder(path)
        try:
            found = state.read()
            if found is None:
                name = scenario or DEFAULT_SCENARIO
                # Whole seconds, as the files' stamps.
                moment = float(int(time.time() if start is None else start.timestamp()))
                found = Beginning(name, read_scenario(name), 1 if seed is None else seed, moment, speed)
                state.write(found)
            elif (scenario or found.scenario, found.seed if seed is None else seed) != (found.scenario, found.seed):
                raise BadInput(
                    f"{path} holds scenario {found.scenario!r} with seed {found.seed}",
                    f"asked for was {scenario or found.scenario!r} with seed {found.seed if seed is None else seed}",
                    "name what it holds, or another --state folder",
                )
            going = Beginning(found.scenario, found.data, found.seed, found.start, speed)
            return cls(state, going, answers, read_only=read_only)
        except BaseException:
            state.close()
            raise

    # ---- time

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
            self._run(self.start + elapsed)
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
            self._run(self.start + elapsed)
            self.flush()
            self._state.write_clock(elapsed)
            self._state.close()

    def flush(self) -> None:
        """Bring all log lines to disk."""
        for server in self.servers.values():
            for log in server.logs.values():
                log.flush()

    # ---- calls

    def perform(self, answer: Answer, call: Call, moment: float | None = None) -> list[Any]:
        """Answer one call at the world's time now. A change is on disk when this returns; a read-only world refuses
        it.

        *moment* is when the pipeline began that it is a part of (as ``catch_up`` gave it): by that its readings of
        clocks and processors are stamped. Else they would be apart by the time that the statements of one call take,
        times the speed of the world.

        Raises CmdletFailed.
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
                kept = {"time": self.time, "server": call.server, "user": call.user, "cmdlet": call.cmdlet}
                self._state.add_change({**kept, "parameters": dict(call.parameters)})
            # Kept with each answer, so that no client ever sees the time go back.
            self._state.write_clock(self.time - self.start)
            self._journal(call, answer.endpoint, "ok")
            return output

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

    # ---- events

    def _at(self, moment: float, event: Callable[..., None], *arguments: Any) -> None:
        self._count += 1
        heapq.heappush(self._events, (moment, self._count, event, arguments))

    def _run(self, until: float) -> None:
        events = self._events
        while events and events[0][0] <= until:
            moment, _, event, arguments = heapq.heappop(events)
            self.time = moment
            event(*arguments)
        self.time = max(self.time, until)

    def _populate(self, begin: float) -> None:
        scenario = self.scenario
        storms = {storm.user: storm for storm in scenario.storms}
        heavy = {scenario.heavy.user: scenario.heavy} if scenario.heavy else {}
        first = {scenario.first_sync.user: scenario.first_sync} if scenario.first_sync else {}
        specials: tuple[Mapping[str, Any], ...] = (storms, heavy, first)
        serving = {user: special.server for group in specials for user, special in group.items()}
        storms_on = {name: sum(storm.server == name for storm in storms.values()) for name in self.servers}
        each = {
            name: scenario.load * server.processors / max(1, storms_on[name]) for name, server in self.servers.items()
        }
        crowd = random.Random(f"{self.seed}:phones")
        special: set[str] = set()
        for mailbox in self.directory.mailboxes:
            dice = crowd.random()
            if mailbox.monitoring:
                continue
            user = mailbox.display_name
            if user in special:
                user = ""  # a namesake of somebody special is not special
            elif user in storms or user in heavy or user in first:
                special.add(user)
                dice = 0.5
            for number in range(0 if dice < 0.06 else 2 if dice > 0.94 else 1):
                kind = storms[user].device if user in storms else None
                phone = Phone(mailbox, kind, self.servers, scenario, self.seed, number)
                self.phones.append(phone)
                if user in serving:
                    phone.settle(self.servers[serving[user]])
                client: Client
                if user in first:
                    client = FirstSyncClient(phone, self._rng(phone, "first"), first[user])
                    begins = self.start - client.rng.uniform(2300, 2700)
                    phone.partnership = self.start - begins
                elif user in heavy:
                    client = HeavyClient(phone, self._rng(phone, "heavy"), heavy[user])
                    begins = begin + client.rng.uniform(0, 30)
                else:
                    client = OrdinaryClient(phone, self._rng(phone, "ordinary"))
                    begins = begin + client.rng.uniform(0, 400)
                self._at(begins, self._start_request, client)
                if user in storms:
                    self._flooding.add(mailbox)
                    storm = StormClient(phone, self._rng(phone, "storm"), storms[user], each[storms[user].server])
                    self._at(begin + storm.rng.uniform(0, storms[user].interval), self._start_request, storm)
        for data in scenario.stranding:
            stranding = Stranding(data, self.servers[data.server], self.phones, self.in_flight, self.seed, self.start)
            self._strand(stranding)
        health = [mailbox for mailbox in self.directory.mailboxes if mailbox.monitoring]
        for index, server in enumerate(self.servers.values()):
            rng = random.Random(f"{self.seed}:probe:{server.name}")
            for mailbox in health:
                if mailbox.server == server.name:
                    self._at(begin + 10 + 20 * index, self._probe, server, mailbox.smtp, rng)

    def _rng(self, phone: Phone, purpose: str) -> random.Random:
        return random.Random(f"{self.seed}:{phone.device_id}:{purpose}")

    def _probe(self, server: Server, mailbox: str, rng: random.Random) -> None:
        front, back = probe_lines(server, mailbox, rng)
        server.logs[1].append(self.time, front)
        server.logs[2].append(self.time, back)
        server.sync_worker.cpu += 0.01
        self._at(self.time + _PROBE_EVERY + rng.random() * 4, self._probe, server, mailbox, rng)

    def _strand(self, stranding: Stranding) -> None:
        self._at(stranding.strand(self.time), self._strand, stranding)

    def _start_request(self, client: Client) -> None:
        now, phone = self.time, client.phone
        plan = client.plan(now)
        if plan.next_start is not None:
            self._at(plan.next_start, self._start_request, client)
        front, back = phone.front, phone.back
        if plan.challenged and plan.command != "OPTIONS":
            if front.product.has_back_end:
                front.logs[1].append(now, challenge_line(front, phone, plan.command))
            else:
                front.logs[1].append(now, eas_line_2010.challenge_line(front, phone, plan.command, client.rng))
        request = Request(client, plan.command, now, 0.0, front, back, front.sync_worker, back.sync_worker)
        self._decide(request, plan)
        self.in_flight.add(request, back, front)
        self._at(request.end, self._end_request, request)

    def _decide(self, request: Request, plan: Plan) -> None:
        """What becomes of a request: by what the worker process that serves it knows of its user."""
        now, worker, phone = self.time, request.back_worker, request.client.phone
        mailbox, rng = phone.mailbox, request.client.rng
        server = request.back
        known = self._seen(server, worker.started).access(mailbox)
        access = self._seen(server, max(worker.started, now - _BLOCK_DELAY)).access(mailbox)
        policy, limits = self._budget(known.policy, server, max(worker.started, now - _POLICY_DELAY))
        request.policy = text(policy.name)
        burst, cutoff, recharge = (limits[name] for name in _LIMITS[server.product.throttling])
        request.budget = (_amount(burst), _amount(cutoff), _amount(recharge))
        request.balance = int(burst) if burst.isdigit() else 480_000
        refused = self._refusal(access, phone, limits)
        if refused is None:
            request.end = now + plan.seconds
            request.folder, request.rpc, request.cost = plan.folder, plan.rpc, plan.cost
            request.bytes_out, request.bytes_in = plan.bytes_out, plan.bytes_in
            request.heartbeat, request.timed_out = plan.heartbeat, plan.timed_out
            if request.client.floods:
                request.balance -= int(plan.seconds * 1000)
            if plan.burn is not None:
                rate, seconds = plan.burn
                job = Job(worker, rate, now + seconds)
                request.back.add_job(job, now)
                self._at(job.until, self._end_job, request.back, job)
            return
        request.status, request.error, request.access = refused
        request.end = now + 0.03 + rng.random() * 0.25
        request.rpc = rng.randint(1, 5)
        request.cost = 0.01
        request.bytes_in = plan.bytes_in
        request.bytes_out = rng.randint(180, 260)
        if refused[1] == "OverBudget":
            request.balance = -int(cutoff) if cutoff.isdigit() else -1

    def _refusal(self, access: ClientAccess, phone: Phone, limits: Mapping[str, str]) -> tuple[int, str, str] | None:
        """HTTP status, error and access state of a request that is refused."""
        if not access.active_sync:
            return 403, "UserDisabledForSync", ""
        if phone.device_id in access.blocked:
            return 403, "DeviceIsBlockedForThisUser", "BlockedI"
        mailbox = phone.mailbox
        if mailbox in self._flooding and is_low(limits) and mailbox.display_name not in self.scenario.stubborn:
            return 503, "OverBudget", "AllowedG"
        return None

    def _seen(self, server: Server, time: float) -> View:
        """The directory as *server* saw it at *time*: as its own domain controller had it."""
        return View(self.directory, server.dc, time)

    def _budget(self, guid: Any, server: Server, known_at: float) -> tuple[Policy, Mapping[str, str]]:
        seen, model = self._seen(server, known_at), server.product.throttling
        if known_at < self._policies_changed:
            return seen.effective_policy(guid, model)
        found = self._budgets.get((guid, model))
        if found is None:
            found = self._budgets[guid, model] = seen.effective_policy(guid, model)
        return found

    def _end_job(self, server: Server, job: Job) -> None:
        server.end_job(job, self.time)

    def _end_request(self, request: Request) -> None:
        if request.lost:
            return
        now, client = self.time, request.client
        self.in_flight.remove(request)
        request.back_worker.cpu += request.cost
        request.front_worker.cpu += 0.004
        if request.status == 200 and request.command != "OPTIONS":
            client.phone.last_sync = now
        if request.back.product.has_back_end:
            request.back.logs[2].append(now, back_line(request, now, self.scenario.domain))
            request.front.logs[1].append(now, front_line(request, now, request.status))
        else:
            request.back.logs[1].append(now, eas_line_2010.line(request, now))
        pause = client.pause(request)
        if pause is not None:
            self._at(now + pause, self._start_request, client)

    def _lose_request(self, request: Request, worker: Worker) -> None:
        """*worker* went with the request inside: no line on its side (HTTP.sys writes that elsewhere)."""
        now, client = self.time, request.client
        request.lost = True
        self.in_flight.remove(request)
        if request.stranded:
            return
        if request.front_worker is not worker:
            request.front.logs[1].append(now, front_line(request, now, 503, 64))
        elif request.back_worker is not worker:
            request.back.logs[2].append(now, back_line(request, now, self.scenario.domain, 64))
        if not isinstance(client, StormClient):  # a storm comes at its interval whatever happens
            self._at(now + client.rng.uniform(1, 20), self._start_request, client)

    def _end_worker(self, server: Server, worker: Worker) -> None:
        for request in self.in_flight.inside(server, worker):
            self._lose_request(request, worker)
        server.end(worker, self.time)

    # ---- changes, each at the world's time

    def recycle(self, server: Server, pool: Pool) -> None:
        """Recycle *pool*: its worker process drains beside its successor, then goes."""
        old = pool.worker
        if old is None:
            return
        ends = [request.end for request in self.in_flight.inside(server, old)]
        self._at(server.recycle(pool, old, ends, self.time), self._end_worker, server, old)
        if pool.name == SYNC_POOL:
            for log in server.logs.values():
                log.restart(self.time)

    def policies_changed(self) -> None:
        """To be called after any change to a throttling policy."""
        self._budgets.clear()
        self._policies_changed = self.time + self.scenario.replication


def _amount(value: str) -> str:
    return value if value.isdigit() else "%24null"
