"""Whether the floods of one user have ended since a step. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

import attrs

from easops.detectors.contact_sync.criteria import Criteria
from easops.detectors.contact_sync.device import by_device, retry_interval
from easops.detectors.contact_sync.evidence import sentence
from easops.detectors.contact_sync.host_log import HostLog
from easops.detectors.contact_sync.suspicion import user_finding
from easops.detectors.contact_sync.sync import ContactSync
from easops.detectors.duration_words import minutes
from easops.detectors.finding import Undetermined, UserFinding
from easops.exchange.mailbox import Mailbox

_UNKNOWN_INTERVAL: Final = dt.timedelta(minutes=5)
"""Assumed where the log does not show a user's retry interval ("after several minutes", says KB 2711053)."""


@attrs.frozen
class Verification:
    """Whether one user's floods have ended: none or one finding, and the hosts on which it is not known yet."""

    found: tuple[UserFinding, ...] = ()
    undetermined: tuple[Undetermined, ...] = ()
    notes: tuple[str, ...] = ()


def verify(mailbox: Mailbox, hits: Sequence[ContactSync], logs: Sequence[HostLog], criteria: Criteria) -> Verification:
    """Whether the floods of *mailbox* ended when the step of ``after`` ended, on each host by its own clock.

    Not known on a host before enough of the user's own retry intervals have passed there, and the log has a line from
    after them: until then a device that is only waiting looks like one that has stopped.
    """
    user = mailbox.primary_smtp_address
    notes: list[str] = []
    afters = {log.host: log.after for log in logs if log.after is not None}
    # From the hits before the cure only: a device that is let in again may send cheap syncs one right after another,
    # and an interval learned from those would shorten the proof.
    interval = retry_interval(hit for hit in hits if hit.request.started <= afters[hit.host])
    if interval is None:
        interval = _UNKNOWN_INTERVAL
        if hits:  # about a user with no hit on these servers there is nothing to say
            notes.append(f"{user}: the log does not show the retry interval; {minutes(interval)} is assumed")
    undetermined: list[Undetermined] = []
    late: list[ContactSync] = []
    for log in logs:
        missing = _not_known_yet(user, log, afters[log.host], interval, criteria.intervals)
        if missing is not None:
            undetermined.append(missing)
            continue
        after = [hit for hit in hits if hit.host == log.host and hit.request.started > afters[log.host]]
        late += [hit for hit in after if not hit.server_fills]
    if not late:
        return Verification(undetermined=tuple(undetermined), notes=tuple(notes))
    # One hit is enough: the minimum of a finding is there to suspect a user, not to prove that his flood has ended.
    begin = min(afters[hit.host] for hit in late)
    devices = tuple(by_device(late).values())
    evidence = sentence(devices, criteria.threshold, f"since {begin:%H:%M:%S} UTC")
    found = user_finding(user, mailbox.guid, devices, evidence)
    return Verification((found,), tuple(undetermined), tuple(notes))


def _not_known_yet(
    user: str, log: HostLog, after: dt.datetime, interval: dt.timedelta, intervals: int
) -> Undetermined | None:
    """Why *log* cannot say yet whether the flood of *user* ended at *after*; None if it can."""
    wait = interval * intervals
    if log.time < after + wait:
        left = after + wait - log.time
        why = f"{minutes(left)} of {minutes(wait)} still to wait ({intervals} retry intervals of {minutes(interval)})"
        return Undetermined("user", user, why, True, log.host, left.total_seconds())
    if log.newest < after + wait:
        why = (
            f"the log does not reach far enough yet: its newest line is from {log.newest:%H:%M:%S}, "
            f"needed is {after + wait:%H:%M:%S}"
        )
        return Undetermined("user", user, why, True, log.host)
    return None
