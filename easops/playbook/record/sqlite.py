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

_LASTING: Final = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
    }
)
"""The primary result codes after which a file takes nothing more until somebody has looked after it."""

_files: set[str] = set()
_failures: dict[str, tuple[float, sa.exc.DBAPIError]] = {}


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
        sa.event.listen(sa.Engine, "handle_error", _note_failure)
    _files.add(os.path.abspath(database))


def last_failure(url: str) -> tuple[float, sa.exc.DBAPIError] | None:
    """When (``time.monotonic``) this process last met that the file of *url* takes nothing more, and the error.

    The engine meets some of these errors in threads of its own, which go on and tell nobody.
    """
    return _failures.get(os.path.abspath(sa.make_url(url).database or ""))


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


def _note_failure(context: sa.engine.ExceptionContext) -> None:
    file = os.path.abspath((context.engine.url.database if context.engine is not None else None) or "")
    code = getattr(context.original_exception, "sqlite_errorcode", None)
    lasting = code is not None and code & 0xFF in _LASTING
    if lasting and file in _files and isinstance(context.sqlalchemy_exception, sa.exc.DBAPIError):
        _failures[file] = time.monotonic(), context.sqlalchemy_exception


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
