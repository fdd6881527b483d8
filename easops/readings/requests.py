"""The executing requests of an application pool on each server, the oldest first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from easops.context import Context
from easops.iis.app_pool import SYNC_APP_POOL
from easops.iis.request import ExecutingRequest, read_requests
from easops.parameter import Parameter
from easops.readings.reading import Reading, Rows
from easops.wording import counted


@attrs.frozen
class RequestRow:
    """An executing request. *command*, *user* and *device_id* are what the client says in the query of an ActiveSync
    request; None if it does not say."""

    age: dt.timedelta
    site: int
    pid: int
    command: str | None
    device_id: str | None
    user: str | None
    client: str
    verb: str
    id: str
    url: str


def _row(request: ExecutingRequest) -> RequestRow:
    eas = request.eas
    command, device, user = (None, None, None) if eas is None else (eas.command, eas.device_id, eas.user)
    return RequestRow(
        request.age, request.site, request.pid, command, device, user, request.client, request.verb, request.id,
        request.url,
    )  # fmt: skip


def _read(values: Mapping[str, Any], host: str | None, context: Context) -> Sequence[RequestRow] | Rows:
    assert host is not None
    reading = read_requests(context.windows(host), values["pool"])
    rows = [_row(request) for request in reading.requests if request.age >= values["older"]]
    if not reading.unreadable:
        return rows
    return Rows(rows, f"{counted(reading.unreadable, 'more request')} could not be read (no id, age or site)")


REQUESTS = Reading(
    "requests",
    "The requests that an application pool is executing, the oldest first",
    "server",
    tuple(field.name for field in attrs.fields(RequestRow)),
    _read,
    (
        Parameter("pool", "text", "the application pool", SYNC_APP_POOL),
        Parameter("older", "duration", "only requests that are at least so old", "0s"),
    ),
)
