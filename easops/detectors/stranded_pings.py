"""Pings that never ended (KB 4337638).

Only age decides. A server ends every Ping, and every Sync that waits for changes, after 3,540 s at the latest
(MaxHeartbeatInterval in the back end's web.config), so a request that is older by a margin is stranded. Very many
Pings, and long ones, are normal for ActiveSync.

A request counts only if two readings show it, in the same worker process and with its age grown, while the server's own
time stamp moved on: one list that IIS gave proves nothing.
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

_WAITING: Final = ("ping", "sync")
"""The commands that wait for changes, in lower case."""

_SITES: Final = {1: "front end", 2: "back end"}


@attrs.frozen
class StrandedPings:
    """The detector. The measurements of a host are the number of stranded requests, that of each site, and the age of
    the oldest waiting request in minutes."""

    name: str = "stranded_pings"
    summary: str = "ActiveSync requests that wait longer than the server allows (KB 4337638)"
    parameters: tuple[Parameter, ...] = (
        Parameter("pool", "text", "the application pool", SYNC_APP_POOL),
        Parameter("heartbeat", "duration", "how long a server lets a request wait (MaxHeartbeatInterval)", "59m"),
        Parameter("margin", "duration", "how much longer a request may take to end before it is stranded", "5m"),
    )

    def detect(self, hosts: Sequence[Host], values: Mapping[str, Any], context: Context) -> Detection:
        """Read the executing requests of *hosts*, a second time where any is too old, and judge them by their age."""
        return measure(self.name, hosts, context, lambda host, session: _judge(host, session, values, context))


def stranded(earlier: RequestReading, later: RequestReading, longest: dt.timedelta) -> tuple[ExecutingRequest, ...]:
    """The waiting requests that were older than *longest* in *earlier*, and are still there and older in *later*; the
    oldest first. A request is the same if it has the same id in the same worker process (PID and start)."""
    same = {worker.identity for worker in earlier.workers} & {worker.identity for worker in later.workers}
    pids = {pid for pid, _ in same}
    before = {(request.pid, request.id): request.age for request in _waiting(earlier) if request.age > longest}
    return tuple(
        request
        for request in _waiting(later)
        if request.pid in pids and request.age > before.get((request.pid, request.id), request.age)
    )


def _judge(host: Host, session: Session, values: Mapping[str, Any], context: Context) -> HostJudgement:
    pool: str = values["pool"]
    longest: dt.timedelta = values["heartbeat"] + values["margin"]
    reading = read_requests(session, pool)
    if not reading.workers and (why_not := no_such_pool(session, pool)):
        return HostJudgement(reading.time, why_not=why_not)
    found: tuple[ExecutingRequest, ...] = ()
    if any(request.age > longest for request in _waiting(reading)):
        progress = f"{host.name}: reading the requests of {pool} again"
        pair = two_readings(lambda: read_requests(session, pool), reading, context, progress)
        if pair is None:
            return HostJudgement(reading.time, why_not="the server's clock does not move on, so no age can be trusted")
        found, reading = stranded(*pair, longest), pair[1]
    waiting = _waiting(reading)
    measurements = [Measurement(host.name, "stranded", len(found), "requests", 0.0, decimals=0)]
    measurements += [
        Measurement(host.name, f"stranded in the {site}", count, "requests", decimals=0)
        for site, count in _by_site(host, found)
    ]
    if waiting:
        oldest, limit = (age.total_seconds() / 60 for age in (waiting[0].age, longest))
        name = "age of the oldest waiting request"
        measurements.append(Measurement(host.name, name, oldest, "minutes", limit, decimals=1))
    sentence = _found_words(host, found, reading, longest) if found else _healthy_words(host, waiting, values)
    return HostJudgement(reading.time, bool(found), tuple(measurements), sentence)


def _waiting(reading: RequestReading) -> tuple[ExecutingRequest, ...]:
    """The requests that wait for changes, the oldest first."""
    return tuple(request for request in reading.requests if _command(request).lower() in _WAITING)


def _command(request: ExecutingRequest) -> str:
    eas = request.eas
    return "" if eas is None else eas.command or ""


def _by_site(host: Host, requests: Sequence[ExecutingRequest]) -> list[tuple[str, int]]:
    """How many of *requests* each site has. From 2013 on one Ping may be in both: the front end passes it on."""
    names = _SITES if host.eas_site == 2 else {}
    return sorted(Counter(names.get(request.site, f"site {request.site}") for request in requests).items())


def _found_words(host: Host, found: Sequence[ExecutingRequest], reading: RequestReading, longest: dt.timedelta) -> str:
    pids = {request.pid for request in found}
    workers = [
        f"PID {worker.pid}, up {span(reading.time - worker.started)}"
        for worker in reading.workers
        if worker.pid in pids
    ]
    return (
        f"{len(found)} of {_counted(_waiting(reading))} have waited longer than the {span(longest)} allowed: "
        f"the oldest {span(found[0].age)} ({_sites(host, found)}; {'; '.join(workers)})"
    )


def _healthy_words(host: Host, waiting: Sequence[ExecutingRequest], values: Mapping[str, Any]) -> str:
    heartbeat, margin = values["heartbeat"], values["margin"]
    if not waiting:
        return "no Ping is waiting"
    allowed = f"{span(heartbeat)} + {span(margin)}"
    within = (
        f"all within {allowed}" if waiting[0].age <= heartbeat + margin else f"none beyond {allowed} in both readings"
    )
    return f"{_counted(waiting)} ({_sites(host, waiting)}), the oldest {span(waiting[0].age)}: {within}"


def _sites(host: Host, requests: Sequence[ExecutingRequest]) -> str:
    return ", ".join(f"{site} {count}" for site, count in _by_site(host, requests))


def _counted(requests: Sequence[ExecutingRequest]) -> str:
    """``412 Pings``, ``412 Pings and 1 Sync``."""
    counts = sorted(Counter(_command(request).capitalize() for request in requests).items())
    return " and ".join(f"{count} {command}{'' if count == 1 else 's'}" for command, count in counts)


STRANDED_PINGS: Final = StrandedPings()
