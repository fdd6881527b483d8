"""Floods of other kinds that the scan meets: calendar loops, full syncs again and again, refused requests. Pure.

They are named with their numbers and not treated: limiting a user is the cure of contact-sync storms, and is not known
to help here.

Sources: KB 2814847 (calendar loops), KB 2469722 (full syncs every 30 s, 503 by user and device).
"""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Final

import attrs

from easops.detectors.contact_sync.sync import ContactSync, Source, over_threshold
from easops.detectors.duration_words import minutes
from easops.detectors.finding import OtherFlood
from easops.logs.eas_request import EasRequest
from easops.logs.window import LogLine

OTHER_LITERALS: Final = (b"Ty:Ca", b"MeetingResponse", b" 503 ")
"""Text of which a line of such a request contains one."""

SHOWN: Final = 20
"""How many are told; what is missing is counted."""


@attrs.frozen
class _Kind:
    """A kind of flood: its name, which requests belong to it, from how many on it is one, and what to say of them."""

    name: str
    has: Callable[[EasRequest, int], bool]
    fewest: int
    words: Callable[[Sequence[EasRequest]], str]


def _calendar(request: EasRequest, threshold: int) -> bool:
    log = request.query.log
    if log is None or (request.query.command or "").lower() != "sync":
        return False
    return over_threshold(log.rpc, threshold) and any(folder.type == "Ca" for folder in log.folders)


def _calls(requests: Sequence[EasRequest]) -> str:
    costs = [log.rpc.value for request in requests if (log := request.query.log) is not None and log.rpc is not None]
    return f"up to {max(costs):,} mailbox calls each" if costs else ""


def _errors(requests: Sequence[EasRequest]) -> str:
    names = {log.error for request in requests if (log := request.query.log) is not None and log.error}
    return ", ".join(sorted(names))


_KINDS: Final = (
    _Kind("calendar syncs", _calendar, 5, _calls),
    _Kind("meeting responses", lambda one, _: (one.query.command or "").lower() == "meetingresponse", 30, _calls),
    _Kind("requests refused with 503", lambda one, _: one.status == 503, 5, _errors),
)

_FULL_SYNCS: Final = _Kind("full syncs of the contacts", lambda one, _: True, 5, _calls)


def other_floods(
    source: Source, requests: Iterable[tuple[LogLine, EasRequest]], syncs: Sequence[ContactSync], threshold: int
) -> list[OtherFlood]:
    """The floods of other kinds in one log: those that still go on, by user and device."""
    logged = [request for _, request in requests if not request.is_probe]
    found: list[OtherFlood] = []
    for kind in _KINDS:
        found += _floods(source, kind, [request for request in logged if kind.has(request, threshold)])
    found += _floods(source, _FULL_SYNCS, [sync.request for sync in syncs if sync.full and sync.kind == "fills"])
    return found


def merged(floods: Iterable[OtherFlood]) -> tuple[OtherFlood, ...]:
    """The same flood of several servers once, with the evidence of each; the largest first."""
    by_device: dict[tuple[str, str, str], OtherFlood] = {}
    for flood in floods:
        key = (flood.kind, flood.user.lower(), flood.device_id.lower())
        earlier = by_device.get(key)
        by_device[key] = flood if earlier is None else attrs.evolve(
            earlier,
            requests=earlier.requests + flood.requests,
            hosts=tuple(sorted({*earlier.hosts, *flood.hosts})),
            evidence=f"{earlier.evidence}; {flood.evidence}",
        )  # fmt: skip
    return tuple(sorted(by_device.values(), key=lambda flood: (-flood.requests, flood.kind, flood.user)))


def _floods(source: Source, kind: _Kind, requests: Sequence[EasRequest]) -> list[OtherFlood]:
    devices: dict[tuple[str, str], list[EasRequest]] = {}
    for request in requests:
        key = ((request.username or "").lower(), (request.query.device_id or "").lower())
        devices.setdefault(key, []).append(request)
    return [
        flood
        for own in devices.values()
        if len(own) >= kind.fewest and (flood := _flood(source, kind, own)) is not None
    ]


def _flood(source: Source, kind: _Kind, requests: Sequence[EasRequest]) -> OtherFlood | None:
    """The flood of one device; None if it is over."""
    ordered = sorted(requests, key=lambda request: request.started)
    between = [(later.started - earlier.started).total_seconds() for earlier, later in pairwise(ordered)]
    last = ordered[-1]
    usual = statistics.median(between)
    longest = max((gap for gap in between if gap <= 3 * usual), default=usual)
    if (source.newest - last.started).total_seconds() > 2 * longest + last.time_taken / 1000 + 300:
        return None
    user = last.username or ""
    every = minutes(dt.timedelta(seconds=usual))
    device = f"{last.query.device_type or 'a device'} {last.query.device_id or 'without a device id'}"
    more = kind.words(ordered)
    where = f"{source.host}: " if source.host else ""
    evidence = (
        f"{where}{len(ordered):,} {kind.name} from {device}, typically every {every}{f', {more}' if more else ''}"
    )
    return OtherFlood(
        kind=kind.name,
        user=user,
        device_id=last.query.device_id or "",
        user_agent=last.user_agent,
        requests=len(ordered),
        hosts=(source.host,) if source.host else (),
        evidence=evidence,
    )
