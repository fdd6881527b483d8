"""What runs on phones: ordinary use, a contact-sync storm, very many cheap requests, a first sync.

Each client has its own timetable and its own random numbers, so that a change to the world does not shift what the
others do.
"""

from __future__ import annotations

import random

from easops.lab.world.phone import Phone
from easops.lab.world.request import Client, Folder, Plan, Request
from easops.lab.world.scenario import FirstSync, Heavy, Storm

_BURST, _IN_BURST = 3, 4.0
"""How many requests a burst has, and the seconds between their starts."""


class OrdinaryClient(Client):
    """Ordinary use of mail, calendar and contacts: a Ping until there is something new, then a Sync to fetch it."""

    def __init__(self, phone: Phone, rng: random.Random) -> None:
        super().__init__(phone, rng)
        self._key = rng.randint(20, 4000)
        self._news = False
        self._arrivals = 1.0 / rng.uniform(*phone.news)

    def plan(self, now: float) -> Plan:
        rng = self.rng
        challenged = rng.random() < 0.03
        if not self._news:
            dice = rng.random()
            if dice < 0.06:
                return self._other(dice / 0.06, challenged)
            heartbeat = self.phone.heartbeat
            arrival = rng.expovariate(self._arrivals)
            self._news = arrival < heartbeat
            seconds = min(arrival, heartbeat) + rng.random() * 0.2
            return Plan(
                "Ping", max(0.3, seconds), rpc=rng.randint(1, 6), cost=0.012, heartbeat=heartbeat,
                timed_out=not self._news, bytes_out=rng.randint(240, 300), bytes_in=rng.randint(180, 420),
                challenged=challenged,
            )  # fmt: skip
        self._news = rng.random() < 0.12
        self._key += 1
        dice = rng.random()
        if dice < 0.8:
            folder = Folder("Em", "S", self._key, server=f"{rng.randint(1, 4)}a{rng.randint(0, 3)}c0d0s0e0r0A0sd")
        elif dice < 0.93:
            folder = Folder("Ca", "S", self._key, server=f"{rng.randint(0, 2)}a1c0d0s0e0r0A0sd")
        else:
            folder = Folder("Co", "S", self._key, client=f"{rng.randint(0, 2)}a1c0d0f0e0s0fs")
        rpc = rng.randint(9, 70)
        return Plan(
            "Sync", 0.06 + rpc * 0.004 + rng.random() * 0.3, folder, rpc, 0.03 + rpc * 0.0025,
            bytes_out=rng.randint(400, 42_000), bytes_in=rng.randint(300, 900), challenged=challenged,
        )  # fmt: skip

    def _other(self, dice: float, challenged: bool) -> Plan:
        rng = self.rng
        if dice < 0.4:
            command, rpc = rng.choice(("SendMail", "SmartReply", "SmartReply", "SmartForward")), rng.randint(20, 90)
        elif dice < 0.65:
            command, rpc = "FolderSync", rng.randint(6, 30)
        elif dice < 0.85:
            command, rpc = "ItemOperations", rng.randint(5, 60)
        elif dice < 0.93:
            command, rpc = "Settings", rng.randint(2, 9)
        else:
            command, rpc = "OPTIONS", 0
        return Plan(
            command, 0.02 + rpc * 0.005 + rng.random() * 0.2, None, rpc, 0.02 + rpc * 0.002,
            bytes_out=rng.randint(200, 4000), bytes_in=rng.randint(200, 30_000), challenged=challenged,
        )  # fmt: skip

    def pause(self, request: Request) -> float:
        if request.status in (403, 503):
            return self.rng.uniform(300, 900)
        return self.rng.uniform(0.2, 2.5) if request.command != "Ping" or self._news else self.rng.uniform(1, 30)


class StormClient(Client):
    """The fault of KB 2711053: the phone posts all contacts again and again, at its own interval; or another flood of
    the storm's kind.

    It soon stops waiting for the answer, but the work in the worker process lasts until after the next post.
    """

    floods = True

    def __init__(self, phone: Phone, rng: random.Random, storm: Storm, processors: float) -> None:
        super().__init__(phone, rng)
        self._storm = storm
        self._processors = processors
        self._key = rng.randint(40, 400)
        self._rest_of_burst = 0

    def plan(self, now: float) -> Plan:
        rng, storm = self.rng, self._storm
        interval = storm.interval * rng.uniform(0.985, 1.015)
        wait, burns = interval, True
        if storm.kind == "bursts":
            burns = self._rest_of_burst == 0
            self._rest_of_burst = (self._rest_of_burst or _BURST) - 1
            wait = _IN_BURST if self._rest_of_burst else interval - (_BURST - 1) * _IN_BURST
        rpc = rng.randint(*storm.rpc)
        share = (rpc - storm.rpc[0]) / max(1, storm.rpc[1] - storm.rpc[0])
        folder: Folder | None = Folder(
            "Co", rng.choice("RRS"), self._key, client=f"{storm.contacts}a0c0d0f{rng.randint(0, 3)}e0s0fs",
            size=rng.randint(30, 60),
        )  # fmt: skip
        seconds = 20 + 62 * share + rng.random() * 8
        command = "Sync"
        match storm.kind:
            case "overlapping":
                seconds = interval * rng.uniform(1.2, 1.6)
            case "calendar":
                folder = Folder(
                    "Ca", "R", self._key, client="3a1c0d0f0e0s0fs", server=f"{rng.randint(0, 2)}a3c0d0s0e0r0A0sd"
                )
            case "full_syncs":
                folder = Folder("Co", "F", 0, server=f"{storm.contacts}a0c0d0s0e0r0A0sd")
            case "meeting_responses":
                command, folder = "MeetingResponse", None
        burn = (self._processors * rng.uniform(0.98, 1.04), interval * rng.uniform(1.02, 1.1))
        return Plan(
            command, seconds, folder, rpc, 1.0,
            bytes_out=int(storm.contacts * rng.uniform(60, 90)), bytes_in=int(storm.contacts * rng.uniform(480, 560)),
            burn=burn if burns else None, next_start=now + wait,
        )  # fmt: skip

    def pause(self, request: Request) -> None:
        return None


class HeavyClient(Client):
    """Very many cheap requests: busy, but no fault."""

    def __init__(self, phone: Phone, rng: random.Random, heavy: Heavy) -> None:
        super().__init__(phone, rng)
        self._every = heavy.every
        self._key = rng.randint(4000, 9000)

    def plan(self, now: float) -> Plan:
        rng = self.rng
        self._key += 1
        kind = rng.choice(("Em", "Em", "Em", "Ca", "Co"))
        rpc = rng.randint(20, 190)
        folder = Folder(kind, "S", self._key, server=f"{rng.randint(0, 6)}a0c0d0s0e0r0A0sd")
        return Plan(
            "Sync", 0.05 + rpc * 0.003 + rng.random() * 0.2, folder, rpc, 0.02 + rpc * 0.001,
            bytes_out=rng.randint(400, 9000), bytes_in=rng.randint(300, 800),
        )  # fmt: skip

    def pause(self, request: Request) -> float:
        return self.rng.uniform(300, 900) if request.status in (403, 503) else self._every * self.rng.uniform(0.5, 1.5)


class FirstSyncClient(OrdinaryClient):
    """A new phone: a few very expensive syncs, in which the server sends everything, then ordinary use."""

    def __init__(self, phone: Phone, rng: random.Random, first: FirstSync) -> None:
        super().__init__(phone, rng)
        self._left = first.times

    def plan(self, now: float) -> Plan:
        if self._left == 0:
            return super().plan(now)
        rng = self.rng
        self._left -= 1
        rpc = rng.randint(2250, 3900)
        folder = Folder("Co", "F", 0, server=f"{rng.randint(380, 512)}a0c0d0s0e0r0A0sd", size=rng.randint(60, 200))
        return Plan(
            "Sync", 15 + rpc * 0.006 + rng.random() * 5, folder, rpc, 2.0,
            bytes_out=rng.randint(600_000, 1_800_000), bytes_in=rng.randint(400, 700), burn=(0.6, 20.0),
        )  # fmt: skip

    def pause(self, request: Request) -> float:
        return self.rng.uniform(120, 420) if self._left else super().pause(request)
