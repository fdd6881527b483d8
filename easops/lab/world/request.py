"""A request, what it does in a folder, and the client that sends it."""

from __future__ import annotations

import random

import attrs

from easops.lab.world.host import Server, Worker
from easops.lab.world.phone import Phone


@attrs.frozen
class Folder:
    """What a Sync did in one folder. *client* and *server* are the counts of what each side sent, as 2016 logs them."""

    kind: str
    state: str
    key: int
    client: str = "0a0c0d0f0e0s0fs"
    server: str = "0a0c0d0s0e0r0A0sd"
    size: int = 12

    @property
    def id(self) -> int:
        return {"Em": 5, "Co": 9, "Ca": 1, "Ta": 8}[self.kind]

    @property
    def filter(self) -> int:
        return {"Em": 3, "Co": 0, "Ca": 5, "Ta": 0}[self.kind]


@attrs.define(eq=False)
class Request:
    """One request in flight.

    *cost* are the seconds of processor time that are added at its end. *status* is the HTTP status. *budget* are the
    three limits that applied to it: burst, cutoff and recharge rate or, on 2010, the percentages of time in the
    directory, the server's own code and the mailbox store. *lost*: its worker process ended first. *stranded*: it never
    ends, and no client waits for it.
    """

    client: Client
    command: str
    start: float
    end: float
    front: Server
    back: Server
    front_worker: Worker
    back_worker: Worker
    status: int = 200
    error: str = ""
    folder: Folder | None = None
    rpc: int = 0
    cost: float = 0.0
    bytes_out: int = 300
    bytes_in: int = 200
    heartbeat: int = 0
    timed_out: bool = False
    access: str = "AllowedG"
    policy: str = ""
    budget: tuple[str, str, str] = ("480000", "600000", "1800000")
    balance: int = 0
    lost: bool = False
    stranded: bool = False


@attrs.frozen
class Plan:
    """The next request of a client.

    *burn* is (processors, seconds): a job, which may outlive the request. *next_start* is set by a client that sends
    its next request without waiting for this one's answer. *challenged*: it tries without credentials first.
    """

    command: str
    seconds: float
    folder: Folder | None = None
    rpc: int = 0
    cost: float = 0.02
    bytes_out: int = 300
    bytes_in: int = 200
    heartbeat: int = 0
    timed_out: bool = False
    burn: tuple[float, float] | None = None
    next_start: float | None = None
    challenged: bool = False


class Client:
    """Something on a phone that sends requests."""

    def __init__(self, phone: Phone, rng: random.Random) -> None:
        self.phone = phone
        self.rng = rng
        self.ended: bool = False  # it sends no more requests

    floods = False
    """Whether its requests are the fault that a low throttling budget stops."""

    def plan(self, now: float) -> Plan:
        """The request that starts now."""
        raise NotImplementedError

    def pause(self, request: Request) -> float | None:
        """Seconds from the end of *request* to the next start; None where ``Plan.next_start`` was set."""
        raise NotImplementedError
