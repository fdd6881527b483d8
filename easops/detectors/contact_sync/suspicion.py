"""Whether what one user's devices do is a flood that goes on. Pure.

It is a flood if a device sends many contacts again and again, at intervals, and still does. What is over, what happens
once (an import, a new phone) and what is small (edits) is watched and never treated.
"""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Iterable, Sequence
from typing import Final

import attrs

from easops.detectors.contact_sync.attempt import (
    ENDLESS,
    Attempt,
    attempts_of,
    going_on_until,
    is_one_stream,
    key_stands,
    keys_advance,
    proof_wait,
)
from easops.detectors.contact_sync.criteria import Criteria
from easops.detectors.contact_sync.device import by_device, device_of
from easops.detectors.contact_sync.evidence import counted, over_words, samples, sentence
from easops.detectors.contact_sync.sync import FEW, MANY, ContactSync
from easops.detectors.duration_words import minutes
from easops.detectors.finding import Check, State, UserFinding

_SMALL_SHARE: Final = 0.25
"""The part of a mailbox's contacts below which a few hundred contacts are edits."""

_TINY_SHARE: Final = 0.05
"""The same for larger numbers."""

_ALIKE: Final = 0.25
"""By which part the numbers of contacts may differ that count as the same contacts."""

_ORDER: Final[tuple[State, ...]] = ("flood", "few", "import", "over", "fills", "edits")
"""What matters most, first."""

INTERVALS: Final = 2
"""How many retry intervals of a user must pass until it is proved that he has stopped."""

_TRIED: Final = 20
"""How many other thresholds are tried, to say which would make a finding."""

WATCHED: Final = 20
"""How many users are watched; the others are only counted."""


@attrs.frozen
class _Judged:
    """What one device does, with the *checks* that say so; *why_not* is why it is no finding."""

    syncs: Sequence[ContactSync]
    state: State
    checks: tuple[Check, ...]
    why_not: str


def suspect(
    user: str, guid: str | None, syncs: Sequence[ContactSync], criteria: Criteria, contacts: int | None = None
) -> tuple[UserFinding | None, UserFinding | None]:
    """One user's finding, and what is to be watched of him; *contacts* is how many his mailbox has (None: unknown)."""
    devices = by_device(syncs)
    posts = {key: [sync for sync in own if counts(sync, criteria.threshold)] for key, own in devices.items()}
    attempts = {key: attempts_of(own) for key, own in posts.items() if own}
    repeats = any(len(own) > 1 for own in attempts.values())
    total = sum(len(own) for own in attempts.values()) if repeats else max(map(len, attempts.values()), default=0)
    judged = [
        _judge(attempts[key], own, total, criteria, contacts) if key in attempts else _no_posts(own, criteria)
        for key, own in devices.items()
    ]
    found = sorted((one for one in judged if one.state == "flood"), key=lambda one: -len(one.syncs))
    watched = sorted((one for one in judged if one.state != "flood"), key=lambda one: _ORDER.index(one.state))
    return (
        _finding(user, guid, found, criteria, contacts) if found else None,
        _finding(user, guid, watched, criteria, contacts) if watched else None,
    )


def smallest_change(syncs: Sequence[ContactSync], criteria: Criteria, contacts: int | None) -> str:
    """The smallest change of one parameter that makes a finding of a user who is none; empty if there is none."""
    costs = sorted({sync.cost for sync in syncs if FEW <= sync.sent < MANY and sync.cost > 1}, reverse=True)
    others = [(f"threshold={cost - 1}", attrs.evolve(criteria, threshold=cost - 1)) for cost in costs[:_TRIED]]
    others += [
        (f"attempts={attempts}", attrs.evolve(criteria, attempts=attempts))
        for attempts in range(criteria.attempts - 1, 1, -1)
    ]
    return next((words for words, other in others if suspect("", None, syncs, other, contacts)[0] is not None), "")


def counts(sync: ContactSync, threshold: int) -> bool:
    """Whether *sync* sends so many contacts, or so many at such a cost, that repeating it is a fault."""
    return sync.sent >= MANY or (sync.sent >= FEW and sync.over(threshold))


def most_important(users: Iterable[UserFinding]) -> tuple[UserFinding, ...]:
    """The users to watch, what matters most first."""
    return tuple(sorted(users, key=lambda user: (_ORDER.index(user.state), -user.hits, user.user)))


def user_finding(
    user: str,
    guid: str | None,
    devices: Sequence[Sequence[ContactSync]],
    evidence: str,
    *,
    state: State = "flood",
    checks: tuple[Check, ...] = (),
    contacts: int | None = None,
) -> UserFinding:
    """The finding about one user; *devices* are the syncs of each device."""
    syncs = [sync for device_syncs in devices for sync in device_syncs]
    proofs = [known[0] for own in devices if (known := proof_wait(attempts_of(own), INTERVALS)) is not None]
    return UserFinding(
        user=user,
        mailbox=guid,
        resolved=guid is not None,
        hits=len(syncs),
        devices=tuple(device_of(device_syncs) for device_syncs in devices),
        hosts=tuple(sorted({sync.host for sync in syncs if sync.host})),
        contacts=contacts,
        evidence=evidence,
        samples=samples(syncs),
        state=state,
        checks=checks,
        policy=_policy_in_force(syncs),
        proof=max(proofs, default=None),
    )


def _policy_in_force(syncs: Sequence[ContactSync]) -> str | None:
    """The policy that the newest of *syncs* logs."""
    for sync in sorted(syncs, key=lambda sync: -sync.begin):
        log = sync.request.query.log
        if log is not None and log.throttling_policy is not None:
            return log.throttling_policy
    return None


def _finding(
    user: str, guid: str | None, judged: Sequence[_Judged], criteria: Criteria, contacts: int | None
) -> UserFinding:
    devices = [one.syncs for one in judged]
    why_not = "; ".join(dict.fromkeys(one.why_not for one in judged if one.why_not))
    evidence = sentence(devices, criteria.threshold, criteria.within, why_not)
    checks = judged[0].checks
    return user_finding(user, guid, devices, evidence, state=judged[0].state, checks=checks, contacts=contacts)


def _judge(
    attempts: Sequence[Attempt], own: Sequence[ContactSync], total: int, criteria: Criteria, contacts: int | None
) -> _Judged:
    """What a device does that sends many contacts; *total* is the number of attempts of all devices of the user, *own*
    are all syncs of this one."""
    syncs = [sync for attempt in attempts for sync in attempt.syncs]
    needed = criteria.attempts * (2 if keys_advance(attempts) else 1)
    often = total >= needed and (len(attempts) > 1 or total == len(attempts))
    checks = (
        _size(syncs, criteria),
        Check("attempts", f"{needed} or more", str(total), often),
        _no_import(attempts_of([sync for sync in own if sync.sent >= FEW]), contacts),
        _share(attempts, contacts),
        _goes_on(attempts),
    )
    states: tuple[State, ...] = ("edits", "few", "import", "edits", "over")
    for state, check in zip(states, checks, strict=True):
        if not check.passed:
            # Of what is not going on any more, that is what a person wants to know first.
            over = not checks[-1].passed and check is not checks[0]
            return _Judged(
                syncs, "over" if over and state == "few" else state, checks, _why_not(state, checks, attempts)
            )
    return _Judged(syncs, "flood", checks, "")


def _why_not(state: State, checks: Sequence[Check], attempts: Sequence[Attempt]) -> str:
    ended = "" if checks[-1].passed else over_words(attempts)
    if state == "over":
        return ended
    if state == "few":
        words = f"{checks[1].there} of {checks[1].needed.removesuffix(' or more')} attempts that make a finding"
    elif state == "import":
        words = "each request follows the answer to the one before: an import"
    else:
        words = next(check.there for check in checks if not check.passed)
    return f"{words}; {ended}" if ended else words


def _no_posts(syncs: Sequence[ContactSync], criteria: Criteria) -> _Judged:
    """What a device does that sends few contacts or none."""
    check = _size(syncs, criteria)
    if any(sync.kind == "fills" for sync in syncs):
        return _Judged(syncs, "fills", (check,), "the server sends, the client does not: a new or newly set up device")
    most = max(sync.sent for sync in syncs)
    words = "the client sends no contacts" if most == 0 else f"{check.there}; a finding needs {check.needed}"
    if 0 < most < FEW:
        words = f"at most {counted(most, 'contact')} sent: edits"
    return _Judged(syncs, "edits", (check,), words)


def _size(syncs: Sequence[ContactSync], criteria: Criteria) -> Check:
    most = max(syncs, key=lambda sync: (counts(sync, criteria.threshold), sync.sent))
    return Check(
        "contacts sent in one request",
        f"{MANY} or more, or {FEW} or more with over {criteria.threshold} RPC",
        f"at most {most.sent:,} with {most.cost:,} RPC",
        counts(most, criteria.threshold),
    )


def _no_import(attempts: Sequence[Attempt], contacts: int | None) -> Check:
    """An import sends many contacts in a row, each once; the client waits for each answer and goes on."""
    syncs = [sync for attempt in attempts for sync in attempt.syncs]
    sent = sum(sync.sent for sync in syncs)
    more_than_held = contacts is not None and sent > 2 * contacts
    stream = is_one_stream(attempts) and not key_stands(attempts)
    endless = len(syncs) >= ENDLESS and not keys_advance(attempts)
    passed = not stream or more_than_held or endless or len(syncs) == 1
    return Check(
        "the same contacts again",
        "pauses between the attempts, or the same sync key",
        f"{len(syncs)} requests right one after another" if stream else "pauses, or the same sync key",
        passed,
    )


def _share(attempts: Sequence[Attempt], contacts: int | None) -> Check:
    """Edits of some contacts, however often, are not all contacts again and again."""
    most = max(attempt.sent for attempt in attempts)
    small = all(sync.sent < MANY for attempt in attempts for sync in attempt.syncs)
    least = _SMALL_SHARE if small else _TINY_SHARE
    if key_stands(attempts):
        return Check("share of the contacts", "a large share", f"{most:,} with the same sync key", True)
    if contacts is not None and contacts > 0:
        share = most / contacts
        there = f"at most {most:,} of {contacts:,} contacts sent at a time"
        return Check("share of the contacts", f"{least:.0%} or more", there, share >= least)
    if small and len(attempts) > 1:
        median = statistics.median(attempt.sent for attempt in attempts)
        alike = sum(abs(attempt.sent - median) <= _ALIKE * median for attempt in attempts)
        there = f"{alike} of {len(attempts)} attempts send about {median:,.0f} contacts"
        return Check("share of the contacts", "about the same number each time", there, alike > len(attempts) / 2)
    return Check("share of the contacts", f"{least:.0%} or more", "not known", True)


def _goes_on(attempts: Sequence[Attempt]) -> Check:
    allowed = going_on_until(attempts)
    silence = silence_of(attempts)
    return Check(
        "it goes on",
        f"an attempt in the last {minutes(dt.timedelta(seconds=allowed))}",
        f"the last began {minutes(dt.timedelta(seconds=silence))} before the newest line",
        silence <= allowed,
    )


def silence_of(attempts: Sequence[Attempt]) -> float:
    """Seconds from the begin of the last attempt to the newest line, of the server that saw the device last."""
    last: dict[str, float] = {}
    for attempt in attempts:
        for sync in attempt.syncs:
            last[sync.host] = min(sync.silence, last.get(sync.host, sync.silence))
    return min(last.values())
