"""The requests that a pool's worker processes have in hand: which, whose, and for how long already."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from easops.errors import CommandFailed, UnexpectedAnswer
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
"""The same in appcmd's words; times are in ms in both."""

_NARROWED: Final = Command("Select-Object", {"Property": list(_PROPERTIES)}, reads=True)
"""Done on the server: a request as it stands carries its whole schema with it."""


@attrs.frozen
class ExecutingRequest:
    """One request in flight. *age* is since its worker process *pid* took it; *url* has the query; *client* is the
    address that sent it: a device's (or balancer's) at the front end, the front end's at the back end.

    From 2013 on front end (*site* 1) and back end (site 2) share the pool, so one Ping may stand here twice.
    IIS counts ages in 32 bits of milliseconds: after 49.7 days they begin again.
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
        """What its query says, in either form; None where it is no ActiveSync request."""
        path, _, query = self.url.partition("?")
        return parse_query(query) if path.lower().startswith(STEM) else None


@attrs.frozen
class RequestReading:
    """A pool's *workers* and their *requests*, the oldest first, at one moment of the server's clock (*time*, UTC)."""

    time: dt.datetime
    workers: tuple[WorkerProcess, ...]
    requests: tuple[ExecutingRequest, ...]


def read_requests(session: Session, app_pool: str) -> RequestReading:
    """What the worker processes of *app_pool* have in hand, each asked by itself (windows endpoint).

    Empty where the pool has no worker process, or is not there. A worker that hangs may not answer: then
    OutcomeUnknown, after the deadline. Raises UnreachableHost, CommandFailed, UnexpectedAnswer too.
    Source: Get-WebRequest, WebAdministration (IIS 7.5 and later); appcmd list requests where that is missing. Both need
    an elevated administrator.
    """
    reading = read_worker_processes(session)
    workers = reading.of_pool(app_pool)
    requests: list[ExecutingRequest] = []
    for worker in workers:
        try:
            requests += _of_worker(session, worker.pid)
        except CommandFailed:
            left = {held.identity for held in read_worker_processes(session).processes}
            if worker.identity in left:
                raise
            # Else it ended in between, with all that it had.
    requests.sort(key=lambda request: request.age, reverse=True)
    return RequestReading(reading.time, workers, tuple(requests))


def _of_worker(session: Session, pid: int) -> list[ExecutingRequest]:
    # By process: the answer need not say whose a request is.
    answer = read_with_module(session, Command("Get-WebRequest", {"Process": pid}, reads=True), _NARROWED)
    if answer is not None:
        return [_request(item, pid, _PROPERTIES) for item in answer.objects()]
    return [_request(item, pid, _ATTRIBUTES) for item in list_elements(session, "requests", f"/wp.name:{pid}")]


def _request(item: RemoteObject | Mapping[str, str], pid: int, names: Sequence[str]) -> ExecutingRequest:
    number, elapsed, site, verb, url, client = (item.get(name) for name in names)
    try:
        if not number:
            raise ValueError
        age, site_id = dt.timedelta(milliseconds=int(str(elapsed))), int(str(site))
    except (TypeError, ValueError, OverflowError):
        raise UnexpectedAnswer("a request in flight has no id, age or site", repr(item)[:200], "report it") from None
    return ExecutingRequest(str(number), pid, age, str(verb or ""), str(url or ""), site_id, str(client or ""))
