"""Detections by host: which hosts have not passed, the part about certain hosts, and two parts as one detection."""

from __future__ import annotations

import attrs

from easops.detectors.finding import Detection, Undetermined


def failing(seen: Detection) -> set[str]:
    """The hosts that have not passed."""
    names = set(seen.hosts) | {item.host for item in seen.unreachable}
    names |= {host for user in seen.users for host in user.hosts}
    for item in seen.undetermined:
        if item.required:
            names |= _about(item, seen)
    return names


def seconds_until_answer(before: tuple[float, Detection], now: tuple[float, Detection]) -> float:
    """Seconds of our clock until a detector can judge what it could not judge *now*; an earlier look would be useless.

    The detector counts by the servers' clocks. In a lab these may run faster than ours; the two looks *before* and
    *now* show how much faster.
    """
    seconds = max((item.seconds for item in now[1].undetermined if item.seconds is not None), default=0.0)
    ours = now[0] - before[0]
    theirs = [
        (time - before[1].times[host]).total_seconds() for host, time in now[1].times.items() if host in before[1].times
    ]
    rate = max(theirs) / ours if theirs and ours > 0 else 1.0
    return seconds / max(rate, 1.0)


def _about(item: Undetermined, seen: Detection) -> set[str]:
    if item.host is not None:
        return {item.host}
    return {item.subject} if item.kind == "host" else set(seen.judged) | {host.host for host in seen.unreachable}


def of_hosts(seen: Detection, names: set[str]) -> Detection:
    """The part of *seen* about the hosts *names*."""
    return attrs.evolve(
        seen,
        users=tuple(user for user in seen.users if set(user.hosts) & names),
        hosts=tuple(host for host in seen.hosts if host in names),
        undetermined=tuple(i for i in seen.undetermined if not i.required or _about(i, seen) & names),
        unreachable=tuple(item for item in seen.unreachable if item.host in names),
        measurements=tuple(m for m in seen.measurements if m.host in names),
        judged=tuple(host for host in seen.judged if host in names),
        times={host: time for host, time in seen.times.items() if host in names},
        sentences={host: sentence for host, sentence in seen.sentences.items() if host in names},
        series=tuple(series for series in seen.series if series.host in names),
    )


def merge(one: Detection, other: Detection) -> Detection:
    """Two detections of different hosts as one."""
    return attrs.evolve(
        one,
        users=one.users + other.users,
        hosts=one.hosts + other.hosts,
        watch=tuple(dict.fromkeys(one.watch + other.watch)),
        undetermined=tuple(dict.fromkeys(one.undetermined + other.undetermined)),
        unreachable=one.unreachable + other.unreachable,
        measurements=one.measurements + other.measurements,
        judged=one.judged + other.judged,
        times={**one.times, **other.times},
        sentences={**one.sentences, **other.sentences},
        series=one.series + other.series,
        notes=tuple(dict.fromkeys(one.notes + other.notes)),
        asked=tuple(dict.fromkeys(one.asked + other.asked)),
    )
