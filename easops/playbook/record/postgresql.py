"""The URL of a PostgreSQL database, as ``EASOPS_DATABASE_URL`` has it."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from easops.errors import BadInput
from easops.playbook.record.location import VARIABLE
from easops.remoting.secret import Secret

_FORM: Final = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
_SCHEMES: Final = ("postgresql", "postgres", "postgresql+psycopg")
_DRIVER: Final = "postgresql+psycopg"

_OPTIONS: Final = {
    "application_name": "easops",
    "connect_timeout": "10",
    # With these a lost connection is noticed within a minute.
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}


def postgresql_url(text: str) -> Secret:
    """The checked URL, with the options that easops needs. Raises BadInput, which never shows the password."""
    correct = f"set {VARIABLE} to {_FORM}; in the password write the characters @ : / ? # % as %40 %3A %2F %3F %23 %25"
    scheme, separator, rest = text.strip().partition("://")
    if not separator or scheme not in _SCHEMES:
        raise BadInput(
            f"{VARIABLE} is not the URL of a PostgreSQL database", f"it does not begin with {_SCHEMES[0]}://", correct
        )
    if rest.partition("?")[0].count("@") > 1:
        raise BadInput(f"{VARIABLE} cannot be read", "it has more than one @", correct)
    try:
        url = sa.make_url(f"{_DRIVER}://{rest}")
    except (sa.exc.ArgumentError, ValueError):
        raise BadInput(f"{VARIABLE} cannot be read", f"it does not have the form {_FORM}", correct) from None
    import psycopg  # imported here, because runs that use SQLite do not need it

    try:
        psycopg.conninfo.make_conninfo("", **{name: str(value) for name, value in url.query.items()})
    except psycopg.ProgrammingError as error:
        raise BadInput(f"{VARIABLE} has an option that PostgreSQL does not know", str(error).strip(), correct) from None
    if not url.database:
        raise BadInput(f"{VARIABLE} names no database", "there is nothing after the host", correct)
    missing = {name: value for name, value in _OPTIONS.items() if name not in url.query}
    return Secret(url.update_query_dict(missing).render_as_string(hide_password=False))


def is_postgresql(url: str) -> bool:
    """Whether it is a URL of PostgreSQL, not of SQLite."""
    return url.startswith("postgresql")
