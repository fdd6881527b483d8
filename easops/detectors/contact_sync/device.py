"""The syncs of one device: how often it comes back, and its summary in a finding. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import Final

from easops.detectors.contact_sync.attempt import attempts_of, gaps
from easops.detectors.contact_sync.sync import ContactSync
from easops.detectors.finding import Device

_REGULAR: Final = 0.2
"""The spread of the intervals (median deviation, as a part of the median) up to which they count as regular."""


def by_device(syncs: Iterable[ContactSync]) -> dict[str, list[ContactSync]]:
    """The syncs of each device, in the order of their starts."""
    devices: dict[str, list[ContactSync]] = {}
    for sync in sorted(syncs, key=lambda sync: sync.begin):
        devices.setdefault(sync.device_key, []).append(sync)
    return devices


def interval(syncs: Sequence[ContactSync]) -> tuple[float | None, bool]:
    """The median of the seconds between the begins of one device's attempts, and whether they come regularly.

    None for a single attempt. Begins and not ends, because a device tries again a fixed time after it began or gave up.
    """
    between = gaps(attempts_of(syncs))
    if not between:
        return None, False
    median = statistics.median(between)
    spread = statistics.median(abs(gap - median) for gap in between)
    return median, len(between) > 1 and median > 0 and spread <= _REGULAR * median


def device_of(syncs: Sequence[ContactSync]) -> Device:
    """The summary of the device that made *syncs* (at least one)."""
    seconds, regular = interval(syncs)
    sizes = [sync.request.bytes_sent for sync in syncs if sync.request.bytes_sent is not None]
    query = syncs[0].request.query
    return Device(
        device_id=query.device_id or "",
        device_type=query.device_type or "",
        user_agent=syncs[0].request.user_agent,
        hits=len(syncs),
        rpc_max=max(sync.cost for sync in syncs),
        rpc_sum=sum(sync.cost for sync in syncs),
        contacts_sent=sum(sync.added for sync in syncs),
        bytes_sent=sum(sizes) if sizes else None,
        time_taken=max(sync.request.time_taken for sync in syncs),
        interval=seconds,
        regular=regular,
        first_seen=min(sync.request.ended for sync in syncs),
        last_seen=max(sync.request.ended for sync in syncs),
        hosts=tuple(sorted({sync.host for sync in syncs if sync.host})),
    )
