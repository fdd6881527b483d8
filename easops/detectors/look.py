"""Running one detector by itself over hosts, and what its result means."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from easops.clock import SystemClock
from easops.detectors.contact_sync_storm import CONTACT_SYNC_STORM, detect_in_files
from easops.detectors.detector import Detector, Surroundings
from easops.detectors.finding import Detection
from easops.exchange.organisation import Organisation
from easops.inventory.host import Host
from easops.inventory.select import one_organisation
from easops.remoting.pool import SessionPool
from easops.remoting.secret import ask_passwords
from easops.status import Status, worst

IN_FILES: Final[Mapping[str, Callable[[Sequence[Path | str], Mapping[str, Any]], Detection]]] = {
    CONTACT_SYNC_STORM.name: detect_in_files,
}
"""The detectors that can judge log files without a server."""


def look(
    detector: Detector,
    values: Mapping[str, Any],
    hosts: Sequence[Host],
    progress: Callable[[str], None] = lambda text: None,
) -> Detection:
    """What *detector* finds on *hosts*, which are of one organisation; *values* are checked against its parameters.

    Raises Refused for hosts of two organisations, and what the detector raises.
    """
    one_organisation(hosts)
    ask_passwords(hosts)
    with SessionPool() as sessions:
        around = Surroundings(sessions, Organisation.of(hosts, sessions), SystemClock(), progress)
        return detector.detect(hosts, values, around)


def verdict(found: Detection) -> Status:
    """ok, or unreachable or undetermined where what was asked for could not be judged; a finding is no bad status."""
    statuses = [Status.OK]
    if found.unreachable:
        statuses.append(Status.UNREACHABLE)
    if any(item.required for item in found.undetermined):
        statuses.append(Status.UNDETERMINED)
    return worst(statuses)
