"""The readings of ``easops show``: to add one, write its file, and add its name to READINGS here.

A reading here is a table for a person: which columns, in which order, for which hosts. It sends no command itself. The
functions that ask a server and give typed values, which detectors and actions use too, are in the room of what they
ask: ``easops.iis`` (the IIS side of one server: sites, application pools, worker processes, requests) and
``easops.exchange`` (the organisation: mailboxes, policies, servers).
"""

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
