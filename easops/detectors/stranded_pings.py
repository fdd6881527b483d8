"""Pings that never ended (KB 4337638).

Age decides. A server ends every Ping, and every Sync that waits for changes, after its longest heartbeat at the latest
(MaxHeartbeatInterval in the web.config of its ActiveSync application; 3,540 s unless somebody changed it), so a request
that is older by a margin is stranded. Very many Pings, and long ones, are normal for ActiveSync. A Sync may also be old
because it works: it counts only if its worker process uses no processor time. One old request among thousands is told,
and is no reason to recycle.

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
from easops.iis.eas_settings import max_heartbeat
from easops.iis.request import ExecutingRequest, RequestReading, read_requests
from easops.inventory.host import Host
from easops.parameter import Parameter
from easops.remoting.session import Session

_WAITING: Final = ("ping", "sync")
"""The commands that wait for changes, in lower case."""

_USUAL_HEARTBEAT: Final = dt.timedelta(minutes=59)
"""MaxHeartbeatInterval where nobody changed it (3,540 s)."""

_IDLE: Final = 0.05
"""Processors that a worker process may use and still count as one that does not work."""

_HOURS: Final = dt.timedelta(hours=2)
"""From this age on a request that does not wait for changes is mentioned."""

_SITES: Final = {1: "front end", 2: "back end"}


@attrs.frozen
class StrandedPings:
    """The detector. The measurements of a host are the number of stranded requests, that of each site, and the age of
    the oldest waiting request in minutes."""

    name: str = "stranded_pings"
    summary: str = "ActiveSync requests that wait longer than the server allows (KB 4337638)"
    parameters: tuple[Parameter, ...] = (
        Parameter("pool", "text", "the application pool", SYNC_APP_POOL),
        Parameter(
            "heartbeat",
            "duration",
            "how long a server lets a request wait; without it MaxHeartbeatInterval is read, and else 59m",
            None,
        ),
        Parameter("margin", "duration", "how much longer a request may take to end before it is stranded", "5m"),
        Parameter("fewest", "integer", "stranded requests from which on it is a finding", 3, minimum=1),
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
    reading = read_requests(session, pool)
    heartbeat = values["heartbeat"] or max_heartbeat(session, host.eas_application) or _USUAL_HEARTBEAT
    longest: dt.timedelta = heartbeat + values["margin"]
    if not reading.workers and (why_not := no_such_pool(session, pool)):
        return HostJudgement(reading.time, why_not=why_not)
    found: tuple[ExecutingRequest, ...] = ()
    if any(request.age > longest for request in _waiting(reading)):
        progress = f"{host.name}: reading the requests of {pool} again"
        pair = two_readings(lambda: read_requests(session, pool), reading, context, progress)
        if pair is None:
            return HostJudgement(reading.time, why_not="the server's clock does not move on, so no age can be trusted")
        found, reading = _not_working(*pair, stranded(*pair, longest)), pair[1]
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
    enough = len(found) >= values["fewest"]
    sentence = _found_words(host, found, reading, longest) if found else _healthy_words(host, waiting, longest, values)
    if found and not enough:
        sentence += f"; fewer than {values['fewest']}: to watch"
    return HostJudgement(reading.time, enough, tuple(measurements), sentence + _more_words(reading))


def _not_working(
    earlier: RequestReading, later: RequestReading, found: tuple[ExecutingRequest, ...]
) -> tuple[ExecutingRequest, ...]:
    """*found* without the Syncs of worker processes that work: an old one may be the sync of a large mailbox."""
    before = {worker.identity: worker.cpu_seconds for worker in earlier.workers}
    seconds = (later.time - earlier.time).total_seconds()
    idle = {
        worker.pid
        for worker in later.workers
        if worker.cpu_seconds - before.get(worker.identity, 0.0) <= _IDLE * seconds
    }
    return tuple(request for request in found if _command(request).lower() == "ping" or request.pid in idle)


def _more_words(reading: RequestReading) -> str:
    """What else is remarkable: other commands that are hours old, and requests that cannot be read."""
    old = Counter(
        _command(request).capitalize()
        for request in reading.requests
        if request.age > _HOURS and _command(request) and _command(request).lower() not in _WAITING
    )
    parts = [f"also older than {span(_HOURS)}: {count} {command}" for command, count in sorted(old.items())]
    if reading.unreadable:
        parts.append(f"{reading.unreadable} more could not be read (no id, age or site), and were not judged")
    return "".join(f"; {part}" for part in parts)


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


def _healthy_words(
    host: Host, waiting: Sequence[ExecutingRequest], longest: dt.timedelta, values: Mapping[str, Any]
) -> str:
    if not waiting:
        return "no Ping is waiting"
    allowed = f"{span(longest - values['margin'])} + {span(values['margin'])}"
    within = (
        f"all within {allowed}" if waiting[0].age <= longest else f"none stranded beyond {allowed} in both readings"
    )
    return f"{_counted(waiting)} ({_sites(host, waiting)}), the oldest {span(waiting[0].age)}: {within}"


def _sites(host: Host, requests: Sequence[ExecutingRequest]) -> str:
    return ", ".join(f"{site} {count}" for site, count in _by_site(host, requests))


def _counted(requests: Sequence[ExecutingRequest]) -> str:
    """``412 Pings``, ``412 Pings and 1 Sync``."""
    counts = sorted(Counter(_command(request).capitalize() for request in requests).items())
    return " and ".join(f"{count} {command}{'' if count == 1 else 's'}" for command, count in counts)


STRANDED_PINGS: Final = StrandedPings()
