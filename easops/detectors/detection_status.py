"""The status that a detection gives the step, or the command, that made it. Here and nowhere else."""

from __future__ import annotations

from easops.detectors.finding import Detection
from easops.status import Status, worst


def detect_status(detection: Detection, *, unreachable_allowed: int = 0) -> Status:
    """The status of a detect step: ok, unreachable or undetermined.

    What it found does not count: a fault that was found is an answer. *unreachable_allowed* is the number of
    unreachable hosts that the playbook accepts (``limits.unreachable``).
    """
    statuses = [Status.OK]
    if len(detection.unreachable) > unreachable_allowed:
        statuses.append(Status.UNREACHABLE)
    if any(item.required for item in detection.undetermined):
        statuses.append(Status.UNDETERMINED)
    return worst(statuses)


def verify_status(detection: Detection) -> Status:
    """The status of a verify step: as ``detect_status``, and verify_failed where the fault was found."""
    status = detect_status(detection)
    return worst([status, Status.VERIFY_FAILED]) if detection.found else status
