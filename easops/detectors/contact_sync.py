"""Contact syncs over a threshold: from log lines to devices and sentences. Pure; nothing here asks a server."""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

import attrs

from easops.detectors.duration_words import minutes
from easops.detectors.finding import Device
from easops.logs.eas_query import RpcCount
from easops.logs.eas_request import EasRequest, read_request
from easops.logs.window import LogLine

MINIMUM: Final = 3
"""Hits of one user and device below which there is suspicion, and no finding."""

LITERALS: Final = (b"Ty:Co",)
"""What every line that can be a hit holds: the server writes it, so its case is known."""

_REGULAR: Final = 0.2
"""The spread (median deviation against the median) up to which requests repeat at their interval."""

_SAMPLES: Final = 3


@attrs.frozen
class ContactSync:
    """A Sync of a contacts folder that took more than the threshold of mailbox calls.

    *sent* counts the contacts that the client added or changed, *added* those that it added (``Cli:``), *received*
    those that the server gave it (``Srv:``), over the contacts folders of the request.
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
        """Whether the client gives more than it gets: the fault is a client that posts its contacts."""
        return self.sent > self.received

    @property
    def server_fills(self) -> bool:
        """Whether the server gives: a new phone's first sync, or a part of it."""
        return self.received > 0 and not self.client_sends

    @property
    def device_key(self) -> str:
        return (self.request.query.device_id or "").lower()


def contact_syncs(host: str, lines: Iterable[LogLine], threshold: int) -> list[ContactSync]:
    """The contact syncs of *lines* with more than *threshold* calls, in order.

    Left out are health probes, and lines with status 401: their user is not proved.
    """
    found = []
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
        found.append(
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
    return found


def by_device(hits: Iterable[ContactSync]) -> dict[str, list[ContactSync]]:
    """The hits of each device, in order of their starts."""
    devices: dict[str, list[ContactSync]] = {}
    for hit in sorted(hits, key=lambda hit: hit.request.started):
        devices.setdefault(hit.device_key, []).append(hit)
    return devices


def interval(hits: Sequence[ContactSync]) -> tuple[float | None, bool]:
    """The median seconds between the starts of one device's hits, and whether they repeat at it.

    None for a single hit. Starts and not ends, since a device retries a fixed time after it began or gave up.
    """
    starts = sorted(hit.request.started for hit in hits)
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(starts)]
    if not gaps:
        return None, False
    median = statistics.median(gaps)
    spread = statistics.median(abs(gap - median) for gap in gaps)
    return median, len(gaps) > 1 and median > 0 and spread <= _REGULAR * median


def retry_interval(hits: Iterable[ContactSync]) -> dt.timedelta | None:
    """The retry interval of a user: the longest of the devices' medians; None where no device came twice."""
    known = [seconds for device in by_device(hits).values() if (seconds := interval(device)[0])]
    return dt.timedelta(seconds=max(known)) if known else None


def device(hits: Sequence[ContactSync]) -> Device:
    """The device whose *hits* these are (one at least)."""
    seconds, regular = interval(hits)
    sizes = [hit.request.bytes_sent for hit in hits if hit.request.bytes_sent is not None]
    query = hits[0].request.query
    return Device(
        device_id=query.device_id or "",
        device_type=query.device_type or "",
        user_agent=hits[0].request.user_agent,
        hits=len(hits),
        rpc_max=max(hit.rpc.value for hit in hits),
        rpc_sum=sum(hit.rpc.value for hit in hits),
        contacts_sent=sum(hit.added for hit in hits),
        bytes_sent=sum(sizes) if sizes else None,
        time_taken=max(hit.request.time_taken for hit in hits),
        interval=seconds,
        regular=regular,
        first_seen=min(hit.request.ended for hit in hits),
        last_seen=max(hit.request.ended for hit in hits),
        hosts=tuple(sorted({hit.host for hit in hits if hit.host})),
    )


def samples(hits: Sequence[ContactSync]) -> tuple[str, ...]:
    """Lines as they stand, with where they stand: the first, the costliest, the last."""
    costliest = max(hits, key=lambda hit: hit.rpc.value)
    chosen = {hit.line.where: hit for hit in (hits[0], costliest, hits[-1])}
    lines = sorted(chosen.values(), key=lambda hit: hit.request.ended)[:_SAMPLES]
    return tuple(f"{hit.host + ' ' if hit.host else ''}{hit.line.where}: {hit.line.row.text}" for hit in lines)


def sentence(
    devices: Sequence[Sequence[ContactSync]], threshold: int, within: str, contacts: int | None, why_not: str = ""
) -> str:
    """The evidence: ``312 contact syncs over 2000 RPC in 60 min (max 6,412) from iPhone APPL1234, every 4 min, ...``.

    *devices* are the hits of each device, *within* is ``in 60 min``; *why_not* says why it is no finding.
    """
    hits = [hit for device in devices for hit in device]
    most = max(hit.rpc.value for hit in hits)
    syncs = "contact sync" if len(hits) == 1 else "contact syncs"
    told = " and ".join(_device_words(device) for device in devices)
    text = f"{len(hits):,} {syncs} over {threshold} RPC {within} (max {most:,}) from {told}"
    if contacts is not None:
        text += f"; mailbox holds {contacts:,} {'contact' if contacts == 1 else 'contacts'}"
    return f"{text}; {why_not}" if why_not else text


def _device_words(hits: Sequence[ContactSync]) -> str:
    query = hits[0].request.query
    words = f"{query.device_type or 'a device'} {query.device_id or 'without a device id'}"
    seconds, regular = interval(hits)
    if seconds is not None:
        every = minutes(dt.timedelta(seconds=seconds))
        if len(hits) == 2:
            words += f", {every} apart"
        else:
            words += f", every {every}" if regular else f", irregularly (typically after {every})"
    sent = [hit.sent for hit in hits]
    if max(sent) > 0:
        most = f"{max(sent):,} {'contact' if max(sent) == 1 else 'contacts'} sent"
        if len(hits) == 1:
            words += f", {most}"
        else:
            words += f", {most} each time" if min(sent) == max(sent) else f", up to {most} at a time"
    return words
