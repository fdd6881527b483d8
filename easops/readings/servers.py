"""The Exchange servers of the organisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from easops.context import Context
from easops.exchange.server import ExchangeServer, list_exchange_servers
from easops.readings.reading import Reading


def _read(values: Mapping[str, Any], host: str | None, context: Context) -> Sequence[ExchangeServer]:
    return list_exchange_servers(context.organisation.session())


SERVERS = Reading(
    "servers",
    "Exchange servers, with version, build and roles",
    "organisation",
    ("name", "version", "build", "roles", "site"),
    _read,
)
