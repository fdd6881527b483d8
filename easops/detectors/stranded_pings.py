"""Pings that never ended (KB 4337638).

Only age decides. A server ends every Ping, and every Sync that waits for changes, after 3,540 s at the latest
(MaxHeartbeatInterval of the back end's web.config), so one that is older by a margin is stranded. Very many Pings, and
long ones, are how ActiveSync works, and no fault. A request counts when it is seen twice, in the same worker process
and with its age grown, while the server's own stamp moved on: a list that IIS gave once too often proves nothing.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from easops.context import Context
from easops.detectors.duration_words import span
from easops.detectors.finding import Detection, Measurement
from easops.detectors.measuring import HostJudgement, measure, no_such_pool
from easops.detectors.two_readings import two_readings
from easops.iis.app_pool import SYNC_APP_POOL
from easops.iis.request import ExecutingRequest, RequestReading, read_requests
from easops.inventory.host import Host
from easops.parameter import Parameter
from easops.remoting.session import Session

_HANGING: Final = ("ping", "sync")
_SITES: Final = {1: "front end", 2: "back end"}


@attrs.frozen
class StrandedPings:
    """The detector. A host's measurements are the number of stranded requests, then that of each site, then the age
    of the oldest one that waits, in minutes."""

    name: str = "stranded_pings"
    summary: str = "ActiveSync requests that wait longer than any may (KB 4337638)"
    parameters: tuple[Parameter, ...] = (
        Parameter("pool", "text", "the application pool", SYNC_APP_POOL),
        Parameter("heartbeat", "duration", "the longest that the server lets one wait (MaxHeartbeatInterval)", "59m"),
        Parameter("margin", "duration", "how much longer than that one may take to end", "5m"),
    )

    def detect(self, hosts: Sequence[Host], values: Mapping[str, Any], context: Context) -> Detection:
        """Read the requests in flight of *hosts*, where any is too old a second time, and judge them by their age."""
        return measure(self.name, hosts, context, lambda host, session: _judge(host, session, values, context))


def stranded(earlier: RequestReading, later: RequestReading, longest: dt.timedelta) -> tuple[ExecutingRequest, ...]:
    """The waiting requests that were older than *longest* in the earlier reading, are in the later one still, and have
    grown older; the oldest first. They are the same: of one id, in one worker process (PID and start)."""
    same = {worker.identity for worker in earlier.workers} & {worker.identity for worker in later.workers}
    pids = {pid for pid, _ in same}
    before = {(held.pid, held.id): held.age for held in _waiting(earlier) if held.age > longest}
    return tuple(
        held for held in _waiting(later) if held.pid in pids and held.age > before.get((held.pid, held.id), held.age)
    )


def _judge(host: Host, session: Session, values: Mapping[str, Any], context: Context) -> HostJudgement:
    pool: str = values["pool"]
    longest: dt.timedelta = values["heartbeat"] + values["margin"]
    reading = read_requests(session, pool)
    if not reading.workers and (why_not := no_such_pool(session, pool)):
        return HostJudgement(reading.time, why_not=why_not)
    found: tuple[ExecutingRequest, ...] = ()
    if any(request.age > longest for request in _waiting(reading)):
        telling = f"{host.name}: looking at the old requests of {pool} again"
        moved = two_readings(lambda: read_requests(session, pool), reading, context, telling)
        if moved is None:
            return HostJudgement(reading.time, why_not="the server's clock does not move on, so no age can be trusted")
        found, reading = stranded(*moved, longest), moved[1]
    measurements = [Measurement(host.name, "stranded", len(found), "requests", 0.0)]
    measurements += [
        Measurement(host.name, f"stranded in the {site}", count, "requests") for site, count in _by_site(host, found)
    ]
    if waiting := _waiting(reading):
        oldest = waiting[0].age.total_seconds() / 60
        measurements.append(
            Measurement(host.name, "the oldest that waits", oldest, "minutes", longest.total_seconds() / 60)
        )
    told = _sick(host, found, reading, longest) if found else _healthy(host, waiting, values)
    return HostJudgement(reading.time, bool(found), tuple(measurements), told)


def _waiting(reading: RequestReading) -> tuple[ExecutingRequest, ...]:
    """The requests that may hang: Pings and Syncs, the oldest first."""
    return tuple(held for held in reading.requests if _command(held).lower() in _HANGING)


def _command(request: ExecutingRequest) -> str:
    eas = request.eas
    return "" if eas is None else eas.command or ""


def _by_site(host: Host, requests: Sequence[ExecutingRequest]) -> list[tuple[str, int]]:
    """How many of *requests* each site has. From 2013 on one Ping may stand in both."""
    names = _SITES if host.eas_site == 2 else {}
    return sorted(Counter(names.get(request.site, f"site {request.site}") for request in requests).items())


def _sick(host: Host, found: Sequence[ExecutingRequest], reading: RequestReading, longest: dt.timedelta) -> str:
    pids = {request.pid for request in found}
    workers = [
        f"PID {held.pid}, up {span(reading.time - held.started)}" for held in reading.workers if held.pid in pids
    ]
    return (
        f"{len(found)} of {_counted(_waiting(reading))} wait longer than {span(longest)}, which none may: "
        f"the oldest {span(found[0].age)} ({_sites(host, found)}; {'; '.join(workers)})"
    )


def _healthy(host: Host, waiting: Sequence[ExecutingRequest], values: Mapping[str, Any]) -> str:
    heartbeat, margin = values["heartbeat"], values["margin"]
    if not waiting:
        return "no Ping is in flight"
    within = "all within" if waiting[0].age <= heartbeat + margin else "none seen twice beyond"
    count, oldest = f"{_counted(waiting)} ({_sites(host, waiting)})", span(waiting[0].age)
    return f"{count}, the oldest {oldest}: {within} {span(heartbeat)} + {span(margin)}"


def _sites(host: Host, requests: Sequence[ExecutingRequest]) -> str:
    return ", ".join(f"{site} {count}" for site, count in _by_site(host, requests))


def _counted(requests: Sequence[ExecutingRequest]) -> str:
    """``412 Pings``, ``412 Pings and 1 Sync``."""
    counts = sorted(Counter(_command(request).capitalize() for request in requests).items())
    return " and ".join(f"{count} {command}{'' if count == 1 else 's'}" for command, count in counts)


STRANDED_PINGS: Final = StrandedPings()
