"""Phones and what they send: each by its own timetable and its own random numbers, so that one change to the world
does not shift what the others do."""

from __future__ import annotations

import base64
import random
from typing import Final
from urllib.parse import quote

import attrs

from easops.lab.world.directory import Mailbox
from easops.lab.world.host import Server, Worker
from easops.lab.world.scenario import FirstSync, Heavy, Scenario, Storm

COMMANDS: Final = {
    "Sync": 0, "SendMail": 1, "SmartForward": 2, "SmartReply": 3, "FolderSync": 9, "MeetingResponse": 15, "Search": 16,
    "Settings": 17, "Ping": 18, "ItemOperations": 19,
}  # fmt: skip
"""Command codes of the base64 query. Source: MS-ASHTTP 2.2.1.1.1.1.2."""

_MODELS: Final = {
    "iPhone": ("Apple-iPhone12C1/1808.120", "Apple-iPhone13C4/1905.258", "Apple-iPhone14C5/2001.90"),
    "SamsungDevice": ("Android-SAMSUNG-SM-G991B/101.110", "Android-SAMSUNG-SM-A525F/101.110"),
    "Android": ("Android/12-EAS-2.0", "Android/11-EAS-2.0"),
    "Outlook": ("Outlook-iOS-Android/1.0",),
}  # fmt: skip
_MIX: Final = ("iPhone", "iPhone", "iPhone", "SamsungDevice", "SamsungDevice", "Android", "Outlook")
_PROTOCOL: Final = {"iPhone": 161, "SamsungDevice": 160, "Android": 141, "Outlook": 161}


class Phone:
    """One device of one mailbox, and how it shows itself in the logs.

    *front* is the server whose front end the balancer gives it, *back* the one that does its work and logs it: that
    with the mailbox, or on 2010 the client access server itself.
    """

    def __init__(
        self,
        mailbox: Mailbox,
        kind: str | None,
        servers: dict[str, Server],
        scenario: Scenario,
        seed: int,
        number: int,
    ) -> None:
        rng = random.Random(f"{seed}:phone:{mailbox.guid}:{number}")
        self.mailbox = mailbox
        self.kind = kind or rng.choice(_MIX)
        letters = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
        prefix = {"iPhone": "APPL", "SamsungDevice": "SEC", "Android": "androidc", "Outlook": ""}[self.kind]
        self.device_id = prefix + "".join(rng.choice(letters) for _ in range(24 - len(prefix) if prefix else 32))
        self.user_agent = rng.choice(_MODELS[self.kind])
        self.protocol = min(_PROTOCOL[self.kind], mailbox.product.protocol)
        self.heartbeat = rng.choice(scenario.heartbeats)
        self.news = scenario.news
        self.policy_key = rng.getrandbits(31)
        self.ip = rng.choice(("198.51.100.", "203.0.113.", "192.0.2.")) + str(rng.randint(2, 250))
        self.home = servers[mailbox.server]
        doors = [door for door in servers.values() if door.client_access and door.product is mailbox.product]
        self.front = rng.choice(doors)
        self.back = self.home if mailbox.product.has_back_end else self.front
        self.partnership = rng.uniform(20, 700) * 86_400  # seconds before the start
        self.guid = rng.getrandbits(128)
        self.last_sync: float | None = None
        self.folders = rng.randint(3, 12)
        upn = rng.random() < 0.1
        self.account = mailbox.smtp if upn else f"{mailbox.netbios}\\{mailbox.sam}"
        self.other_account = f"{mailbox.netbios}\\{mailbox.sam}" if upn else mailbox.smtp
        typed = rng.choice((mailbox.smtp, f"{mailbox.netbios}\\{mailbox.sam}", mailbox.sam))
        self._typed = quote(typed, safe="@" if rng.random() < 0.5 else "")
        self._binary = self.kind != "Android" and rng.random() < 0.4
        self._command_last = self.kind == "iPhone"
        self._plain: dict[str, str] = {}
        self._front: dict[str, str] = {}

    def settle(self, server: Server) -> None:
        """On 2010: *server* is the client access server that it always meets."""
        if not self.mailbox.product.has_back_end:
            self.front = self.back = server

    def query(self, command: str) -> str:
        """The query as the back end logs it, which is plain also where the phone sent base64."""
        found = self._plain.get(command)
        if found is None:
            device = f"User={self._typed}&DeviceId={self.device_id}&DeviceType={self.kind}"
            found = f"{device}&Cmd={command}" if self._command_last else f"Cmd={command}&{device}"
            self._plain[command] = found
        return found

    def front_query(self, command: str) -> str:
        """The query as the phone sent it."""
        found = self._front.get(command)
        if found is None:
            found = self.query(command) if not self._binary else self._base64(command)
            self._front[command] = found
        return found

    def _base64(self, command: str) -> str:
        device, kind = self.device_id.encode(), self.kind.encode()
        data = bytes((self.protocol, COMMANDS[command], 0x09, 0x04, len(device))) + device
        data += b"\x04" + self.policy_key.to_bytes(4, "little") + bytes((len(kind),)) + kind
        return base64.b64encode(data).decode()


@attrs.frozen
class Folder:
    """What a Sync did in one folder: *client* and *server* are the counts of what each sent, in the newest form."""

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
    """One request in flight. *cost* are seconds of processor time that it takes at its end; *job*, where there is
    one, burns beside it. *status* is the HTTP status, *budget* the three limits that ruled it: burst, cutoff and
    recharge rate, or the percents of time in the directory, the server's own code and the mailbox store. Of a
    *stranded* one nobody waits for the end any more."""

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
    """What a client does next. *burn* is (processors, seconds): work that outlives the request or not; *next_start*
    is set by a client that does not wait for its answer before it decides when to come again."""

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

    floods = False
    """Whether its requests are what a low throttling budget stops."""

    def plan(self, now: float) -> Plan:
        """The request that starts now."""
        raise NotImplementedError

    def pause(self, request: Request) -> float | None:
        """Seconds until the next start, after *request* ended; None where ``Plan.next_start`` has said it."""
        raise NotImplementedError


class OrdinaryClient(Client):
    """Mail, calendar and contacts as people use them: a Ping until something comes, a Sync to fetch it."""

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
            comes = rng.expovariate(self._arrivals)
            self._news = comes < heartbeat
            seconds = min(comes, heartbeat) + rng.random() * 0.2
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
    """The fault: all contacts are posted again and again, at an interval of the phone's own. Nobody waits for the
    answer long; the work in the worker process goes on until after the next post has come."""

    floods = True

    def __init__(self, phone: Phone, rng: random.Random, storm: Storm, processors: float) -> None:
        super().__init__(phone, rng)
        self._storm = storm
        self._processors = processors
        self._key = rng.randint(40, 400)

    def plan(self, now: float) -> Plan:
        rng, storm = self.rng, self._storm
        interval = storm.interval * rng.uniform(0.985, 1.015)
        rpc = rng.randint(*storm.rpc)
        share = (rpc - storm.rpc[0]) / max(1, storm.rpc[1] - storm.rpc[0])
        folder = Folder(
            "Co", rng.choice("RRS"), self._key, client=f"{storm.contacts}a0c0d0f{rng.randint(0, 3)}e0s0fs",
            size=rng.randint(30, 60),
        )  # fmt: skip
        return Plan(
            "Sync", 20 + 62 * share + rng.random() * 8, folder, rpc, 1.0,
            bytes_out=int(storm.contacts * rng.uniform(60, 90)), bytes_in=int(storm.contacts * rng.uniform(480, 560)),
            burn=(self._processors * rng.uniform(0.98, 1.04), interval * rng.uniform(1.02, 1.1)),
            next_start=now + interval,
        )  # fmt: skip

    def pause(self, request: Request) -> None:
        return None


class HeavyClient(Client):
    """Very many requests, each of them cheap: busy, and no fault."""

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
    """A new phone: a few very expensive syncs in which the server sends everything, then a life like any other's."""

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
