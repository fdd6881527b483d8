"""The detectors: to add one, write its file, and add its name to DETECTORS here."""

from collections.abc import Mapping

from easops.detectors.contact_sync_storm import CONTACT_SYNC_STORM
from easops.detectors.detector import Detector
from easops.detectors.finding import Detection, Device, Measurement, Series, Undetermined, UserFinding
from easops.detectors.pool_memory import POOL_MEMORY
from easops.detectors.stranded_pings import STRANDED_PINGS
from easops.detectors.sync_pool_cpu import SYNC_POOL_CPU
from easops.detectors.unserved_devices import UNSERVED_DEVICES
from easops.registry import table
from easops.remoting.unreachable import Unreachable

DETECTORS: Mapping[str, Detector] = table(
    CONTACT_SYNC_STORM, POOL_MEMORY, STRANDED_PINGS, SYNC_POOL_CPU, UNSERVED_DEVICES
)
"""All detectors, by name."""

__all__ = [
    "DETECTORS",
    "Detection",
    "Detector",
    "Device",
    "Measurement",
    "Series",
    "Undetermined",
    "Unreachable",
    "UserFinding",
]
