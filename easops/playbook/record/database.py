"""The database of the records and the engine: SQLite in the state folder, or PostgreSQL by ``EASOPS_DATABASE_URL``.

What is asked of it here is asked again for a while when it is away, as a server that restarts is back in seconds; so
all of it must come to the same when it is done twice.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from easops.errors import BadInput, EasopsError, UnreachableHost
from easops.playbook.record import sqlite
from easops.playbook.record.location import VARIABLE
from easops.remoting.retry import retry_for
from easops.remoting.secret import Secret

METADATA: Final = sa.MetaData()
"""easops' own tables."""

PATIENCE: Final = 60.0
"""Seconds that the database may be away in the middle of a run before the run stops."""

_FORM: Final = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE"

_SCHEMES: Final = ("postgresql", "postgres", "postgresql+psycopg")

_DRIVER: Final = "postgresql+psycopg"

_LINK: Final = {
    "application_name": "easops",
    "connect_timeout": "10",
    # A peer that is gone without a word is noticed in a minute.
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}

_CREATE_KEY: Final = 0x65_61_73_6F_70_73
"""The advisory lock under which the tables are made: two processes may be the first at the same moment."""

_SESSION: Final = (
    # The server, too, notices within a minute that a machine is gone: only then is its run known to be dead.
    "SET tcp_keepalives_idle = 30",
    "SET tcp_keepalives_interval = 10",
    "SET tcp_keepalives_count = 3",
)

HOLDERS: Final = sa.Table(
    "easops_holders",
    METADATA,
    sa.Column("run_id", sa.String(64), primary_key=True),
    sa.Column("token", sa.String(32), nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
)
"""Who took a run's lock last and has not given it back, and when (PostgreSQL alone)."""

_NEWER_SQLITE: Final = f"use a Python that has SQLite 3.42 or later, or a PostgreSQL database: set {VARIABLE}"

T = TypeVar("T")


class DatabaseAway(UnreachableHost):
    """The database does not answer, or went away: what was asked of it may be asked again."""


def postgresql_url(text: str) -> Secret:
    """The URL of ``EASOPS_DATABASE_URL``, checked and made whole. Raises BadInput, which never shows its password."""
    correct = f"set {VARIABLE} to {_FORM}; in the password write the characters @ : / ? # % as %40 %3A %2F %3F %23 %25"
    scheme, separator, rest = text.strip().partition("://")
    if not separator or scheme not in _SCHEMES:
        raise BadInput(
            f"{VARIABLE} is no URL of a PostgreSQL database", f"it does not begin with {_SCHEMES[0]}://", correct
        )
    if rest.partition("?")[0].count("@") > 1:
        raise BadInput(f"{VARIABLE} cannot be read", "it has more than one @", correct)
    try:
        url = sa.make_url(f"{_DRIVER}://{rest}")
    except (sa.exc.ArgumentError, ValueError):
        raise BadInput(f"{VARIABLE} cannot be read", f"it has not the form {_FORM}", correct) from None
    import psycopg  # it costs time that runs on SQLite do not need to pay

    try:
        psycopg.conninfo.make_conninfo("", **{name: str(value) for name, value in url.query.items()})
    except psycopg.ProgrammingError as error:
        raise BadInput(f"{VARIABLE} has an option that PostgreSQL does not know", str(error).strip(), correct) from None
    if not url.database:
        raise BadInput(f"{VARIABLE} names no database", "there is nothing behind the host", correct)
    missing = {name: value for name, value in _LINK.items() if name not in url.query}
    return Secret(url.update_query_dict(missing).render_as_string(hide_password=False))


def is_postgresql(url: str) -> bool:
    return url.startswith("postgresql")


def _is_too_old(error: sa.exc.DBAPIError) -> bool:
    """Whether SQLite does not understand what it was asked, as against a file that it cannot use."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    return code is not None and code & 0xFF == sqlite3.SQLITE_ERROR


class Database:
    """The database of *url*; nothing is asked of it yet."""

    def __init__(self, url: str) -> None:
        parts = sa.make_url(url)
        self.is_postgresql: bool = is_postgresql(url)
        place = f"{parts.host or 'this machine'}{'' if parts.port is None else f':{parts.port}'}"
        self.name: str = f"the database {parts.database} at {place}" if self.is_postgresql else f"{parts.database}"
        more: dict[str, Any] = {"pool_pre_ping": True} if self.is_postgresql else {"connect_args": {"timeout": 30}}
        if not self.is_postgresql:
            sqlite.adopt(url)
        self._engine = sa.create_engine(url, **more)

    def close(self) -> None:
        self._engine.dispose()

    def create_tables(self) -> None:
        """Make easops' tables where they are not there yet. Raises BadInput, DatabaseAway: it is not asked again."""

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
        answer was lost, so *work* must be safe to repeat. Raises DatabaseAway, BadInput, EasopsError.
        """

        def once() -> T:
            try:
                with self._engine.begin() as connection:
                    return work(connection)
            except sa.exc.DBAPIError as error:
                raise self.translated(error) from None

        return retry_for(once, on=DatabaseAway, seconds=PATIENCE if patience is None else patience)

    def session(self) -> sa.Connection:
        """A connection of its own, in no transaction, for whoever keeps it. Raises DatabaseAway, BadInput."""
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
        """Delete the rows of somebody else's table that have one of *values* in *column*; SQLite has no schemas."""
        known = sa.table(table, sa.column(column), schema=schema if self.is_postgresql else None)
        self.transact(lambda connection: connection.execute(sa.delete(known).where(known.c[column].in_(values))))

    def try_row(self, schema: str, table: str, values: Mapping[str, str]) -> None:
        """Insert a row into somebody else's table, and take it back. Raises as ``checking``."""
        known = sa.table(table, *(sa.column(name) for name in values), schema=schema if self.is_postgresql else None)
        returned = next(iter(known.c))
        with self.checking(), self._engine.connect() as connection:
            connection.execute(sa.insert(known).values(dict(values)).returning(returned)).one()
            connection.rollback()

    @contextlib.contextmanager
    def checking(self) -> Iterator[None]:
        """Around a trial of the engine's tables: what the database does not know, or refuses, is nobody's bug. Raises
        BadInput, DatabaseAway; EasopsError where a file cannot be read or written."""
        try:
            yield
        except sa.exc.DBAPIError as error:
            known = self.translated(error)
            if isinstance(known, EasopsError) and not _is_too_old(error):
                raise known from None
            said = str(error.orig).strip().partition("\n")[0]
            if not self.is_postgresql:
                version = f"SQLite {sqlite3.sqlite_version}, which this Python has"
                raise BadInput(f"the engine cannot use {version}", said, _NEWER_SQLITE) from None
            raise BadInput(
                f"the engine cannot use {self.name}",
                said,
                f"{VARIABLE} names it; use a newer PostgreSQL, or another one",
            ) from None

    def translated(self, error: sa.exc.DBAPIError) -> Exception:
        """The error for a person; a mistake of ours stays as it is."""
        said = str(error.orig).strip().partition("\n")[0]
        state = str(getattr(error.orig, "sqlstate", None) or "")
        if not self.is_postgresql:
            if isinstance(error, sa.exc.OperationalError) or type(error) is sa.exc.DatabaseError:
                return EasopsError(f"{self.name} cannot be used", said, "name another state folder in EASOPS_STATE")
            return error
        if state == "42501":
            return BadInput(f"{self.name} refuses the user of {VARIABLE}", said, "grant him create on its schema")
        away = state.startswith(("08", "53", "57P")) or state in ("", "25P03", "40001", "40P01")
        if error.connection_invalidated or (isinstance(error, sa.exc.OperationalError) and away):
            return DatabaseAway(
                f"{self.name} cannot be reached",
                said,
                f"see that it runs and is reached from here; {VARIABLE} names it",
            )
        return error


class DatabaseLock:
    """A run's lock in PostgreSQL: an advisory lock of a session of its own, which the server ends with the process or
    the machine that holds it (``easops.playbook.record.state_folder.RunLock``).

    The session may end while the process lives: the server restarts, the network breaks. The lock is then taken once
    more, and is the same only where nobody else has had it since, which a token that each taking leaves tells.
    """

    def __init__(self, url: str, run_id: str) -> None:
        self._database = Database(url)
        self._run_id = run_id
        digest = hashlib.sha256(f"easops run {run_id}".encode()).digest()
        self._key = int.from_bytes(digest[:8], "big", signed=True)
        self._mutex = threading.Lock()
        self._session: sa.Connection | None = None
        self._token: str | None = None

    def take(self) -> bool:
        """Take it; False where another process holds it, or may still be coming back to it (``is_alive``). Raises
        DatabaseAway."""
        with self._mutex:
            token = secrets.token_hex(16)
            session = self._database.session()
            try:
                # Looked at first: to have the lock for a moment would keep its holder from coming back to it.
                if self._awaited(session) or not self._locked(session):
                    session.close()
                    return False
                self._leave(session, token)
            except sa.exc.DBAPIError as error:
                session.close()
                raise self._database.translated(error) from None
            self._session, self._token = session, token
            return True

    def held(self) -> bool:
        """Whether this process holds it, taken once more where its session had ended. False: another process has had
        it since. Raises DatabaseAway where that cannot be told now."""
        with self._mutex:
            if self._token is None:
                return False
            if self._session is not None:
                try:
                    self._session.execute(sa.text("SELECT 1"))
                    return True
                except sa.exc.DBAPIError:
                    self._drop()
            return self._taken_again(self._token)

    def release(self) -> None:
        with self._mutex:
            if self._session is not None:
                # Ahead of the session's end, which the server notices a moment later.
                with contextlib.suppress(sa.exc.SQLAlchemyError):
                    mine = (HOLDERS.c.run_id == self._run_id) & (HOLDERS.c.token == self._token)
                    self._session.execute(sa.delete(HOLDERS).where(mine))
                    self._session.execute(sa.select(sa.func.pg_advisory_unlock(self._key)))
            self._drop()
            self._token = None
        self._database.close()

    def is_alive(self) -> bool:
        """Whether any process holds it. One that held it when the server ended, not a minute ago, may still be coming
        back to it, and counts as alive. Raises DatabaseAway."""
        high, low = divmod(self._key % 2**64, 2**32)
        asked = sa.text(
            "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
            " AND classid::bigint = :high AND objid::bigint = :low"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
        ).bindparams(high=high, low=low)
        try:
            return self._database.transact(
                lambda connection: self._awaited(connection) or bool(connection.execute(asked).scalar())
            )
        finally:
            self._database.close()

    def _awaited(self, connection: sa.Connection) -> bool:
        """Whether somebody who held it when the server ended may still be coming back to it."""
        asked = sa.text(
            "SELECT pg_postmaster_start_time() > now() - make_interval(secs => :patience)"
            " AND EXISTS (SELECT 1 FROM easops_holders WHERE run_id = :run_id AND at < pg_postmaster_start_time())"
        ).bindparams(patience=PATIENCE, run_id=self._run_id)
        return bool(connection.execute(asked).scalar())

    def _locked(self, session: sa.Connection) -> bool:
        return bool(session.execute(sa.select(sa.func.pg_try_advisory_lock(self._key))).scalar())

    def _leave(self, session: sa.Connection, token: str) -> None:
        """Leave the token of whoever has taken the lock in *session*."""
        left = {"token": token, "at": sa.func.now()}
        insert = postgresql.insert(HOLDERS).values(run_id=self._run_id, **left)
        session.execute(insert.on_conflict_do_update(index_elements=["run_id"], set_=left))

    def _taken_again(self, token: str) -> bool:
        session = self._database.session()
        try:
            locked = self._locked(session)
            last = session.execute(sa.select(HOLDERS.c.token).where(HOLDERS.c.run_id == self._run_id)).scalar()
            if locked and last == token:
                self._leave(session, token)
                self._session = session
                return True
        except sa.exc.DBAPIError as error:
            session.close()
            raise self._database.translated(error) from None
        session.close()
        if last == token:
            # Most likely our own earlier session, whose end the server has not noticed yet.
            raise DatabaseAway(
                f"{self._database.name} does not give the run's lock back",
                "an earlier session of this process still holds it there",
                "it is let go within a minute after the network broke",
            )
        return False

    def _drop(self) -> None:
        if self._session is not None:
            with contextlib.suppress(sa.exc.SQLAlchemyError):
                self._session.close()
        self._session = None
