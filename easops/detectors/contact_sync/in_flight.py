"""Requests of a user's devices that are still being executed: they are in no log before they end, so while there are
any, a log without a flood does not show that the flood has ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Final

from easops.context import Context
from easops.detectors.contact_sync.host_log import HostLog
from easops.detectors.duration_words import span
from easops.detectors.finding import Undetermined
from easops.errors import EasopsError
from easops.iis.app_pool import SYNC_APP_POOL
from easops.iis.request import RequestReading, read_requests

_USUAL: Final = dt.timedelta(seconds=20)
"""A Sync that is younger is an ordinary one for all that is known."""


def requests_in_flight(host: str, context: Context) -> RequestReading | EasopsError:
    """The requests that *host* is executing, or why they cannot be read."""
    try:
        return read_requests(context.windows(host), SYNC_APP_POOL)
    except EasopsError as error:
        return error


def still_running(
    user: str, devices: Collection[str], log: HostLog, reading: RequestReading | EasopsError
) -> Undetermined | None:
    """Why the requests in flight on the host of *log* keep it from being known that the floods of *user* have ended;
    None if they do not. *devices* are the ids of his devices that flooded, in lower case."""
    if isinstance(reading, EasopsError):
        return Undetermined("user", user, f"the requests in flight could not be read: {reading}", True, log.host)
    why = _running_words(reading, [device for device in devices if not _hangs(device, log)], log.after)
    return Undetermined("user", user, why, True, log.host) if why else None


def _running_words(reading: RequestReading, devices: Collection[str], after: dt.datetime | None) -> str:
    for request in reading.requests:  # the oldest first
        eas = request.eas
        if eas is None or (eas.command or "").lower() != "sync" or (eas.device_id or "").lower() not in devices:
            continue
        if request.age >= _USUAL and (after is None or reading.time - request.age > after):
            return f"a Sync of {eas.device_id} has been running for {span(request.age)}, and is logged when it ends"
    return ""


def _hangs(device: str, log: HostLog) -> bool:
    """Whether the device lets its Syncs wait for changes (``Hb``): then a Sync in flight means nothing."""
    return any(
        (request.query.device_id or "").lower() == device
        and (request.query.command or "").lower() == "sync"
        and request.query.log is not None
        and request.query.log.first("Hb") is not None
        for _, request in log.reading.requests
    )
