"""The requests that the worker processes of a pool are executing: which, whose, and for how long."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from easops.errors import CommandFailed
from easops.iis.appcmd import list_elements
from easops.iis.web_administration import read_with_module
from easops.iis.worker_process import WorkerProcess, read_worker_processes
from easops.logs.eas_query import EasQuery, parse_query
from easops.logs.eas_request import STEM
from easops.remoting.command import Command
from easops.remoting.result import RemoteObject
from easops.remoting.session import Session

_PROPERTIES: Final = ("requestId", "timeElapsed", "siteId", "verb", "url", "clientIPAddr")
_ATTRIBUTES: Final = ("REQUEST.NAME", "Time", "SITE.ID", "Verb", "Url", "ClientIp")
"""The same attributes of appcmd, in the same order. Times are in ms in both."""

_SELECT: Final = Command("Select-Object", {"Property": list(_PROPERTIES)}, reads=True)
"""Run on the server, because a complete request object includes its whole schema."""


@attrs.frozen
class ExecutingRequest:
    """One request that is being executed.

    *id* is IIS's own, *pid* the worker process that has the request, and *age* the time since that process received it.
    *verb* is the HTTP method, *url* is with the query. *client* is the address that sent it: at the front end that of a
    device or a load balancer, at the back end that of the front end. *site* is the id of the web site.

    From 2013 on the front end (site 1) and the back end (site 2) share the pool, so the same Ping may be here twice.
    IIS counts ages in milliseconds with 32 bits: after 49.7 days they begin again at 0.
    """

    id: str
    pid: int
    age: dt.timedelta
    verb: str
    url: str
    site: int
    client: str

    @property
    def eas(self) -> EasQuery | None:
        """What its query says, plain or base64; None if it is not an ActiveSync request."""
        path, _, query = self.url.partition("?")
        return parse_query(query) if path.lower().startswith(STEM) else None


@attrs.frozen
class RequestReading:
    """The worker processes of a pool and their requests.

    *time* (UTC) is when they were read, by the server's clock. *workers* are the processes, *requests* what they are
    executing, the oldest first, each once. *unreadable* is how many more requests were told without an id, an age or a
    site.
    """

    time: dt.datetime
    workers: tuple[WorkerProcess, ...]
    requests: tuple[ExecutingRequest, ...]
    unreadable: int = 0


def read_requests(session: Session, app_pool: str) -> RequestReading:
    """The requests that the worker processes of *app_pool* are executing (windows endpoint).

    It is empty if the pool has no worker process, or does not exist. Needs an elevated administrator.

    Raises:
        OutcomeUnknown: a worker process did not answer within the deadline; one that hangs may not answer at all.
        UnreachableHost, CommandFailed, UnexpectedAnswer: as any reading.

    Source: Get-WebRequest, WebAdministration (IIS 7.5 and later); appcmd list requests if the server does not have it.
    """
    reading = read_worker_processes(session)
    workers = reading.of_pool(app_pool)
    told: list[ExecutingRequest | None] = []
    for worker in workers:
        try:
            told += _of_worker(session, worker.pid)
        except CommandFailed:
            remaining = {process.identity for process in read_worker_processes(session).processes}
            if worker.identity in remaining:
                raise
            # The process has ended since it was listed, and its requests with it: that is not an error.
    once = {(request.pid, request.id): request for request in told if request is not None}
    requests = sorted(once.values(), key=lambda request: request.age, reverse=True)
    return RequestReading(reading.time, workers, tuple(requests), told.count(None))


def _of_worker(session: Session, pid: int) -> list[ExecutingRequest | None]:
    """What one process is executing; None for a request that cannot be read."""
    # One process at a time, because the answer may not say which process a request belongs to.
    answer = read_with_module(session, Command("Get-WebRequest", {"Process": pid}, reads=True), _SELECT)
    if answer is not None:
        return [_request(item, pid, _PROPERTIES) for item in answer.objects()]
    return [_request(item, pid, _ATTRIBUTES) for item in list_elements(session, "requests", f"/wp.name:{pid}")]


def _request(item: RemoteObject | Mapping[str, str], pid: int, names: Sequence[str]) -> ExecutingRequest | None:
    number, elapsed, site, verb, url, client = (item.get(name) for name in names)
    try:
        if not number:
            raise ValueError
        age, site_id = dt.timedelta(milliseconds=int(str(elapsed))), int(str(site))
    except (TypeError, ValueError, OverflowError):
        return None
    return ExecutingRequest(str(number), pid, age, str(verb or ""), str(url or ""), site_id, str(client or ""))
