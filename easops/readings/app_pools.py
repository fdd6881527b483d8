"""The application pools of each server, and their states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from easops.context import Context
from easops.iis.app_pool import AppPool, list_app_pools
from easops.readings.reading import Reading


def _read(values: Mapping[str, Any], host: str | None, context: Context) -> Sequence[AppPool]:
    assert host is not None
    return list_app_pools(context.windows(host))


APP_POOLS = Reading("app-pools", "Application pools and their state", "server", ("name", "state"), _read)
