"""The attempts of one device: requests that belong together, how often an attempt is repeated, and whether it goes on.

A device that fails does not always wait for its interval: it may send its contacts in several requests one right after
another, or begin again before the first request has ended. Such requests are one attempt; the interval is that between
the attempts. Pure.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import attrs

from easops.detectors.contact_sync.sync import ContactSync

_SOON: Final = 15.0
"""Seconds within which a request that follows the answer to another always belongs to the same attempt."""

ENDLESS: Final = 8
"""Requests right one after another from which on they are attempts, each of its own."""

_APART: Final = 120.0
"""Seconds after which a request that follows another never does, unless the two overlap."""

_PART: Final = 0.2
"""The part of the interval between attempts up to which a gap is one within an attempt."""

_OVERLAPPING_PART: Final = 0.35
"""The same for a request that begins before the one before it has ended."""

_RARE: Final = 3.0
"""A gap of so many times the median is no usual one: a server was down, or the device was off."""

_MISSED: Final = 1e-3
"""How likely it may be that a device goes on unseen, because a server drops its attempts."""

_LONGER: Final = 1800.0
"""By how many seconds a proof may take longer for that."""

_LEAST: Final = 300.0
"""Seconds that a proof takes at least: attempts that follow each other faster may be parts of one."""


@attrs.frozen
class Attempt:
    """The *syncs* of one attempt, in the order of their starts; at least one."""

    syncs: tuple[ContactSync, ...]

    @property
    def begin(self) -> float:
        return self.syncs[0].begin

    @property
    def end(self) -> float:
        return max(sync.end for sync in self.syncs)

    @property
    def sent(self) -> int:
        """The contacts that the client sent in all of its requests."""
        return sum(sync.sent for sync in self.syncs)

    @property
    def keys(self) -> frozenset[str]:
        """The sync keys that the client sent."""
        return frozenset(key for sync in self.syncs for key in sync.keys)


def attempts_of(syncs: Sequence[ContactSync]) -> tuple[Attempt, ...]:
    """The attempts of one device, in their order."""
    ordered = sorted(syncs, key=lambda sync: sync.begin)
    interval = _widest([later.begin - earlier.begin for earlier, later in pairwise(ordered)])
    groups: list[list[ContactSync]] = []
    for sync in ordered:
        if groups and _same_attempt(groups[-1], sync, interval):
            groups[-1].append(sync)
        else:
            groups.append([sync])
    # So many requests in a row are no single attempt: the device never pauses.
    parts = [part for group in groups for part in ([[one] for one in group] if len(group) >= ENDLESS else [group])]
    return tuple(Attempt(tuple(part)) for part in parts)


def gaps(attempts: Sequence[Attempt]) -> list[float]:
    """The seconds between the begins of attempts."""
    return [later.begin - earlier.begin for earlier, later in pairwise(attempts)]


def usual_gaps(attempts: Sequence[Attempt]) -> list[float]:
    """The gaps without those that are much longer than the others."""
    all_gaps = gaps(attempts)
    if len(all_gaps) < 3:
        return all_gaps
    most = _RARE * statistics.median(all_gaps)
    return [gap for gap in all_gaps if gap <= most]


def longest_request(attempts: Sequence[Attempt]) -> float:
    """The seconds that the longest request took; 0 of none."""
    return max((sync.end - sync.begin for attempt in attempts for sync in attempt.syncs), default=0.0)


def is_one_stream(attempts: Sequence[Attempt]) -> bool:
    """Whether each request follows soon after the answer to the one before it, as in an import of many contacts: the
    client waits for each answer, and goes on."""
    syncs = [sync for attempt in attempts for sync in attempt.syncs]
    return all(0.0 <= later.begin - earlier.end <= 60.0 for earlier, later in pairwise(syncs))


def keys_advance(attempts: Sequence[Attempt]) -> bool:
    """Whether the sync key was another one in each attempt: the client knows that the one before it succeeded."""
    keys = [attempt.keys for attempt in attempts]
    return len(keys) > 1 and all(keys) and all(not earlier & later for earlier, later in pairwise(keys))


def key_stands(attempts: Sequence[Attempt]) -> bool:
    """Whether attempts came with the same sync key: the client sends the same contacts again."""
    keys = [attempt.keys for attempt in attempts]
    return any(earlier & later for earlier, later in pairwise(keys))


def going_on_until(attempts: Sequence[Attempt]) -> float:
    """Seconds after the begin of the last attempt up to which the next may still be to come, or not yet be logged."""
    usual = usual_gaps(attempts)
    return 1.5 * max(usual, default=0.0) + longest_request(attempts) + 60.0


def proof_wait(attempts: Sequence[Attempt], intervals: int) -> tuple[float, float] | None:
    """How long nothing must be seen until it is proved that the device has stopped, and the longest usual interval, in
    seconds. None if no interval is known.

    It is *intervals* times the longest usual interval, and once the longest request. Attempts that a server drops are
    not in its log: what their number may be is estimated from the gaps of several intervals (and with few gaps not much
    can be excluded), and the wait is as long as makes it unlikely that all attempts in it were dropped.
    """
    usual = usual_gaps(attempts)
    if not usual:
        return None
    wait = intervals * max(usual)
    base = statistics.median(gap for gap in usual if gap <= 1.5 * min(usual))
    if base > 0:
        expected = max(float(len(usual)), sum(gaps(attempts)) / base)
        missed = (expected - len(usual) + 2) / (expected + 4)
        unlikely = base * math.log(_MISSED) / math.log(missed)
        wait = max(wait, min(unlikely, wait + _LONGER))
    return max(wait, _LEAST) + longest_request(attempts), max(usual)


def _widest(between: Sequence[float]) -> float:
    """The interval between attempts: the widest gap that is not alone among many."""
    ordered = sorted(between, reverse=True)
    needed = 1 if len(ordered) < 4 else max(2, math.ceil(0.15 * len(ordered)))
    for gap in ordered:
        if sum(gap / 2 <= other <= gap * 2 for other in ordered) >= needed:
            return gap
    return ordered[0] if ordered else 0.0


def _same_attempt(group: Sequence[ContactSync], sync: ContactSync, interval: float) -> bool:
    gap = sync.begin - group[-1].begin
    end = max(earlier.end for earlier in group)
    if sync.begin < end and gap <= max(_SOON, _OVERLAPPING_PART * interval):
        return True
    return 0.0 <= sync.begin - end <= _SOON or gap <= min(_APART, max(_SOON, _PART * interval))
