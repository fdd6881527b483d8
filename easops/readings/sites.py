"""The web sites of each server, with their log folders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from easops.context import Context
from easops.iis.site import list_sites, log_folder
from easops.readings.reading import Reading


@attrs.frozen
class SiteRow:
    """A web site with its log folder."""

    id: int
    name: str
    state: str
    log_folder: str


def _read(values: Mapping[str, Any], host: str | None, context: Context) -> Sequence[SiteRow]:
    assert host is not None
    session = context.windows(host)
    return [SiteRow(site.id, site.name, site.state, log_folder(session, site.id)) for site in list_sites(session)]


SITES = Reading("sites", "Web sites and their log folders", "server", ("id", "name", "state", "log_folder"), _read)
