"""An ActiveSync request, as a line of an IIS log has it."""

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
"""The columns that ``read_request`` needs, in this order."""

STEM: Final = "/microsoft-server-activesync"
"""The beginning of the path of every ActiveSync request, in lower case."""

_PROBE_AGENTS: Final = ("testactivesyncconnectivity", "amprobe", "msexchangeactivesyncprobe")


@attrs.frozen
class EasRequest:
    """One ActiveSync request.

    *ended* is the time of the line (UTC), because IIS logs a request when it ends. *time_taken* is in milliseconds (0
    if it is not logged), *status* is the HTTP status. *username* is ``cs-username``, the user whom IIS authenticated
    (None for anonymous). *user_agent* is what the client calls itself. *bytes_sent* is ``sc-bytes``, the size of the
    answer (None if it is not logged). *server* is ``s-computername`` (None if it is not logged). *query* is what the
    query says.
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
        """When it began (UTC)."""
        return self.ended - dt.timedelta(milliseconds=self.time_taken)

    @property
    def is_probe(self) -> bool:
        """Whether Exchange's own monitoring made it, or Test-ActiveSyncConnectivity."""
        agent = self.user_agent.lower()
        return agent.startswith(_PROBE_AGENTS) or (
            self.username is not None and bare_name(self.username).lower().startswith("healthmailbox")
        )

    @property
    def is_machine(self) -> bool:
        """Whether the account of a computer made it (``DOMAIN\\HOST$``)."""
        return self.username is not None and bare_name(self.username).endswith("$")


def read_request(row: Row) -> EasRequest | None:
    """The request of a row of COLUMNS; None if it is not an ActiveSync request, or has no time."""
    stem, query, username, agent, status, size, taken, server = row.values
    if row.time is None or stem is None or not stem.lower().startswith(STEM):
        return None
    return EasRequest(
        ended=row.time,
        # IIS counts with 32 bits. A larger number is damage; the start would be at a date that does not exist.
        time_taken=min(_integer(taken) or 0, 2**31 - 1),
        status=_integer(status) or 0,
        username=None if username is None else clean_name(username),
        user_agent=(agent or "").replace("+", " "),
        bytes_sent=_integer(size),
        server=server,
        query=parse_query(query or ""),
    )


def clean_name(username: str) -> str:
    """A cs-username in one form: unescaped, and with ``domain\\user`` for ``domain/user``. Its case is kept."""
    plain = unquote(username) if "%" in username else username
    return plain.replace("/", "\\", 1) if "\\" not in plain and "@" not in plain else plain


def bare_name(username: str) -> str:
    """The name of the account, without ``DOMAIN\\`` and ``@domain``."""
    return username.rpartition("\\")[2].partition("@")[0]


def _integer(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 20 else None
