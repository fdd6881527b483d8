"""A contact sync, from the line of the log that has it. Pure; nothing here asks a server."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Final, Literal

import attrs

from easops.logs.eas_log import RpcCount
from easops.logs.eas_request import EasRequest, read_request
from easops.logs.window import LogLine

LITERALS: Final = (b"Ty:Co",)
"""Text that every line of a contact sync contains. The server writes it, so its case is known."""

FEW: Final = 50
"""Fewer contacts sent in one request are edits, whatever the request costs."""

MANY: Final = 500
"""So many contacts sent in one request count whatever the request costs: the mailbox calls of a line may be missing, or
be another server's count."""

_MAPI_PER_RPC: Final = 3
"""``MAPI.C`` counts two to three calls for each of ``RPC.C`` on the same line, so its threshold is higher."""


@attrs.frozen
class Source:
    """The log that a sync is from: of the server *host* (empty if not known).

    *newest* is the time of its newest line of any kind, by which it is told how long ago something was. *clock* is the
    server's clock at the reading (None for local files): servers' clocks differ, so times of two servers are compared
    by how long before it they are.
    """

    host: str
    newest: dt.datetime
    clock: dt.datetime | None = None


@attrs.frozen
class ContactSync:
    """A Sync of a contacts folder that matters: many contacts sent, or more mailbox calls (RPC) than the threshold.

    *rpc* is None if the server did not log it. Counted over the contacts folders of the request: *sent* contacts that
    the client added or changed, *added* those that it added (``Cli:``), *received* those that the server gave it
    (``Srv:``). *keys* are the sync keys that the client sent (``Sk``), one of each folder that logs it; *full* says
    that the client asked for a folder from its beginning (``St:F`` or key 0).
    """

    source: Source
    line: LogLine
    request: EasRequest
    rpc: RpcCount | None
    sent: int
    added: int
    received: int
    keys: tuple[str, ...] = ()
    full: bool = False

    @property
    def host(self) -> str:
        return self.source.host

    @property
    def begin(self) -> float:
        """When it began, in seconds on an axis that the servers of one reading share."""
        started = self.request.started
        zero = self.source.clock
        return started.timestamp() if zero is None else (started - zero).total_seconds()

    @property
    def end(self) -> float:
        """When it ended, on the same axis."""
        return self.begin + self.request.time_taken / 1000

    @property
    def silence(self) -> float:
        """Seconds from its begin to the newest line of the log."""
        return (self.source.newest - self.request.started).total_seconds()

    @property
    def cost(self) -> int:
        """Its mailbox calls; 0 if they are not logged."""
        return 0 if self.rpc is None else self.rpc.value

    @property
    def kind(self) -> Literal["posts", "edits", "fills", "other"]:
        """What it does: the client *posts* many contacts, or *edits* a few; the server *fills* the device."""
        if self.sent >= FEW:
            return "posts"
        if self.sent > self.received:
            return "edits"
        return "fills" if self.received or self.full else "other"

    @property
    def server_fills(self) -> bool:
        """Whether the server sends: the first sync of a new phone, or part of it."""
        return self.kind == "fills"

    def over(self, threshold: int) -> bool:
        """Whether it made more mailbox calls than *threshold*, which counts RPCs."""
        return over_threshold(self.rpc, threshold)

    @property
    def device_key(self) -> str:
        """The device id, in lower case; empty if the request has none."""
        return (self.request.query.device_id or "").lower()


def over_threshold(rpc: RpcCount | None, threshold: int) -> bool:
    """Whether a request made more mailbox calls than *threshold*, which counts RPCs."""
    if rpc is None:
        return False
    return rpc.value > threshold * (_MAPI_PER_RPC if rpc.source == "MAPI.C" else 1)


def contact_sync(source: Source, line: LogLine, request: EasRequest) -> ContactSync | None:
    """The contact sync of *request*; None if it is none.

    Health probes are none, and neither are requests with status 401: their user is not authenticated.
    """
    log = request.query.log
    if log is None or (request.query.command or "").lower() != "sync" or request.status == 401 or request.is_probe:
        return None
    contacts = [folder for folder in log.folders if folder.type == "Co"]
    if not contacts:
        return None
    return ContactSync(
        source=source,
        line=line,
        request=request,
        rpc=log.rpc,
        sent=sum(folder.client.adds + folder.client.changes for folder in contacts),
        added=sum(folder.client.adds for folder in contacts),
        received=sum(folder.server.adds + folder.server.changes for folder in contacts),
        keys=tuple(folder.sync_key for folder in contacts if folder.sync_key),
        full=any(folder.sync_type == "F" or folder.sync_key == "0" for folder in contacts),
    )


def requests_of(lines: Iterable[LogLine]) -> list[tuple[LogLine, EasRequest]]:
    """The ActiveSync requests of *lines*, each with its line."""
    return [(line, request) for line in lines if (request := read_request(line.row)) is not None]


def contact_syncs(source: Source, requests: Iterable[tuple[LogLine, EasRequest]], threshold: int) -> list[ContactSync]:
    """The contact syncs of *requests* that matter (see ``ContactSync``), in the order of the lines."""
    syncs = [sync for line, request in requests if (sync := contact_sync(source, line, request)) is not None]
    return [sync for sync in syncs if sync.full or sync.sent >= FEW or sync.over(threshold)]
