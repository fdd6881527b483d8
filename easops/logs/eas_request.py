"""An ActiveSync request as an IIS log line tells it."""

from __future__ import annotations

import datetime as dt
from typing import Final
from urllib.parse import unquote

import attrs

from easops.logs.eas_query import EasQuery, parse_query
from easops.logs.w3c import Row

COLUMNS: Final = (
    "cs-uri-stem", "cs-uri-query", "cs-username", "cs(user-agent)", "sc-status", "sc-bytes", "time-taken",
    "s-computername",
)  # fmt: skip
"""The columns that ``read_request`` takes, in its order."""

STEM: Final = "/microsoft-server-activesync"
"""How the path of every ActiveSync request begins, in lower case."""

_PROBE_AGENTS: Final = ("testactivesyncconnectivity", "amprobe", "msexchangeactivesyncprobe")


@attrs.frozen
class EasRequest:
    """One request. *ended* is the line's own time (UTC), *time_taken* ms (0 where not logged), *status* HTTP's;
    *username* is ``cs-username``, the identity that IIS verified (None for anonymous); *bytes_sent* is ``sc-bytes``.
    """

    ended: dt.datetime
    time_taken: int
    status: int
    username: str | None
    user_agent: str
    bytes_sent: int | None
    server: str | None
    query: EasQuery

    @property
    def started(self) -> dt.datetime:
        """When it began: a line is written when its request ends."""
        return self.ended - dt.timedelta(milliseconds=self.time_taken)

    @property
    def is_probe(self) -> bool:
        """Whether it is a health probe of Exchange's own monitoring, or Test-ActiveSyncConnectivity's."""
        agent = self.user_agent.lower()
        return agent.startswith(_PROBE_AGENTS) or (
            self.username is not None and bare_name(self.username).lower().startswith("healthmailbox")
        )

    @property
    def is_machine(self) -> bool:
        """Whether a computer's account made it (``DOMAIN\\HOST$``)."""
        return self.username is not None and bare_name(self.username).endswith("$")


def read_request(row: Row) -> EasRequest | None:
    """The request of a row of COLUMNS; None where it is no ActiveSync request or has no time."""
    stem, query, username, agent, status, size, taken, server = row.values
    if row.time is None or stem is None or not stem.lower().startswith(STEM):
        return None
    return EasRequest(
        ended=row.time,
        # An int32 of ms at most; a larger one is damage, and would carry the start out of the calendar.
        time_taken=min(_integer(taken) or 0, 2**31 - 1),
        status=_integer(status) or 0,
        username=None if username is None else clean_name(username),
        user_agent=(agent or "").replace("+", " "),
        bytes_sent=_integer(size),
        server=server,
        query=parse_query(query or ""),
    )


def clean_name(username: str) -> str:
    """A cs-username in one form: escapes undone, ``domain/user`` as ``domain\\user``; its case stays."""
    plain = unquote(username) if "%" in username else username
    return plain.replace("/", "\\", 1) if "\\" not in plain and "@" not in plain else plain


def bare_name(username: str) -> str:
    """The account's own name: without ``DOMAIN\\`` and without ``@domain``."""
    return username.rpartition("\\")[2].partition("@")[0]


def _integer(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 20 else None
