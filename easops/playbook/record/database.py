"""The database of the records and the engine: SQLite in the state folder, or PostgreSQL by ``EASOPS_DATABASE_URL``.

A server that restarts is back in seconds, so what is asked here is asked again while it is away. All of it must
therefore be safe to repeat.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from easops.errors import BadInput, EasopsError, UnreachableHost
from easops.playbook.record import sqlite
from easops.playbook.record.location import VARIABLE
from easops.playbook.record.postgresql import is_postgresql
from easops.remoting.retry import retry_for

METADATA: Final = sa.MetaData()
"""easops' own tables."""

PATIENCE: Final = 60.0
"""Seconds that the database may be away in the middle of a run before the run stops."""

_CREATE_KEY: Final = 0x65_61_73_6F_70_73
"""The advisory lock under which the tables are made: two processes may begin at the same moment."""

_SESSION: Final = (
    # With these the server, too, notices within a minute that a machine is gone: then its runs are known to be dead.
    "SET tcp_keepalives_idle = 30",
    "SET tcp_keepalives_interval = 10",
    "SET tcp_keepalives_count = 3",
)

_NEWER_SQLITE: Final = f"use a Python that has SQLite 3.42 or later, or a PostgreSQL database: set {VARIABLE}"

T = TypeVar("T")


class DatabaseAway(UnreachableHost):
    """The database does not answer, or the connection was lost: what was asked of it may be asked again."""


class DatabaseUnusable(EasopsError):
    """The database's file cannot be read or written: its disk is full, or its folder is gone or belongs to others."""


DATABASE_GONE: Final = (DatabaseAway, DatabaseUnusable)
"""What ends a run in its middle: nothing can be recorded any more, so nothing may be sent."""


class Database:
    """The database of *url*. It is not connected to before the first call."""

    def __init__(self, url: str) -> None:
        parts = sa.make_url(url)
        self.is_postgresql: bool = is_postgresql(url)
        server = f"{parts.host or 'this machine'}{'' if parts.port is None else f':{parts.port}'}"
        self.name: str = f"the database {parts.database} at {server}" if self.is_postgresql else f"{parts.database}"
        self._file = Path(parts.database or "")
        options: dict[str, Any] = {"pool_pre_ping": True} if self.is_postgresql else {"connect_args": {"timeout": 30}}
        if not self.is_postgresql:
            sqlite.adopt(url)
        self._engine = sa.create_engine(url, **options)

    def close(self) -> None:
        self._engine.dispose()

    def create_tables(self) -> None:
        """Make easops' tables if they are not there yet. Does not wait for a database that is away.

        Raises BadInput, DatabaseAway, DatabaseUnusable.
        """
        if not self.is_postgresql:
            sqlite.choose_journal(self._file)

        def create(connection: sa.Connection) -> None:
            if all(sa.inspect(connection).has_table(name) for name in METADATA.tables):
                return
            if self.is_postgresql:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_CREATE_KEY)))
            else:
                connection.execute(sa.text("BEGIN IMMEDIATE"))
            METADATA.create_all(connection)

        self.transact(create, patience=0.0)

    def transact(self, work: Callable[[sa.Connection], T], *, patience: float | None = None) -> T:
        """What *work* returns, in a transaction of its own.

        It is tried again for *patience* seconds (``PATIENCE``) while the database is away. That includes a commit whose
        answer was lost, so *work* must be safe to repeat. Raises DatabaseAway, DatabaseUnusable, BadInput.
        """

        def once() -> T:
            try:
                with self._engine.begin() as connection:
                    return work(connection)
            except sa.exc.DBAPIError as error:
                raise self.translated(error) from None

        return retry_for(once, on=DatabaseAway, seconds=PATIENCE if patience is None else patience)

    def session(self) -> sa.Connection:
        """A connection of PostgreSQL that the caller keeps and closes, without transactions. Raises DatabaseAway,
        BadInput."""
        try:
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            connection.detach()
            for statement in _SESSION:
                connection.execute(sa.text(statement))
            if (connection.dialect.server_version_info or (0,)) >= (14,):
                connection.execute(sa.text("SET idle_session_timeout = 0"))
        except sa.exc.DBAPIError as error:
            raise self.translated(error) from None
        return connection

    def delete_rows(self, schema: str, table: str, column: str, values: Sequence[str]) -> None:
        """Delete the rows of a table of the engine that have one of *values* in *column*. SQLite has no schemas."""
        known = sa.table(table, sa.column(column), schema=schema if self.is_postgresql else None)
        self.transact(lambda connection: connection.execute(sa.delete(known).where(known.c[column].in_(values))))

    def try_row(self, schema: str, table: str, values: Mapping[str, str]) -> None:
        """Insert a row into a table of the engine, and roll back. Raises as ``trying``."""
        known = sa.table(table, *(sa.column(name) for name in values), schema=schema if self.is_postgresql else None)
        returned = next(iter(known.c))
        with self.trying(), self._engine.connect() as connection:
            connection.execute(sa.insert(known).values(dict(values)).returning(returned)).one()
            connection.rollback()

    @contextlib.contextmanager
    def trying(self) -> Iterator[None]:
        """Around a trial of the engine's tables. There, what the database does not know or refuses is bad input,
        not a bug. Raises BadInput, DatabaseAway; DatabaseUnusable if a file cannot be read or written.
        """
        try:
            yield
        except sa.exc.DBAPIError as error:
            known = self.translated(error)
            if isinstance(known, EasopsError) and not _is_not_understood(error):
                raise known from None
            message = _first_line(error)
            if not self.is_postgresql:
                version = f"SQLite {sqlite3.sqlite_version}, which this Python has"
                raise BadInput(f"the engine cannot use {version}", message, _NEWER_SQLITE) from None
            next_step = f"{VARIABLE} names it; use a newer PostgreSQL, or another database"
            raise BadInput(f"the engine cannot use {self.name}", message, next_step) from None

    def translated(self, error: sa.exc.DBAPIError) -> Exception:
        """The error for a person. One that only a bug in easops explains is returned as it is."""
        message = _first_line(error)
        if not self.is_postgresql:
            if isinstance(error, sa.exc.OperationalError) or type(error) is sa.exc.DatabaseError:
                return DatabaseUnusable(f"{self.name} cannot be used", message, _what_to_do(message, self._file.parent))
            return error
        # Source: PostgreSQL's documentation, appendix A, "PostgreSQL Error Codes".
        state = str(getattr(error.orig, "sqlstate", None) or "")
        if state == "42501":
            return BadInput(f"{self.name} refuses the user of {VARIABLE}", message, "grant it CREATE on its schema")
        away = state.startswith(("08", "53", "57P")) or state in ("", "25P03", "40001", "40P01")
        if error.connection_invalidated or (isinstance(error, sa.exc.OperationalError) and away):
            return DatabaseAway(
                f"{self.name} cannot be reached",
                message,
                f"check that it runs and can be reached from here; {VARIABLE} names it",
            )
        return error


@contextlib.contextmanager
def asked_by_engine(url: str) -> Iterator[None]:
    """Around what the engine asks of the database of *url* by itself. Raises DatabaseAway, DatabaseUnusable, BadInput
    for errors of the database that are not bugs."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        raise Database(url).translated(error) from None


def failure_since(url: str, moment: float) -> Exception | None:
    """The error of a file that takes nothing more, which anything in this process met after *moment* (a time of
    ``time.monotonic``); None if nothing did."""
    found = None if is_postgresql(url) else sqlite.last_failure(url)
    return None if found is None or found[0] < moment else Database(url).translated(found[1])


def _what_to_do(message: str, folder: Path) -> str:
    """The next step after an error of SQLite, whose messages are those of sqlite.org/rescode.html."""
    another = "or name another state folder in EASOPS_STATE"
    if not folder.is_dir():
        return f"bring {folder} back (was it removed or unmounted?), {another}"
    if "full" in message or "I/O" in message:  # where SQLite cannot enlarge its log, it reports only an I/O error
        return f"free space on the disk of {folder}, {another}; easops runs list shows what is unfinished"
    if "open" in message or "readonly" in message:
        return f"make {folder} and its files writable for this user, {another}"
    return "name another state folder in EASOPS_STATE"


def _first_line(error: sa.exc.DBAPIError) -> str:
    return str(error.orig).strip().partition("\n")[0]


def _is_not_understood(error: sa.exc.DBAPIError) -> bool:
    """Whether SQLite does not know a function or some syntax. Other errors are of the file."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    return code is not None and code & 0xFF == sqlite3.SQLITE_ERROR
