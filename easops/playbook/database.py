"""The database of the records and the engine: SQLite in the state folder, or PostgreSQL by ``EASOPS_DATABASE_URL``.

What is asked of it here is asked again for a while when it is away, as a server that restarts is back in seconds; so
all of it must come to the same when it is done twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from easops.errors import BadInput, EasopsError, UnreachableHost
from easops.remoting.retry import patiently
from easops.remoting.secret import Secret

METADATA: Final = sa.MetaData()
"""easops' own tables."""

PATIENCE: Final = 60.0
"""Seconds that the database may be away in the middle of a run before the run stops."""

VARIABLE: Final = "EASOPS_DATABASE_URL"

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
    if not url.database:
        raise BadInput(f"{VARIABLE} names no database", "there is nothing behind the host", correct)
    missing = {name: value for name, value in _LINK.items() if name not in url.query}
    return Secret(url.update_query_dict(missing).render_as_string(hide_password=False))


def is_postgresql(url: str) -> bool:
    return url.startswith("postgresql")


class Database:
    """The database of *url*; nothing is asked of it yet."""

    def __init__(self, url: str) -> None:
        parts = sa.make_url(url)
        self.is_postgresql = is_postgresql(url)
        place = f"{parts.host or 'this machine'}{'' if parts.port is None else f':{parts.port}'}"
        self.name = f"the database {parts.database} at {place}" if self.is_postgresql else f"{parts.database}"
        more: dict[str, Any] = {"pool_pre_ping": True} if self.is_postgresql else {"connect_args": {"timeout": 30}}
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

    def transact(self, work: Callable[[sa.Connection], T], *, patience: float = PATIENCE) -> T:
        """What *work* gives, in a transaction of its own; begun again, up to *patience* seconds, while the database is
        away. A commit whose answer was lost is made again too. Raises DatabaseAway, BadInput, EasopsError."""

        def once() -> T:
            try:
                with self._engine.begin() as connection:
                    return work(connection)
            except sa.exc.DBAPIError as error:
                raise self.translated(error) from None

        return patiently(once, on=DatabaseAway, seconds=patience)

    def translated(self, error: sa.exc.DBAPIError) -> Exception:
        """The error for a person; a mistake of ours stays as it is."""
        said = str(error.orig).strip().partition("\n")[0]
        state = str(getattr(error.orig, "sqlstate", None) or "")
        if not self.is_postgresql:
            if isinstance(error, sa.exc.OperationalError):
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
        if state.startswith(("28", "3D")):
            return BadInput(f"{self.name} does not let us in", said, f"correct {VARIABLE}, or create what is missing")
        return error
