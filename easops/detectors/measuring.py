"""Measuring hosts: one look at each, up to 16 at once, and what they gave as a detection."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Final, Protocol, TypeVar

import attrs

from easops.at_once import at_once
from easops.context import Context
from easops.detectors.finding import Detection, Measurement, Undetermined, Unreachable
from easops.errors import EasopsError, UnreachableHost
from easops.iis.app_pool import list_app_pools
from easops.inventory.host import Host
from easops.remoting.session import Session

APART: Final = dt.timedelta(seconds=5)
"""The least time between two readings, by the server's stamps."""

_PATIENCE: Final = 5
"""Readings whose stamp has not moved far enough, one after another, until the server's clock is said to stand still."""


@attrs.frozen
class Look:
    """What one host gave. *time* is its clock; *why_not* says why it cannot be judged (then nothing else counts);
    *sentence* tells what the figures do not say by themselves."""

    time: dt.datetime | None = None
    found: bool = False
    measurements: tuple[Measurement, ...] = ()
    sentence: str = ""
    why_not: str = ""


def measure(detector: str, hosts: Sequence[Host], context: Context, look: Callable[[Host, Session], Look]) -> Detection:
    """*look* at each host through its windows endpoint, in a thread of its own.

    What it raises makes the host unreachable, or undetermined with the error's words.
    """

    def guarded(host: Host) -> Look | Unreachable:
        try:
            return look(host, context.sessions.open(host, "windows"))
        except UnreachableHost as error:
            return Unreachable.of(host.name, error)
        except EasopsError as error:
            return Look(why_not=str(error))

    came = dict(zip((host.name for host in hosts), at_once(guarded, hosts, context.clock), strict=True))
    looks = {host: held for host, held in came.items() if isinstance(held, Look)}
    judged = {host: held for host, held in looks.items() if not held.why_not}
    return Detection(
        detector,
        hosts=tuple(sorted(host for host, held in judged.items() if held.found)),
        undetermined=tuple(
            Undetermined("host", host, held.why_not, True, host) for host, held in looks.items() if held.why_not
        ),
        unreachable=tuple(held for held in came.values() if isinstance(held, Unreachable)),
        measurements=tuple(measurement for held in judged.values() for measurement in held.measurements),
        judged=tuple(sorted(judged)),
        times={host: held.time for host, held in looks.items() if held.time is not None},
        sentences={host: held.sentence for host, held in judged.items() if held.sentence},
    )


class Stamped(Protocol):
    """A reading with the server's own stamp."""

    @property
    def time(self) -> dt.datetime: ...


Reading = TypeVar("Reading", bound=Stamped)


def two_moments(
    read: Callable[[], Reading], first: Reading, context: Context, telling: str
) -> tuple[Reading, Reading] | None:
    """*first* and a reading APART from it by the server's stamps; None where its clock stands still.

    Where the clock was set back in between, the first one is taken anew from there.
    """
    missing = APART
    for _ in range(_PATIENCE):
        context.progress(telling)
        context.clock.sleep(max(0.1, missing.total_seconds()))
        later = read()
        if later.time < first.time:
            first = later
        missing = APART - (later.time - first.time)
        if missing <= dt.timedelta():
            return first, later
    return None


def no_such_pool(session: Session, pool: str) -> str:
    """Why a pool without worker processes cannot be judged: it is not there. Empty where it is."""
    there = any(held.name.lower() == pool.lower() for held in list_app_pools(session))
    return "" if there else f"there is no application pool {pool}"


def span(age: dt.timedelta) -> str:
    """How long something has lasted, as evidence tells it: ``45 s``, ``49 min``, ``3.5 hours``, ``24 days``."""
    seconds = age.total_seconds()
    for unit, size, fewest in (("days", 86_400, 2), ("hours", 3600, 2), ("min", 60, 2)):
        if seconds >= fewest * size:
            told = f"{seconds / size:.1f}" if unit == "hours" else f"{int(seconds // size)}"
            return f"{told.removesuffix('.0')} {unit}"
    return f"{seconds:.0f} s"
