"""What a look found, in a few words."""

from __future__ import annotations

import datetime as dt

from easops.clock import lasted
from easops.detectors import DETECTORS
from easops.detectors.finding import Detection, Device
from easops.wording import counted


def found_words(detection: Detection) -> str:
    """``2 users found``; ``nothing found`` only where everything that was asked for was judged."""
    if detection.users:
        return f"{counted(len(detection.users), 'user')} found"
    if detection.hosts:
        return f"found on {counted(len(detection.hosts), 'host')}"
    if detection.unresolved:
        return f"{counted(len(detection.unresolved), 'user')} found, as logged: not resolved to a mailbox"
    if detection.floods:
        return f"no contact-sync storm, but {counted(len(detection.floods), 'flood')} of other kinds"
    if not_judged_whole(detection):
        return "nothing found where it could be judged" if detection.judged else "not determined"
    return "nothing found"


def not_judged_whole(detection: Detection) -> bool:
    """Whether anything that was asked for could not be judged: a host, a user, or a file."""
    if detection.unreachable or detection.unresolved:
        return True
    return any(item.required for item in detection.undetermined)


def reads_the_past(detector: str) -> bool:
    """Whether the detector reads what was before (a log): for a while it still finds what has ended already."""
    entry = DETECTORS.get(detector)
    return entry is not None and any(parameter.name == "since" for parameter in entry.parameters)


def last_hit_words(detection: Detection) -> str:
    """How long before the look the last hit of anybody ended, by the server's clock, and how often that device's come;
    empty where that is not known. A look into a log just after a cure finds the hits from before it, too, and only
    their age tells the two apart."""
    last: tuple[float, Device] | None = None
    for device in (device for user in detection.users for device in user.devices):
        times = [detection.times[host] for host in device.hosts if host in detection.times]
        ago = max((max(times) - device.last_seen).total_seconds(), 0.0) if times else None
        if ago is not None and (last is None or ago < last[0]):
            last = ago, device
    if last is None:
        return ""
    ago, device = last
    every = "" if device.interval is None else f"; one came every {lasted(device.interval)}"
    return f", the last hit {lasted(ago)} before the look ({device.last_seen.astimezone(dt.UTC):%H:%M} UTC{every})"
