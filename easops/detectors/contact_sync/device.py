"""The hits of one device: how often it comes back, and its summary in a finding. Pure."""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from easops.detectors.contact_sync.sync import ContactSync
from easops.detectors.finding import Device

_REGULAR: Final = 0.2
"""The spread of the intervals (median deviation, as a part of the median) up to which they count as regular."""


def by_device(hits: Iterable[ContactSync]) -> dict[str, list[ContactSync]]:
    """The hits of each device, in the order of their starts."""
    devices: dict[str, list[ContactSync]] = {}
    for hit in sorted(hits, key=lambda hit: hit.request.started):
        devices.setdefault(hit.device_key, []).append(hit)
    return devices


def interval(hits: Sequence[ContactSync]) -> tuple[float | None, bool]:
    """The median of the seconds between the starts of one device's hits, and whether they come regularly.

    None for a single hit. Starts and not ends, because a device tries again a fixed time after it began or gave up.
    """
    starts = sorted(hit.request.started for hit in hits)
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(starts)]
    if not gaps:
        return None, False
    median = statistics.median(gaps)
    spread = statistics.median(abs(gap - median) for gap in gaps)
    return median, len(gaps) > 1 and median > 0 and spread <= _REGULAR * median


def retry_interval(hits: Iterable[ContactSync]) -> dt.timedelta | None:
    """The retry interval of a user: the longest of the devices' medians; None if no device has two hits."""
    known = [seconds for device in by_device(hits).values() if (seconds := interval(device)[0])]
    return dt.timedelta(seconds=max(known)) if known else None


def device_of(hits: Sequence[ContactSync]) -> Device:
    """The summary of the device that made *hits* (at least one)."""
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
