"""Whether the floods of one user have ended since a step. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import attrs

from easops.detectors.contact_sync.attempt import attempts_of, proof_wait
from easops.detectors.contact_sync.criteria import Criteria
from easops.detectors.contact_sync.device import by_device
from easops.detectors.contact_sync.evidence import sentence
from easops.detectors.contact_sync.host_log import HostLog
from easops.detectors.contact_sync.suspicion import counts, user_finding
from easops.detectors.contact_sync.sync import FEW, ContactSync
from easops.detectors.duration_words import minutes
from easops.detectors.finding import Undetermined, UserFinding
from easops.exchange.mailbox import Mailbox

_UNKNOWN_INTERVAL: Final = dt.timedelta(minutes=5)
"""Assumed where the log does not show a user's retry interval ("after several minutes", says KB 2711053)."""


_MINUTE: Final = dt.timedelta(minutes=1)
_LOOKED_BACK: Final = dt.timedelta(minutes=15)
_DENSE: Final = 0.8
"""The part of the minutes before a step that have a line in a log in which silence means something."""

_SHORTEST_HOLE: Final = dt.timedelta(minutes=3)


@attrs.frozen
class Verification:
    """Whether one user's floods have ended: none or one finding, and the hosts on which it is not known yet."""

    found: tuple[UserFinding, ...] = ()
    undetermined: tuple[Undetermined, ...] = ()
    notes: tuple[str, ...] = ()


@attrs.frozen
class _Wait:
    """How long nothing must be seen: *seconds*, and the *interval* that they come from."""

    seconds: float
    interval: float

    @property
    def words(self) -> str:
        return f"{_minutes(self.seconds)} still to wait (retry intervals of up to {_minutes(self.interval)})"


def verify(mailbox: Mailbox, syncs: Sequence[ContactSync], logs: Sequence[HostLog], criteria: Criteria) -> Verification:
    """Whether the floods of *mailbox* ended when the step of ``after`` ended, on each host by its own clock.

    Not known on a host before enough of the user's own retry intervals have passed there, and the log has a line from
    after them: until then a device that is only waiting looks like one that has stopped. Any request that began after
    the step and sends as many contacts as a flood does shows that it goes on, whatever it costs.
    """
    user = mailbox.primary_smtp_address
    afters = {log.host: log.after for log in logs if log.after is not None}
    wait, known = _wait(syncs, afters, criteria)
    notes = []
    if not known and syncs:  # about a user with no sync on these servers there is nothing to say
        assumed = minutes(_UNKNOWN_INTERVAL)
        notes.append(f"{user}: the log does not show the retry interval; {assumed} is assumed")
    undetermined: list[Undetermined] = []
    late: list[ContactSync] = []
    for log in logs:
        missing = _not_known_yet(user, log, afters[log.host], wait)
        if missing is not None:
            undetermined.append(missing)
        after = [sync for sync in syncs if sync.host == log.host and sync.request.started > afters[log.host]]
        floods = [
            sync for sync in after if sync.sent >= FEW or (sync.over(criteria.threshold) and not sync.server_fills)
        ]
        if missing is None or any(counts(sync, criteria.threshold) for sync in floods):
            late += floods
    if not late:
        return Verification(undetermined=tuple(undetermined), notes=tuple(notes))
    # One is enough: the minimum of a finding is there to suspect a user, not to prove that his flood has ended.
    begin = min(afters[sync.host] for sync in late)
    devices = tuple(by_device(late).values())
    evidence = sentence(devices, criteria.threshold, f"since {begin:%H:%M:%S} UTC")
    found = user_finding(user, mailbox.guid, devices, evidence)
    return Verification((found,), tuple(undetermined), tuple(notes))


def _wait(syncs: Sequence[ContactSync], afters: dict[str, dt.datetime], criteria: Criteria) -> tuple[_Wait, bool]:
    """How long nothing must be seen, and whether the log shows it: the longest of the user's devices.

    From the syncs before the cure only: a device that is let in again may send cheap syncs one right after another, and
    an interval learned from those would shorten the proof.
    """
    before = [
        sync
        for sync in syncs
        if sync.request.started <= afters[sync.host] and not sync.server_fills and sync.sent >= FEW
    ]
    waits = [
        _Wait(*known)
        for own in by_device(before).values()
        if (known := proof_wait(attempts_of(own), criteria.intervals)) is not None
    ]
    if waits:
        return max(waits, key=lambda wait: wait.seconds), True
    seconds = _UNKNOWN_INTERVAL.total_seconds()
    return _Wait(seconds * criteria.intervals, seconds), False


def _not_known_yet(user: str, log: HostLog, after: dt.datetime, wait: _Wait) -> Undetermined | None:
    """Why *log* cannot say yet whether the flood of *user* ended at *after*; None if it can."""
    until = _watched_since(log, after, wait) + dt.timedelta(seconds=wait.seconds)
    if log.time < until:
        left = until - log.time
        why = f"{minutes(left)} of {wait.words}"
        return Undetermined("user", user, why, True, log.host, left.total_seconds())
    if log.newest < until:
        why = (
            f"the log does not reach far enough yet: its newest line is from {log.newest:%H:%M:%S}, "
            f"needed is {until:%H:%M:%S}"
        )
        return Undetermined("user", user, why, True, log.host)
    return None


def _watched_since(log: HostLog, after: dt.datetime, wait: _Wait) -> dt.datetime:
    """From when on the log shows all that happened: *after*, or the end of the last hole in it.

    A server that logged something nearly every minute before *after* and then nothing for long has not become silent:
    its clock was set forward, or it did not log. Such time proves nothing.
    """
    minutes = log.reading.log.minutes
    before = [minute for minute in minutes if after - _LOOKED_BACK <= minute < after]
    if len(before) < _DENSE * _LOOKED_BACK / _MINUTE:
        return after
    longest = max(_SHORTEST_HOLE, dt.timedelta(seconds=wait.seconds / 4))
    since = [after, *(minute for minute in minutes if minute > after)]
    return max((later for earlier, later in pairwise(since) if later - earlier > longest), default=after)


def _minutes(seconds: float) -> str:
    return minutes(dt.timedelta(seconds=seconds))
