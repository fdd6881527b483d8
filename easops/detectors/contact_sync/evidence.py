"""The sentences and samples that show a storm to a person. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

from easops.detectors.contact_sync.attempt import Attempt, usual_gaps
from easops.detectors.contact_sync.device import interval
from easops.detectors.contact_sync.sync import ContactSync
from easops.detectors.duration_words import minutes
from easops.logs.window import LogReading

_SAMPLES: Final = 3

_SHOWN_DAMAGED: Final = 3

_LATE: Final = dt.timedelta(minutes=2)
"""How much older than the server's clock the newest line may be without a note."""


def samples(hits: Sequence[ContactSync]) -> tuple[str, ...]:
    """Log lines, unchanged, each with its host, file and line number: the first, the most expensive, and the last."""
    costliest = max(hits, key=lambda hit: hit.cost)
    chosen = {hit.line.where: hit for hit in (hits[0], costliest, hits[-1])}
    in_order = sorted(chosen.values(), key=lambda hit: hit.request.ended)[:_SAMPLES]
    return tuple(f"{hit.host + ' ' if hit.host else ''}{hit.line.where}: {hit.line.row.text}" for hit in in_order)


def sentence(devices: Sequence[Sequence[ContactSync]], threshold: int, within: str, why_not: str = "") -> str:
    """The evidence: ``312 contact syncs over 2000 RPC in 60 min (max 6,412) from iPhone APPL1234, every 4 min, ...``.

    *devices* are the hits of each device, *within* is ``in 60 min``; *why_not* says why it is not a finding.
    """
    hits = [hit for device in devices for hit in device]
    syncs = "contact sync" if len(hits) == 1 else "contact syncs"
    sources = " and ".join(_device_words(device) for device in devices)
    most = max(hit.cost for hit in hits)
    if any(hit.rpc is None for hit in hits):
        text = f"{len(hits):,} {syncs} {within} (mailbox calls are not logged) from {sources}"
    elif all(hit.over(threshold) for hit in hits):
        text = f"{len(hits):,} {syncs} over {threshold} RPC {within} (max {most:,}) from {sources}"
    else:
        text = f"{len(hits):,} {syncs} {within} (max {most:,} RPC) from {sources}"
    return f"{text}; {why_not}" if why_not else text


def over_words(attempts: Sequence[Attempt]) -> str:
    """``over: last at 09:30:25, 30 min before the newest line; every 4 min before that``."""
    last = min((sync for attempt in attempts for sync in attempt.syncs), key=lambda sync: sync.silence)
    ago = minutes(dt.timedelta(seconds=(last.source.newest - last.request.ended).total_seconds()))
    words = f"over: the last ended at {last.request.ended:%H:%M:%S}, {ago} before the newest line"
    usual = usual_gaps(attempts)
    return f"{words}; retried every {minutes(dt.timedelta(seconds=max(usual)))} before that" if usual else words


def contacts_words(contacts: int) -> str:
    """``mailbox holds 5,204 contacts``."""
    return f"mailbox holds {contacts:,} {'contact' if contacts == 1 else 'contacts'}"


def log_notes(host: str, log: LogReading, hits: Sequence[ContactSync]) -> list[str]:
    """What a person should know about a log that was read. *host* is empty for files without a server."""
    label = f"{host}: " if host else ""
    notes = [label + note for note in log.notes]
    if log.damaged:
        shown = "; ".join(text[:160] for text in log.damaged_lines[:_SHOWN_DAMAGED])
        lines = "1 damaged line was" if log.damaged == 1 else f"{log.damaged:,} damaged lines were"
        notes.append(f"{label}{lines} skipped: {shown}")
    if log.time is not None and log.newest is not None and log.time - log.newest > _LATE:
        notes.append(
            f"{label}the newest line of the log is {minutes(log.time - log.newest)} older than the server's clock; "
            "IIS buffers up to 64 kB of lines before it writes them"
        )
    notes += [label + note for note in _reading_notes(log)]
    if any(hit.rpc is not None and hit.rpc.source != "RpcC" for hit in hits):
        notes.append(
            "the mailbox calls are those of ActivityContextData (2013 and later); "
            "the threshold of 2,000 was measured on RpcC (2007 and 2010)"
        )
    return notes


def _reading_notes(log: LogReading) -> list[str]:
    notes = []
    if log.repaired:
        notes.append(f"{counted(log.repaired, 'line')} with bytes that are not UTF-8, read by the code page")
    if log.twice:
        notes.append(f"{counted(log.twice, 'line')} occurred twice and counted once")
    if log.misdated:
        first = log.misdated[0]
        notes.append(
            f"{counted(len(log.misdated), 'line')} with a date that cannot be true left out: {first.where}: "
            f"{first.row.text[:60]}"
        )
    return notes


def counted(number: int, noun: str) -> str:
    """``1 line``, ``2,500 lines``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


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
