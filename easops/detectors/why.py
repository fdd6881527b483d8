"""Why somebody or something is a finding of a detection, or is none: each test that was made, and what would change it.

Pure: it reads what the detection kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from easops.detectors.finding import Check, Detection, Measurement, OtherFlood, UserFinding
from easops.logs.eas_request import bare_name


@attrs.frozen
class Explanation:
    """Whether *subject* is a finding of *detector* (*found*), the *reason* as a sentence, and the *checks* that say so.

    *change* is the smallest change of one parameter with which it would be one (``threshold=1899``); empty if there is
    none, or if it is one.
    """

    detector: str
    subject: str
    found: bool
    reason: str
    checks: tuple[Check, ...] = ()
    change: str = ""


def explain(detections: Sequence[Detection], who: str) -> tuple[Explanation, ...]:
    """What *detections* know of *who*: a user (an address, or a name as logged), a device id, or a host.

    Where none of them knows anything, explanations say what was read all the same.
    """
    wanted = who.strip().lower()
    found = [
        explanation
        for detection in detections
        for part in (_users, _floods, _hosts)
        for explanation in part(detection, wanted)
    ]
    return tuple(found) or tuple(_nothing(detection, who) for detection in detections)


def _users(detection: Detection, wanted: str) -> Iterator[Explanation]:
    parts = ((detection.users, True), (detection.unresolved, False), (detection.watch, False))
    for users, found in parts:
        for user in users:
            if _is(user, wanted):
                yield Explanation(detection.detector, user.user, found, user.evidence, user.checks, user.change)
    for item in detection.undetermined:
        if item.kind == "user" and _same_name(item.subject, wanted):
            reason = f"not judged: {item.why}" + (f" ({item.host})" if item.host else "")
            yield Explanation(detection.detector, item.subject, False, reason)


def _floods(detection: Detection, wanted: str) -> Iterator[Explanation]:
    for flood in detection.floods:
        if _same_name(flood.user, wanted) or flood.device_id.lower() == wanted:
            yield Explanation(detection.detector, flood.user or flood.device_id, False, _flood_words(flood))


def _flood_words(flood: OtherFlood) -> str:
    return f"{flood.evidence}; another kind of flood, which the cure of this one is not known to help against"


def _hosts(detection: Detection, wanted: str) -> Iterator[Explanation]:
    for lost in detection.unreachable:
        if lost.host.lower() == wanted:
            yield Explanation(detection.detector, lost.host, False, f"not judged: {lost.what}: {lost.why}")
    for item in detection.undetermined:
        if item.kind == "host" and item.subject.lower() == wanted:
            yield Explanation(detection.detector, item.subject, item.subject in detection.hosts, item.why)
    measured = [one for one in detection.measurements if one.host.lower() == wanted]
    for measurement in measured:
        yield _measured(detection, measurement)
    host = next((host for host in (*detection.judged, *detection.hosts) if host.lower() == wanted), None)
    if host is not None and not measured:
        users = [user.user for user in detection.users if host in user.hosts]
        reason = detection.sentences.get(host) or (
            f"found there: {', '.join(users)}" if users else "it was read, and nobody was found there"
        )
        yield Explanation(detection.detector, host, host in detection.hosts, reason)


def _measured(detection: Detection, measurement: Measurement) -> Explanation:
    found = measurement.host in detection.hosts
    unit = measurement.unit
    there = f"{measurement.value:.{measurement.decimals}f} {unit}"
    reason = measurement.evidence or there
    if measurement.limit is None:
        return Explanation(detection.detector, measurement.host, found, reason)
    over = measurement.value > measurement.limit
    check = Check(measurement.name, f"more than {measurement.limit:g} {unit}", there, over)
    return Explanation(detection.detector, measurement.host, found, reason, (check,), _lower_limit(measurement, over))


def _lower_limit(measurement: Measurement, over: bool) -> str:
    """The highest limit, in the steps that are shown, at which the figure would be a finding."""
    step = 10.0**-measurement.decimals
    lower = round(measurement.value, measurement.decimals)
    lower = lower if lower < measurement.value else lower - step
    return "" if over or lower < 0 else f"above={lower:.{measurement.decimals}f}"


def _nothing(detection: Detection, who: str) -> Explanation:
    read = [f"{one.source}: {one.activesync:,} ActiveSync requests" for one in detection.looked]
    judged = ", ".join(read) or ", ".join(detection.judged) or "nothing"
    reason = f"nothing of {who} that could count is in what was read ({judged})"
    return Explanation(detection.detector, who, False, reason)


def _is(user: UserFinding, wanted: str) -> bool:
    return (
        _same_name(user.user, wanted)
        or (user.mailbox or "").lower() == wanted
        or any(device.device_id.lower() == wanted for device in user.devices)
    )


def _same_name(name: str, wanted: str) -> bool:
    lower = name.lower()
    return lower == wanted or bare_name(lower) == wanted
