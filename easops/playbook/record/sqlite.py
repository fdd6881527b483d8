"""Connections to the SQLite file of the state folder: their journal, and what an older SQLite lacks."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from easops.playbook.record.local_disk import is_on_local_disk

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


def choose_journal(file: Path) -> None:
    """Have the SQLite file keep a write-ahead log (WAL) if it is on a local disk, else the rollback journal.

    With a write-ahead log a commit waits for the disk once, not several times. All processes that use it share memory,
    so it does not work on a network file system: SQLite would corrupt the file there. Source: sqlite.org/wal.html.
    The mode is kept in the file. If other processes use the file now, it stays as it is until the next time.
    """
    wanted = "wal" if is_on_local_disk(file.parent) else "delete"
    with (
        contextlib.suppress(sqlite3.Error),  # a file that cannot be used is reported by whoever uses it next
        contextlib.closing(sqlite3.connect(file, timeout=0.1)) as connection,
    ):
        (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
        if mode != wanted:
            connection.execute(f"PRAGMA journal_mode = {wanted}")


class Connection(sqlite3.Connection):
    """A connection whose commits survive a power failure, and whose ``unixepoch('subsec')`` is the time in seconds.

    A commit waits until the data is on the disk (``synchronous = FULL``): an intent must be recorded before its change
    is sent. Some builds of SQLite wait less with a write-ahead log.

    SQLite knows ``subsec`` since 3.42; before, it answers NULL, or has no such function at all. The engine asks for it
    on Python 3.12 and later, and writes it as a default into the tables that it makes there, so that a file made by
    one Python needs it on another, too.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.execute("PRAGMA synchronous = FULL")
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
