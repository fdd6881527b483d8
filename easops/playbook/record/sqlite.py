"""Connections to the SQLite file of the state folder: what the engine needs that an older SQLite lacks."""

from __future__ import annotations

import os
import sqlite3
import time
from typing import Any, Final

import sqlalchemy as sa

_SUBSECOND: Final = ("subsec", "subsecond")

_files: set[str] = set()


def adopt(url: str) -> None:
    """Make each connection of this process to the SQLite file of *url* an easops ``Connection``.

    The engine makes connections of its own to that file, some of them where it takes no options, so they are met where
    SQLAlchemy opens them. Other SQLite files of the process, a script's own, are left alone.
    """
    database = sa.make_url(url).database
    if not database or database == ":memory:":
        return
    if not sa.event.contains(sa.Engine, "do_connect", _use_our_connection):
        sa.event.listen(sa.Engine, "do_connect", _use_our_connection)
    _files.add(os.path.abspath(database))


class Connection(sqlite3.Connection):
    """A connection whose ``unixepoch('subsec')`` is the time in seconds, with a fraction.

    SQLite knows it since 3.42; before, the answer is NULL, or there is no such function at all. The engine asks for it
    on Python 3.12 and later, and writes it as a default into the tables that it makes there, so that a file made by
    one Python needs it on another, too.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if not _knows_subseconds(self):
            self.create_function("unixepoch", 1, _unixepoch)


def _use_our_connection(_dialect: Any, _record: Any, arguments: list[Any], options: dict[str, Any]) -> None:
    if arguments and arguments[0] in _files:
        options.setdefault("factory", Connection)


def _knows_subseconds(connection: sqlite3.Connection) -> bool:
    try:
        return connection.execute("SELECT unixepoch('subsec')").fetchone()[0] is not None
    except sqlite3.OperationalError:  # before 3.38 there is no such function
        return False


def _unixepoch(value: str) -> float:
    # This takes the place of SQLite's own function of one argument, so anything else must fail and not be guessed.
    if value not in _SUBSECOND:
        raise ValueError(f"unixepoch({value!r}) is not supported on this connection")
    return round(time.time(), 3)
