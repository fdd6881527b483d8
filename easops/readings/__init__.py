"""The readings of ``easops show``: to add one, write its file and add its word here."""

from collections.abc import Mapping

from easops.readings.app_pools import APP_POOLS
from easops.readings.cas_mailbox import CAS_MAILBOX
from easops.readings.reading import Reading
from easops.readings.requests import REQUESTS
from easops.readings.servers import SERVERS
from easops.readings.sites import SITES
from easops.readings.throttling_policies import THROTTLING_POLICIES
from easops.readings.worker_processes import WORKER_PROCESSES
from easops.registry import table

READINGS: Mapping[str, Reading] = table(
    APP_POOLS, CAS_MAILBOX, REQUESTS, SERVERS, SITES, THROTTLING_POLICIES, WORKER_PROCESSES
)
"""All readings, by name."""

__all__ = ["READINGS", "Reading"]
