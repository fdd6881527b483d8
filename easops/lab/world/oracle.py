"""The truth about a world, for tests and simulations: what no server would tell, or not at this moment.

An oracle only looks. It asks nothing over the protocol, takes no time of the world's clock, and is in no list of calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from easops.lab.world.activesync import Answered
from easops.lab.world.recipient import Mailbox
from easops.lab.world.world import World


@attrs.frozen
class Flood:
    """A device that posts again and again: *mailbox* is the primary address of its user, *server* does the work.

    *refused*: the next post would be refused, by a throttling policy or a block that the worker process knows of.
    """

    mailbox: str
    device: str
    server: str
    refused: bool


@attrs.frozen
class WorkerProcess:
    """A worker process of a pool, which started at *started* (seconds since 1970). *drains*: it is recycled, and takes
    no new requests."""

    pool: str
    pid: int
    started: float
    drains: bool


@attrs.frozen
class StrandedPing:
    """A request that never ends: it began at *start* (seconds since 1970), and no client waits for it."""

    mailbox: str
    device: str
    start: float
    pid: int


@attrs.frozen
class Limits:
    """The throttling policy that a server's sync worker process applies to a user, and its ActiveSync *values*."""

    policy: str
    values: Mapping[str, str]


@attrs.frozen
class Oracle:
    """What is true in *world* now."""

    world: World

    def floods(self) -> tuple[Flood, ...]:
        """The devices whose storm goes on: they would flood if nothing refused them."""
        return tuple(
            Flood(phone.mailbox.smtp, phone.device_id, phone.back.name, self.world.active_sync.refuses(phone))
            for phone in (storm.phone for storm in self.world.storms)
        )

    def workers(self, server: str) -> tuple[WorkerProcess, ...]:
        """The worker processes of *server*, those of all its pools; none while it is down."""
        return tuple(
            WorkerProcess(worker.pool, worker.pid, worker.started, worker.drains_until is not None)
            for worker in self.world.servers[server].workers
        )

    def limits(self, user: str, server: str) -> Limits:
        """What the worker process of *server*'s sync pool applies to *user* now, whatever the directory says."""
        host, mailbox = self.world.servers[server], self._mailbox(user)
        policy, values = self.world.active_sync.limits_of(mailbox, host)
        return Limits(policy.name, {name: value for name, value in values.items() if name.lower().startswith("eas")})

    def stranded(self, server: str) -> tuple[StrandedPing, ...]:
        """The stranded requests in the worker processes of *server*, oldest first."""
        host = self.world.servers[server]
        return tuple(
            StrandedPing(
                request.client.phone.mailbox.smtp,
                request.client.phone.device_id,
                request.start,
                request.back_worker.pid,
            )
            for request in self.world.in_flight.of(host)
            if request.stranded and request.back is host
        )

    def answers(self, device: str, since: float) -> tuple[Answered, ...]:
        """The requests of *device* that ended at *since* (seconds since 1970) or later, oldest first."""
        return tuple(
            answered
            for answered in self.world.active_sync.answered
            if answered.device == device and answered.time >= since
        )

    def calls(self) -> tuple[Mapping[str, Any], ...]:
        """Every call so far, oldest first: its time, user, server, cmdlet, parameters and outcome."""
        return self.world.calls()

    def _mailbox(self, user: str) -> Mailbox:
        """The mailbox of that name or address. Raises KeyError."""
        found = self.world.directory.find_mailboxes(user)
        if not found:
            raise KeyError(user)
        return found[0]
