"""Incidents as data: kept where one once broke a promise, and made smaller as long as it still does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from tests.simulation.incident import Incident
from tests.simulation.servers import Fault

CORPUS: Final = Path(__file__).parent / "corpus"


def to_text(incident: Incident) -> str:
    """The incident as JSON."""
    return json.dumps(attrs.asdict(incident), indent=1, default=str) + "\n"


def from_text(text: str) -> Incident:
    """The incident of a text that ``to_text`` made."""
    data = json.loads(text)
    for name in ("changes", "reads"):
        data[name] = {int(number): Fault(**fault) for number, fault in data[name].items()}
    beside = {int(number): (when, act) for number, (when, act) in data.get("beside", {}).items()}
    return Incident(**{**data, "deaths": tuple(data["deaths"]), "beside": beside})


def corpus() -> Iterator[tuple[str, Incident]]:
    """The incidents that are kept, by name."""
    for path in sorted(CORPUS.glob("*.json")):
        yield path.stem, from_text(path.read_text(encoding="utf-8"))


def shrunk(incident: Incident, fails: Callable[[Incident], bool]) -> Incident:
    """A smaller incident that still *fails*: without the happenings, faults, deaths, storms and servers that it can do
    without."""
    smaller = True
    while smaller:
        smaller = False
        for candidate in _smaller(incident):
            if fails(candidate):
                incident, smaller = candidate, True
                break
    return incident


def _smaller(incident: Incident) -> Iterator[Incident]:
    world = incident.world
    for key in ("happenings", "storms", "policies"):
        for number in range(len(world[key])):
            yield attrs.evolve(incident, world=_without(world, key, number))
    for name in ("changes", "reads"):
        faults: Mapping[int, Fault] = getattr(incident, name)
        if len(faults) > 4:
            half = sorted(faults)[: len(faults) // 2]
            for part in (half, sorted(set(faults) - set(half))):
                yield _with(incident, name, {number: faults[number] for number in part})
        for number in faults:
            yield _with(incident, name, {n: fault for n, fault in faults.items() if n != number})
    for number in incident.beside:
        yield attrs.evolve(incident, beside={n: act for n, act in incident.beside.items() if n != number})
    for number in range(len(incident.deaths)):
        yield attrs.evolve(incident, deaths=incident.deaths[:number] + incident.deaths[number + 1 :])
    if incident.unreadable:
        yield attrs.evolve(incident, unreadable=0.0)
    for number in range(len(world["servers"])):
        fewer = _without(world, "servers", number)
        left = {server["name"] for server in fewer["servers"]}
        used = {storm["server"] for storm in world["storms"]} | {h["whom"] for h in world["happenings"]}
        if left and not used & ({server["name"] for server in world["servers"]} - left):
            yield attrs.evolve(incident, world=fewer)


def _with(incident: Incident, name: str, faults: Mapping[int, Fault]) -> Incident:
    return attrs.evolve(incident, changes=faults) if name == "changes" else attrs.evolve(incident, reads=faults)


def _without(world: Mapping[str, Any], key: str, number: int) -> Mapping[str, Any]:
    return {**world, key: [*world[key][:number], *world[key][number + 1 :]]}
