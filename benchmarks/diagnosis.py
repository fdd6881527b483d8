"""How often contact_sync_storm names the guilty, and nobody else, and whether it ever proves an end that was none.

Makes worlds from seeds: the logs of one to three servers of 2010 or 2016, with people who flood in many ways, people
who do not but look like it, ordinary use, damage and hostile lines. The rules were made with odd seeds; even seeds are
reported.

    python benchmarks/diagnosis.py [--worlds 700] [--kind NAME] [--odd]

Prints recall by kind of flood, what was named of each kind of innocent, the time to detection in retry intervals, and
the false proofs of ``verify`` over floods that go on.
"""

from __future__ import annotations

import argparse
import datetime as dt
import random
import statistics
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import attrs

from easops.detectors.contact_sync.criteria import Criteria
from easops.detectors.contact_sync.host_log import EasLogReading, HostLog, read_log_files
from easops.detectors.contact_sync.judgement import judge_files
from easops.detectors.contact_sync.suspicion import suspect
from easops.detectors.contact_sync.sync import ContactSync
from easops.detectors.contact_sync.verification import verify
from easops.detectors.contact_sync_storm import CONTACT_SYNC_STORM
from easops.exchange.mailbox import Mailbox
from easops.parameter import values_of

NOW: Final = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
HOURS: Final = 3.0
MINUTE: Final = 60.0


@attrs.frozen
class Request:
    """One request: when it *start*ed (seconds before NOW are negative), how long it took, and what it did."""

    start: float
    seconds: float
    user: str
    device: str
    sent: int = 0
    received: int = 0
    rpc: int = 20
    sync_type: str = "S"
    key: int | None = None
    folder: str = "Em"
    command: str = "Sync"
    status: int = 200
    server: int = 0
    logged: bool = True

    @property
    def end(self) -> float:
        return self.start + self.seconds


@attrs.frozen
class Person:
    """One user: the *kind* of his doing, its requests, and whether it is a flood that goes on."""

    name: str
    kind: str
    guilty: bool
    requests: tuple[Request, ...]


@attrs.frozen
class World:
    """The people of a world, and the form of its logs: of 2010, or of 2016 and later."""

    seed: int
    modern: bool
    servers: int
    people: tuple[Person, ...]


# -- people -----------------------------------------------------------------------------------------------------------

Maker = Callable[[random.Random, str], list[Request]]


def _flood(
    rng: random.Random,
    name: str,
    interval: float,
    *,
    jitter: float = 0.03,
    sent: tuple[int, int] = (600, 4000),
    rpc: tuple[int, int] = (2100, 6000),
    seconds: tuple[float, float] = (10, 90),
    until: float = 0.0,
    attempts: int | None = None,
    keys: str = "stands",
    **more: Any,
) -> list[Request]:
    """Posts of all contacts each *interval* seconds, the last less than one interval before *until*."""
    contacts = rng.randint(*sent)
    number = attempts or rng.randint(4, max(4, int(HOURS * 3600 / interval) - 1))
    key = rng.randint(2, 900) if keys != "none" else None
    start = until - rng.uniform(0.05, 0.95) * interval - seconds[1]
    found = []
    for _ in range(number):
        took = rng.uniform(*seconds)
        found.append(
            Request(
                start,
                took,
                name,
                f"DEV{name.upper()}",
                contacts,
                rpc=rng.randint(*rpc),
                key=key,
                folder="Co",
                sync_type=rng.choice("RS"),
                **more,
            )
        )
        start -= interval * rng.uniform(1 - jitter, 1 + jitter)
    return found[::-1]


def _every(low: float, high: float, **more: Any) -> Maker:
    def make(rng: random.Random, name: str) -> list[Request]:
        return _flood(rng, name, rng.uniform(low, high) * MINUTE, keys=rng.choice(("stands", "none")), **more)

    return make


def _bursts(rng: random.Random, name: str) -> list[Request]:
    attempts = _flood(rng, name, rng.uniform(5, 20) * MINUTE, seconds=(2, 10), attempts=rng.randint(4, 7))
    burst = []
    for attempt in attempts:
        start = attempt.start
        for _ in range(rng.randint(2, 4)):
            burst.append(attrs.evolve(attempt, start=start))
            start += attempt.seconds + rng.uniform(1, 8)
    return burst


def _overlapping(rng: random.Random, name: str) -> list[Request]:
    interval = rng.uniform(3, 8) * MINUTE
    return _flood(rng, name, interval, seconds=(interval * 1.05, interval * 1.6), attempts=rng.randint(5, 12))


def _second_before_the_first_ends(rng: random.Random, name: str) -> list[Request]:
    attempts = _flood(rng, name, rng.uniform(8, 20) * MINUTE, seconds=(60, 100), attempts=rng.randint(4, 7))
    return [one for attempt in attempts for one in (attempt, attrs.evolve(attempt, start=attempt.start + 40))]


def _two_devices(rng: random.Random, name: str) -> list[Request]:
    other = _flood(rng, name, rng.uniform(10, 28) * MINUTE, attempts=rng.randint(2, 4))
    return _flood(rng, name, rng.uniform(10, 28) * MINUTE, attempts=rng.randint(2, 4)) + [
        attrs.evolve(request, device=f"TAB{name.upper()}") for request in other
    ]


def _balanced(rng: random.Random, name: str) -> list[Request]:
    requests = _flood(rng, name, rng.uniform(3, 15) * MINUTE, attempts=rng.randint(6, 12))
    return [attrs.evolve(request, server=rng.randrange(3)) for request in requests]


def _dropped(rng: random.Random, name: str) -> list[Request]:
    requests = _flood(rng, name, rng.uniform(3, 8) * MINUTE, attempts=rng.randint(14, 20), seconds=(60, 120))
    logged = [attrs.evolve(request, logged=rng.random() > 0.4) for request in requests[:-1]]
    return [*logged, requests[-1]]


def _two_names(rng: random.Random, name: str) -> list[Request]:
    requests = _flood(rng, name, rng.uniform(4, 20) * MINUTE, attempts=rng.randint(4, 8))
    return [attrs.evolve(r, user=f"{name}@contoso.example" if n % 2 else name) for n, r in enumerate(requests)]


def _accepted(rng: random.Random, name: str) -> list[Request]:
    requests = _flood(rng, name, rng.uniform(3, 12) * MINUTE, attempts=rng.randint(7, 12))
    return [attrs.evolve(request, key=100 + number) for number, request in enumerate(requests)]


def _server_sends(rng: random.Random, name: str) -> list[Request]:
    requests = _flood(rng, name, rng.uniform(3, 20) * MINUTE, sent=(120, 500), attempts=rng.randint(4, 9))
    return [attrs.evolve(request, received=512, sync_type="R") for request in requests]


def _ended(rng: random.Random, name: str) -> list[Request]:
    interval = rng.uniform(3, 20) * MINUTE
    return _flood(rng, name, interval, until=-2.2 * interval - 5 * MINUTE, attempts=rng.randint(3, 6))


def _import(rng: random.Random, name: str, until: float) -> list[Request]:
    batches, keys = rng.randint(3, 7), rng.random() < 0.5
    size, start, found = rng.randint(300, 2500), until, []
    for number in range(batches):
        took = rng.uniform(10, 40)
        start -= took + rng.uniform(1, 45)
        found.append(
            Request(
                start,
                took,
                name,
                f"DEV{name.upper()}",
                size,
                rpc=rng.randint(400, 4000),
                folder="Co",
                key=500 - number if keys else None,
            )
        )
    return found[::-1]


def _edits(rng: random.Random, name: str, most: int, attempts: int) -> list[Request]:
    start, found = -rng.uniform(20, 300), []
    for number in range(attempts):
        found.append(
            Request(
                start,
                rng.uniform(5, 30),
                name,
                f"DEV{name.upper()}",
                rng.randint(1, most),
                folder="Co",
                rpc=rng.randint(2100, 6000),
                key=300 - number,
            )
        )
        start -= rng.uniform(3, 20) * MINUTE
    return found[::-1]


def _first_sync(rng: random.Random, name: str) -> list[Request]:
    start, found = -rng.uniform(30, 5000), []
    for number in range(rng.randint(3, 6)):
        full = number == 0
        found.append(
            Request(
                start,
                rng.uniform(5, 40),
                name,
                f"NEW{name.upper()}",
                0,
                rng.randint(100, 512),
                rng.randint(2000, 4000),
                "F" if full else "S",
                number,
                "Co",
            )
        )
        start += rng.uniform(40, 200)
    return found


def _calendar(rng: random.Random, name: str) -> list[Request]:
    requests = _flood(rng, name, rng.uniform(0.5, 5) * MINUTE, seconds=(2, 20), attempts=20)
    return [attrs.evolve(request, folder="Ca", sent=1) for request in requests]


GUILTY: Final[dict[str, Maker]] = {
    "every 2 to 10 min": _every(2, 10),
    "every 10 to 22 min": _every(10, 22),
    "every 22 to 30 min": _every(22, 30),
    "irregular": _every(4, 15, jitter=0.4),
    "bursts": _bursts,
    "overlapping": _overlapping,
    "a second before the first ends": _second_before_the_first_ends,
    "two devices": _two_devices,
    "balanced over servers": _balanced,
    "low cost": _every(3, 20, rpc=(300, 1950)),
    "few contacts": _every(3, 20, sent=(80, 450)),
    "server sends more": _server_sends,
    "some dropped": _dropped,
    "two names": _two_names,
    "accepted each time": _accepted,
    "three attempts so far": _every(3, 25, attempts=3),
}

INNOCENT: Final[dict[str, Maker]] = {
    "ended flood": _ended,
    "import that is over": lambda rng, name: _import(rng, name, -rng.uniform(10, 60) * MINUTE),
    "import under way": lambda rng, name: _import(rng, name, -rng.uniform(1, 20)),
    "edits": lambda rng, name: _edits(rng, name, 45, rng.randint(3, 9)),
    "edits of a group": lambda rng, name: _edits(rng, name, 160, 2),
    "first sync": _first_sync,
    "calendar loop": _calendar,
}


def make_world(seed: int) -> World:
    """The world of a seed."""
    rng = random.Random(seed)
    people = []
    for number in range(rng.randint(2, 4)):
        kind = list(GUILTY)[(seed // 2 * 3 + number) % len(GUILTY)]
        people.append(Person(f"guilty{number}", kind, True, tuple(GUILTY[kind](rng, f"guilty{number}"))))
    for number in range(rng.randint(2, 4)):
        kind = list(INNOCENT)[(seed // 2 * 2 + number) % len(INNOCENT)]
        people.append(Person(f"calm{number}", kind, False, tuple(INNOCENT[kind](rng, f"calm{number}"))))
    return World(seed, rng.random() < 0.6, rng.randint(1, 3), tuple(people))


# -- logs ---------------------------------------------------------------------------------------------------------

_FIELDS: Final = (
    "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status "
    "sc-substatus sc-win32-status sc-bytes time-taken"
)


def line(request: Request, modern: bool, rng: random.Random) -> str:
    """The request's line in the back end's log."""
    ended = NOW + dt.timedelta(seconds=request.end)
    key = "" if request.key is None else f"_Sk:{request.key}"
    folder = (
        f"Fid:9_Ty:{request.folder}_St:{request.sync_type}{key}_Cli:{request.sent}a0c0d0f0e"
        f"_Srv:{request.received}a0c0d0s0e0r"
    )
    if modern:
        log = (
            f"SC1:1_Ver1:161_FldrC1:1_{folder}_Fet:1_ActivityContextData:I32%3aRPC.C%5bEX1.DB1%5d%3d{request.rpc}"
            f"%3bI32%3aMAPI.C%5bEX1.DB1%5d%3d{request.rpc * 2}_"
        )
    else:
        log = f"V141_Fc1_{folder}_LdapC1_LdapL2_RpcC{request.rpc}_RpcL9000_Pk77_As:AllowedG_Throttle0_"
    user = request.user if "@" in request.user else f"CONTOSO\\{request.user}"
    query = (
        f"Cmd={request.command}&User={rng.choice(['claimed', 'guilty0'])}&DeviceId={request.device}&DeviceType=iPhone"
    )
    stem = "/Microsoft-Server-ActiveSync/Proxy/default.eas" if modern else "/Microsoft-Server-ActiveSync/default.eas"
    return (
        f"{ended:%Y-%m-%d %H:%M:%S} 10.0.0.1 POST {stem} {query}&Log={log} 444 {user} 10.0.0.9 "
        f"Apple-iPhone12C1/1801.402 {request.status} 0 0 900 {request.seconds * 1000:.0f}"
    )


def _ordinary(rng: random.Random) -> Iterator[Request]:
    for number in range(12):
        start = -HOURS * 3600 + rng.uniform(0, 300)
        while start < -20:
            command = rng.choice(("Ping", "Ping", "Sync"))
            seconds = rng.uniform(60, 470) if command == "Ping" else rng.uniform(0.1, 2)
            if start + seconds < 0:
                yield Request(
                    start,
                    seconds,
                    f"u{number}",
                    f"U{number}",
                    rng.randint(0, 1),
                    rng.randint(0, 3),
                    20,
                    folder=rng.choice(("Em", "Em", "Co")),
                    command=command,
                    server=rng.randrange(3),
                )
            start += seconds + rng.uniform(1, 200)
    yield Request(-3, 1, "u0", "U0", command="Ping")
    yield Request(-3, 1, "u0", "U0", command="Ping", server=1)
    yield Request(-3, 1, "u0", "U0", command="Ping", server=2)


def _damage(rng: random.Random, text: str) -> str:
    """What damage and strangers write."""
    return rng.choice(
        (
            text[: rng.randint(20, len(text))],
            text.replace("2026", "2062", 1),
            text.replace(" ", "", 3),
            text.replace("Cmd=", "x" * 3000 + "&Cmd="),
            "\0" * 40,
            f"{NOW - dt.timedelta(minutes=9):%Y-%m-%d %H:%M:%S} 10.0.0.1 GET /Microsoft-Server-ActiveSync "
            "Cmd=Sync&Log=Ty:Co_Cli:99999a_RpcC99999_ 444 - 10.9.9.9 curl 401 0 0 0 1",
        )
    )


def write_logs(world: World, folder: Path, *, before: float = 0.0) -> list[Path]:
    """The logs of a world, up to *before* seconds from NOW; one folder a server."""
    rng = random.Random(world.seed + 1)
    requests = [request for person in world.people for request in person.requests] + list(_ordinary(rng))
    files = []
    for server in range(world.servers):
        own = [r for r in requests if r.server % world.servers == server and r.logged and r.end <= before]
        lines = [line(request, world.modern, rng) for request in sorted(own, key=lambda request: request.end)]
        for _ in range(rng.randint(0, 3)):
            lines.insert(rng.randrange(len(lines)), _damage(rng, rng.choice(lines)))
        path = folder / f"W3SVC{server}" / "u_ex261124.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\r\n".join(["#Software: IIS", _FIELDS, *lines, ""]), encoding="utf-8")
        files.append(path)
    return files


# -- figures ----------------------------------------------------------------------------------------------------------


@attrs.define
class Figures:
    guilty: Counter[str] = attrs.field(factory=Counter)
    missed: dict[str, list[int]] = attrs.field(factory=lambda: defaultdict(list))
    innocent: Counter[str] = attrs.field(factory=Counter)
    accused: dict[str, list[int]] = attrs.field(factory=lambda: defaultdict(list))
    detection: list[float] = attrs.field(factory=list)
    floods: Counter[str] = attrs.field(factory=Counter)
    false_proofs: dict[str, list[int]] = attrs.field(factory=lambda: defaultdict(list))


def measure(world: World, folder: Path, criteria: Criteria, figures: Figures) -> None:
    """Judge one world."""
    files = read_log_files(write_logs(world, folder), criteria=criteria)
    named = {user.user.lower().rpartition("\\")[2].partition("@")[0] for user in judge_files(files, criteria).users}
    syncs = [sync for reading in files.readings for sync in reading.syncs]
    # A verify reads from the usual window before its step on, wherever in the log that is.
    all_of_it = read_log_files(
        [reading.log.files[0] for reading in files.readings], criteria=attrs.evolve(criteria, since=2 * criteria.since)
    )
    all_syncs = [sync for reading in all_of_it.readings for sync in reading.syncs]
    for person in world.people:
        own = [sync for sync in syncs if account(sync) == person.name]
        if person.guilty:
            figures.guilty[person.kind] += 1
            if person.name not in named:
                figures.missed[person.kind].append(world.seed)
            elif (intervals := _time_to_detection(own, criteria)) is not None:
                figures.detection.append(intervals)
            figures.floods[person.kind] += 1
            everything = [sync for sync in all_syncs if account(sync) == person.name]
            if false_proof(person, everything, files.readings, criteria, random.Random(world.seed)):
                figures.false_proofs[person.kind].append(world.seed)
        else:
            figures.innocent[person.kind] += 1
            if person.name in named:
                figures.accused[person.kind].append(world.seed)


def account(sync: ContactSync) -> str:
    return (sync.request.username or "").lower().rpartition("\\")[2].partition("@")[0]


def _time_to_detection(syncs: Sequence[ContactSync], criteria: Criteria) -> float | None:
    """After how many retry intervals from its first attempt a flood is found; None if it has one attempt only."""
    ordered = sorted(syncs, key=lambda sync: sync.request.ended)
    newest = _found_at(syncs, criteria)
    gaps = [
        (b.request.started - a.request.started).total_seconds()
        for a, b in pairwise(ordered)
        if b.request.started > a.request.started
    ]
    if newest is None or not gaps:
        return None
    return (newest - ordered[0].request.started).total_seconds() / max(gaps)


def _found_at(syncs: Sequence[ContactSync], criteria: Criteria) -> dt.datetime | None:
    """When the flood could first be found."""
    ordered = sorted(syncs, key=lambda sync: sync.request.ended)
    for number in range(1, len(ordered) + 1):
        newest = ordered[number - 1].request.ended
        known = [attrs.evolve(sync, source=attrs.evolve(sync.source, newest=newest)) for sync in ordered[:number]]
        if suspect("x", None, known, criteria)[0] is not None:
            return newest
    return None


def false_proof(
    person: Person,
    syncs: Sequence[ContactSync],
    readings: Sequence[EasLogReading],
    criteria: Criteria,
    rng: random.Random,
) -> bool:
    """Whether ``verify``, looked at every 20 s, once says that a flood has ended that goes on after the step.

    The step ends some time after the flood could be found, and the flood goes on, as far as the log reaches.
    """
    starts = sorted(request.start for request in person.requests)
    found = _found_at(syncs, criteria)
    if found is None or not readings:
        return False
    after = found + dt.timedelta(seconds=rng.uniform(5, 300))
    mailbox = Mailbox("guid", "x", "x", "x@contoso.example", "x", "EX1", "DB1", None, frozenset())
    verifying = attrs.evolve(criteria, verifies=True, users=("x@contoso.example",))
    hosts = sorted({sync.host for sync in syncs}) or [""]
    look = after + dt.timedelta(seconds=20)
    last = NOW + dt.timedelta(seconds=starts[-1])
    while look <= last:
        seen = [sync for sync in syncs if sync.request.ended <= look]
        logs = [HostLog(host, readings[0], look, after - criteria.since, look, after) for host in hosts]
        result = verify(mailbox, seen, logs, verifying)
        if not result.found and not result.undetermined:
            in_flight = any(r.start <= (look - NOW).total_seconds() < r.end for r in person.requests)
            if not in_flight:
                return True
        look += dt.timedelta(seconds=20)
    return False


def report(figures: Figures) -> None:
    guilty, missed = sum(figures.guilty.values()), sum(map(len, figures.missed.values()))
    accused = sum(map(len, figures.accused.values()))
    found = guilty - missed
    print(f"recall     {found / guilty:.4f}  ({found} of {guilty} who flood)")
    print(f"precision  {found / (found + accused):.4f}  ({accused} of {sum(figures.innocent.values())} innocent named)")
    if figures.detection:
        print(f"detection  after {statistics.median(figures.detection):.1f} retry intervals (median)")
    proofs = sum(map(len, figures.false_proofs.values()))
    print(f"proofs     {proofs} false of {sum(figures.floods.values())} floods that go on")
    for title, numbers, wrong in (
        ("flood", figures.guilty, figures.missed),
        ("innocent", figures.innocent, figures.accused),
        ("false proof", figures.floods, figures.false_proofs),
    ):
        for kind in numbers:
            seeds = f"  seeds {', '.join(map(str, wrong[kind][:8]))}" if wrong[kind] else ""
            print(f"  {title:12} {kind:32} {len(wrong[kind]):3} wrong of {numbers[kind]}{seeds}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=700)
    parser.add_argument("--odd", action="store_true", help="the odd seeds, with which the rules were made")
    parser.add_argument("--seed", type=int, help="one world only")
    asked = parser.parse_args()
    criteria = Criteria.of(values_of(CONTACT_SYNC_STORM.parameters, {}, "contact_sync_storm"))
    figures = Figures()
    seeds = [asked.seed] if asked.seed is not None else [2 * n + asked.odd for n in range(asked.worlds // 2)]
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            measure(make_world(seed), Path(folder), criteria, figures)
    report(figures)


if __name__ == "__main__":
    main()
