"""Detectors: each reads hosts, judges, and gives findings with their evidence."""

from collections.abc import Mapping

from easops.detectors.contact_sync_storm import CONTACT_SYNC_STORM
from easops.detectors.detector import Detector
from easops.detectors.sync_pool_cpu import SYNC_POOL_CPU
from easops.registry import table

DETECTORS: Mapping[str, Detector] = table(CONTACT_SYNC_STORM, SYNC_POOL_CPU)

__all__ = ["DETECTORS", "Detector"]
