"""The status that a detection gives the step, or the command, that made it. Here and nowhere else."""

from __future__ import annotations

from easops.detectors.finding import Detection
from easops.status import Status, worst


def detect_status(detection: Detection) -> Status:
    """The status of a detect step: ok, unreachable or undetermined.

    What it found does not count: a fault that was found is an answer. A user who floods and whose mailbox is not known
    is undetermined.
    """
    statuses = [Status.OK]
    if detection.unreachable:
        statuses.append(Status.UNREACHABLE)
    if detection.unresolved or any(item.required for item in detection.undetermined):
        statuses.append(Status.UNDETERMINED)
    return worst(statuses)


def judged_enough(detection: Detection, allowed: int) -> bool:
    """Whether changes may follow: at most *allowed* hosts (``limits.unreachable``) gave no answer or could not be
    judged, and nothing else that was asked for is undetermined. A user who is only met in a log stops nothing."""
    required = [item for item in detection.undetermined if item.required]
    hosts = {item.host for item in detection.unreachable} | {item.host for item in required if item.kind == "host"}
    return len(hosts) <= allowed and all(item.kind == "host" for item in required)


def verify_status(detection: Detection) -> Status:
    """The status of a verify step: as ``detect_status``, and verify_failed where the fault was found."""
    status = detect_status(detection)
    return worst([status, Status.VERIFY_FAILED]) if detection.found else status
