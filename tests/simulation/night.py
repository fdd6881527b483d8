"""Incidents without end: ``python -m tests.simulation --night 100000``.

    python -m tests.simulation --night 10000              so many incidents over all profiles, with progress
    python -m tests.simulation --profile late --seed 17   one incident, told as it went
    python -m tests.simulation --file incident.json       one that is kept

A failure is printed as the command line that shows it again, made smaller, and kept as a file. Exit code 1: a promise
was broken.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from collections.abc import Iterator
from pathlib import Path

from tests.simulation.incident import PROFILES, Incident, incident_of, live_through
from tests.simulation.kept import from_text, shrunk, to_text
from tests.simulation.oracle import violations

_SHOWN = 10
"""Failures that are made smaller and kept; of any more only the command line is printed."""


def broken(incident: Incident) -> list[str]:
    """The promises that an incident breaks."""
    try:
        return violations(live_through(incident))
    except Exception as error:
        return [f"the simulation itself: {error!r}"]


def _one(task: tuple[str, int]) -> tuple[str, int, list[str]]:
    profile, seed = task
    return profile, seed, broken(incident_of(profile, seed))


def night(count: int, first: int, processes: int) -> int:
    """Live through *count* incidents; 1 if any breaks a promise."""
    names = list(PROFILES)
    tasks = ((names[number % len(names)], first + number // len(names)) for number in range(count))
    began, done, failures = time.monotonic(), 0, 0
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for profile, seed, found in pool.imap_unordered(_one, tasks, chunksize=8):
            done += 1
            if found:
                failures += 1
                _tell_failure(profile, seed, found, small=failures <= _SHOWN)
            if done % 200 == 0 or done == count:
                rate = done / (time.monotonic() - began)
                print(f"{done} of {count} incidents, {failures} failures, {rate:.1f} a second", flush=True)
    if failures:
        print(f"{failures} of {count} incidents broke a promise")
        return 1
    # The rule of three: with no failure in n independent trials, 3/n bounds the rate with 95 % confidence.
    print(f"no promise broken in {count} incidents: at most {3 / count:.1e} of such incidents break one (95 %)")
    return 0


def _tell_failure(profile: str, seed: int, found: list[str], *, small: bool) -> None:
    print(f"python -m tests.simulation --profile {profile} --seed {seed}")
    for violation in found:
        print(f"  {violation[:500]}")
    if small:
        promise = found[0].partition(":")[0]
        incident = shrunk(incident_of(profile, seed), lambda one: any(text.startswith(promise) for text in broken(one)))
        path = Path(f"incident-{profile}-{seed}.json")
        path.write_text(to_text(incident), encoding="utf-8")
        print(f"python -m tests.simulation --file {path}")


def tell(incident: Incident) -> int:
    """Print an incident as it went; 1 if it breaks a promise."""
    for line in _lines(incident):
        print(line)
    return 1 if broken(incident) else 0


def _lines(incident: Incident) -> Iterator[str]:
    world = incident.world
    servers = ", ".join("{name} ({version})".format(**server) for server in world["servers"])
    storms = ", ".join("{user} on {server}".format(**storm) for storm in world["storms"])
    yield f"playbook    {incident.playbook.splitlines()[0]} {dict(incident.inputs)}"
    yield f"servers     {servers}"
    yield f"storms      {storms}"
    yield f"happenings  {', '.join(str(happening) for happening in world['happenings'])}"
    yield f"faults      changes {dict(incident.changes)}, reads {dict(incident.reads)}"
    yield f"deaths      {incident.deaths}; when resumed, nobody answers for {incident.unreadable:.0f} s"
    yield live_through(incident).trace
    yield from broken(incident)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--night", type=int, metavar="N", help="live through N incidents")
    parser.add_argument("--first", type=int, default=0, help="the first seed of a night")
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count())
    parser.add_argument("--profile", choices=list(PROFILES), default="calm")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--file", type=Path)
    arguments = parser.parse_args()
    if arguments.night:
        return night(arguments.night, arguments.first, arguments.processes)
    if arguments.file:
        return tell(from_text(arguments.file.read_text(encoding="utf-8")))
    return tell(incident_of(arguments.profile, arguments.seed))
