"""A contact sync over the threshold, from the line of the log that has it. Pure; nothing here asks a server."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import attrs

from easops.logs.eas_log import RpcCount
from easops.logs.eas_request import EasRequest, read_request
from easops.logs.window import LogLine

LITERALS: Final = (b"Ty:Co",)
"""Text that every line of a contact sync contains. The server writes it, so its case is known."""


@attrs.frozen
class ContactSync:
    """A hit: a Sync of a contacts folder that took more mailbox calls (RPC) than the threshold.

    Counted over the contacts folders of the request: *sent* contacts that the client added or changed, *added* those
    that it added (``Cli:``), *received* those that the server gave it (``Srv:``).
    """

    host: str
    line: LogLine
    request: EasRequest
    rpc: RpcCount
    sent: int
    added: int
    received: int

    @property
    def client_sends(self) -> bool:
        """Whether the client sends more than it gets: the fault is a client that sends its contacts again and again."""
        return self.sent > self.received

    @property
    def server_fills(self) -> bool:
        """Whether the server sends: the first sync of a new phone, or part of it."""
        return self.received > 0 and not self.client_sends

    @property
    def device_key(self) -> str:
        """The device id, in lower case; empty if the request has none."""
        return (self.request.query.device_id or "").lower()


def contact_syncs(host: str, lines: Iterable[LogLine], threshold: int) -> list[ContactSync]:
    """The contact syncs of *lines* with more than *threshold* mailbox calls, in the order of the lines.

    Health probes are left out, and so are lines with status 401: their user is not authenticated.
    """
    hits = []
    for line in lines:
        request = read_request(line.row)
        if request is None or request.status == 401 or request.is_probe:
            continue
        log = request.query.log
        if (request.query.command or "").lower() != "sync" or log is None:
            continue
        contacts = [folder for folder in log.folders if folder.type == "Co"]
        rpc = log.rpc
        if not contacts or rpc is None or rpc.value <= threshold:
            continue
        hits.append(
            ContactSync(
                host=host,
                line=line,
                request=request,
                rpc=rpc,
                sent=sum(folder.client.adds + folder.client.changes for folder in contacts),
                added=sum(folder.client.adds for folder in contacts),
                received=sum(folder.server.adds + folder.server.changes for folder in contacts),
            )
        )
    return hits
