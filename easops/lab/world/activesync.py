"""ActiveSync on the simulated servers: what becomes of each request that a phone sends, and what it leaves in the logs.

What a worker process knows of policies and blocks is not always what the directory says: see ``_decide``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, Final

import attrs

from easops.lab.world import eas_line_2010
from easops.lab.world.clients import StormClient
from easops.lab.world.directory import Directory
from easops.lab.world.eas_line import back_line, challenge_line, front_line, text
from easops.lab.world.events import EventQueue
from easops.lab.world.host import Job, Pool, Server, Worker
from easops.lab.world.in_flight import InFlight
from easops.lab.world.phone import Phone
from easops.lab.world.product import SYNC_POOL, Model
from easops.lab.world.recipient import ClientAccess, Mailbox
from easops.lab.world.request import Client, Plan, Request
from easops.lab.world.scenario import Scenario
from easops.lab.world.throttling import Policy, is_low
from easops.lab.world.view import View

_BLOCK_DELAY: Final = 8 * 3600.0
"""Seconds after which a worker process notices a block by itself. Source: KB 2612821, 8 to 24 hours."""
_POLICY_DELAY: Final = 900.0
"""Seconds after which it notices that a policy was edited: 5 to 15 minutes. It does not notice before it restarts that
a user was given another policy (KB 2689533)."""
_KEPT: Final = 100_000
_LIMITS: Final[Mapping[Model, tuple[str, str, str]]] = {
    "budget": ("EasMaxBurst", "EasCutoffBalance", "EasRechargeRate"),
    "percent": ("EASPercentTimeInAD", "EASPercentTimeInCAS", "EASPercentTimeInMailboxRPC"),
}


@attrs.frozen
class Answered:
    """A request that ended at *time* (seconds since 1970). *status* is that of HTTP; None: its worker process ended
    first. *error* is Exchange's word for a refusal."""

    time: float
    device: str
    server: str
    command: str
    status: int | None
    error: str


class ActiveSync:
    """The requests of all phones, from start to end. *flooding* are the mailboxes whose phones have the fault,
    *answered* the last requests that ended."""

    def __init__(self, scenario: Scenario, directory: Directory, events: EventQueue) -> None:
        self.in_flight: InFlight = InFlight()
        self.flooding: set[Mailbox] = set()
        self.answered: deque[Answered] = deque(maxlen=_KEPT)
        self._scenario = scenario
        self._directory = directory
        self._events = events
        self._effective: dict[tuple[Any, Model], tuple[Policy, Mapping[str, str]]] = {}
        self._policies_settled = float("-inf")

    def start_request(self, client: Client) -> None:
        """The next request of *client* starts now."""
        now, phone = self._events.time, client.phone
        if client.ended:
            return
        if phone.front.down or phone.back.down:
            self._events.add(now + client.rng.uniform(20, 60), self.start_request, client)
            return
        plan = client.plan(now)
        if plan.next_start is not None:
            self._events.add(plan.next_start, self.start_request, client)
        front, back = phone.front, phone.back
        if plan.challenged and plan.command != "OPTIONS":
            if front.product.has_back_end:
                front.logs[1].append(now, challenge_line(front, phone, plan.command))
            else:
                front.logs[1].append(now, eas_line_2010.challenge_line(front, phone, plan.command, client.rng))
        request = Request(client, plan.command, now, 0.0, front, back, front.sync_worker, back.sync_worker)
        self._decide(request, plan)
        self.in_flight.add(request, back, front)
        self._events.add(request.end, self._end_request, request)

    def _decide(self, request: Request, plan: Plan) -> None:
        """What becomes of a request, by what the worker process that serves it knows of its user.

        It knows the directory as it was when it started. It also notices edited policies and blocks, but late.
        """
        now, worker, phone = self._events.time, request.back_worker, request.client.phone
        rng, server = request.client.rng, request.back
        access = self._access(phone.mailbox, server, worker)
        policy, limits = self._applied(phone.mailbox, server, worker)
        request.policy = text(policy.name)
        burst, cutoff, recharge = (limits[name] for name in _LIMITS[server.product.throttling])
        request.budget = (_amount(burst), _amount(cutoff), _amount(recharge))
        request.balance = int(burst) if burst.isdigit() else 480_000
        refusal = self._refusal(access, phone, limits)
        if refusal is None:
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
                self._events.add(job.until, self._end_job, request.back, job)
            return
        request.status, request.error, request.access = refusal
        request.end = now + 0.03 + rng.random() * 0.25
        request.rpc = rng.randint(1, 5)
        request.cost = 0.01
        request.bytes_in = plan.bytes_in
        request.bytes_out = rng.randint(180, 260)
        if request.error == "OverBudget":
            request.balance = -int(cutoff) if cutoff.isdigit() else -1

    def refuses(self, phone: Phone) -> bool:
        """Whether a request that *phone* sent now would be refused, or get no answer as a server is down."""
        server = phone.back
        if server.down or phone.front.down:
            return True
        access = self._access(phone.mailbox, server, server.sync_worker)
        return self._refusal(access, phone, self.limits_of(phone.mailbox, server)[1]) is not None

    def limits_of(self, mailbox: Mailbox, server: Server) -> tuple[Policy, Mapping[str, str]]:
        """The policy that the worker process of *server*'s sync pool applies to *mailbox* now, and its values."""
        return self._applied(mailbox, server, server.sync_worker)

    def _access(self, mailbox: Mailbox, server: Server, worker: Worker) -> ClientAccess:
        """What *worker* knows of *mailbox*: a block is noticed late."""
        return self._view(server, max(worker.started, self._events.time - _BLOCK_DELAY)).access(mailbox)

    def _applied(self, mailbox: Mailbox, server: Server, worker: Worker) -> tuple[Policy, Mapping[str, str]]:
        """The policy that *worker* applies to *mailbox*, and its values: an edit is noticed late, and another policy of
        the user not before the process restarts."""
        associated = self._view(server, worker.started).access(mailbox).policy
        return self._limits(associated, server, max(worker.started, self._events.time - _POLICY_DELAY))

    def _refusal(self, access: ClientAccess, phone: Phone, limits: Mapping[str, str]) -> tuple[int, str, str] | None:
        """HTTP status, error and access state of a request that is refused; None where it is not."""
        if not access.active_sync:
            return 403, "UserDisabledForSync", ""
        if phone.device_id in access.blocked:
            return 403, "DeviceIsBlockedForThisUser", "BlockedI"
        mailbox = phone.mailbox
        if mailbox in self.flooding and is_low(limits) and mailbox.display_name not in self._scenario.stubborn:
            return 503, "OverBudget", "AllowedG"
        return None

    def _view(self, server: Server, time: float) -> View:
        """The directory as *server*'s own domain controller had it at *time*."""
        return View(self._directory, server.dc, time)

    def _limits(self, policy: Any, server: Server, time: float) -> tuple[Policy, Mapping[str, str]]:
        """The policy that applied on *server* at *time* to a user who is associated with *policy*, and its values.

        They are cached once no change to a policy is on its way between domain controllers.
        """
        view, model = self._view(server, time), server.product.throttling
        if time < self._policies_settled:
            return view.effective_policy(policy, model)
        cached = self._effective.get((policy, model))
        if cached is None:
            cached = self._effective[policy, model] = view.effective_policy(policy, model)
        return cached

    def _end_job(self, server: Server, job: Job) -> None:
        server.end_job(job, self._events.time)

    def _end_request(self, request: Request) -> None:
        if request.lost:
            return
        now, client = self._events.time, request.client
        self.in_flight.remove(request)
        self._note(request, request.status)
        request.back_worker.cpu += request.cost
        request.front_worker.cpu += 0.004
        if request.status == 200 and request.command != "OPTIONS":
            client.phone.last_sync = now
        if request.back.product.has_back_end:
            request.back.logs[2].append(now, back_line(request, now, self._scenario.domain))
            request.front.logs[1].append(now, front_line(request, now, request.status))
        else:
            request.back.logs[1].append(now, eas_line_2010.line(request, now))
        pause = client.pause(request)
        if pause is not None:
            self._events.add(now + pause, self.start_request, client)

    def _lose_request(self, request: Request, worker: Worker) -> None:
        """*worker* ended while it had the request: there is no line on its side (HTTP.sys logs that elsewhere)."""
        now, client = self._events.time, request.client
        request.lost = True
        self.in_flight.remove(request)
        if request.stranded:
            return
        self._note(request, None)
        if request.front_worker is not worker:
            request.front.logs[1].append(now, front_line(request, now, 503, 64))
        elif request.back_worker is not worker:
            request.back.logs[2].append(now, back_line(request, now, self._scenario.domain, 64))
        if not isinstance(client, StormClient):  # a storm sends at its own interval, whatever happens
            self._events.add(now + client.rng.uniform(1, 20), self.start_request, client)

    def _note(self, request: Request, status: int | None) -> None:
        device, server = request.client.phone.device_id, request.back.name
        self.answered.append(Answered(self._events.time, device, server, request.command, status, request.error))

    def recycle(self, server: Server, pool: Pool) -> None:
        """Recycle *pool* now: its worker process ends its requests beside its successor, then ends."""
        old = pool.worker
        if old is None:
            return
        ends = [request.end for request in self.in_flight.inside(server, old)]
        gone = server.recycle(pool, old, ends, self._events.time)
        self._events.add(gone, self._end_worker, server, old)
        if pool.name == SYNC_POOL:
            for log in server.logs.values():
                log.restart(self._events.time)

    def _end_worker(self, server: Server, worker: Worker) -> None:
        if worker not in server.workers:
            return  # it was recycled, and ended earlier with its server
        for request in self.in_flight.inside(server, worker):
            self._lose_request(request, worker)
        server.end(worker, self._events.time)

    def go_down(self, server: Server) -> None:
        """*server* goes down now, and all its worker processes with their requests."""
        server.down = True
        for worker in list(server.workers):
            self._end_worker(server, worker)
        for log in server.logs.values():
            log.flush()

    def come_up(self, server: Server) -> None:
        server.restart(self._events.time)
        for log in server.logs.values():
            log.restart(self._events.time)

    def policies_changed(self) -> None:
        """To be called after any change to a throttling policy."""
        self._effective.clear()
        self._policies_settled = self._events.time + self._scenario.replication


def _amount(value: str) -> str:
    return value if value.isdigit() else "%24null"
