"""The lock of a run in PostgreSQL."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import threading
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from easops.playbook.record import database
from easops.playbook.record.database import METADATA, Database, DatabaseAway

HOLDERS: Final = sa.Table(
    "easops_holders",
    METADATA,
    sa.Column("run_id", sa.String(64), primary_key=True),
    sa.Column("token", sa.String(32), nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
)
"""Who took a run's lock last and has not released it, and when."""


class DatabaseLock:
    """A run's lock (``easops.playbook.record.run_lock.RunLock``): an advisory lock of a session of its own. The server
    releases it when the process or the machine that holds it is gone.

    The session may end while the process lives: the server restarts, or the network breaks. Then the lock is taken
    again. It is the same lock only if no other process has had it since: each taking leaves a token, which shows that.
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
        """Take it. False if another process holds it, or may be about to take it again (``is_alive``). Raises
        DatabaseAway."""
        with self._mutex:
            token = secrets.token_hex(16)
            session = self._database.session()
            try:
                # Asked first: to take the lock for a moment would keep its holder from taking it again.
                if self._awaited(session) or not self._lock(session):
                    session.close()
                    return False
                self._leave(session, token)
            except sa.exc.DBAPIError as error:
                session.close()
                raise self._database.translated(error) from None
            self._session, self._token = session, token
            return True

    def held(self) -> bool:
        """Whether this process holds it. If its session has ended, the lock is taken again.

        False if another process has had it since. Raises DatabaseAway if that cannot be known now.
        """
        with self._mutex:
            if self._token is None:
                return False
            if self._session is not None:
                try:
                    self._session.execute(sa.text("SELECT 1"))
                    return True
                except sa.exc.DBAPIError:
                    self._drop_session()
            return self._take_again(self._token)

    def release(self) -> None:
        with self._mutex:
            if self._session is not None:
                # Done before the session ends: the server notices its end only a moment later.
                with contextlib.suppress(sa.exc.SQLAlchemyError):
                    mine = (HOLDERS.c.run_id == self._run_id) & (HOLDERS.c.token == self._token)
                    self._session.execute(sa.delete(HOLDERS).where(mine))
                    self._session.execute(sa.select(sa.func.pg_advisory_unlock(self._key)))
            self._drop_session()
            self._token = None
        self._database.close()

    def is_alive(self) -> bool:
        """Whether any process holds it. A process that held it when the server ended, less than a minute ago, may be
        about to take it again, and counts. Raises DatabaseAway."""
        high, low = divmod(self._key % 2**64, 2**32)
        query = sa.text(
            "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
            " AND classid::bigint = :high AND objid::bigint = :low"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
        ).bindparams(high=high, low=low)
        try:
            return self._database.transact(
                lambda connection: self._awaited(connection) or bool(connection.execute(query).scalar())
            )
        finally:
            self._database.close()

    def _awaited(self, connection: sa.Connection) -> bool:
        """Whether a process that held it when the server ended may be about to take it again."""
        query = sa.text(
            "SELECT pg_postmaster_start_time() > now() - make_interval(secs => :patience)"
            " AND EXISTS (SELECT 1 FROM easops_holders WHERE run_id = :run_id AND at < pg_postmaster_start_time())"
        ).bindparams(patience=database.PATIENCE, run_id=self._run_id)
        return bool(connection.execute(query).scalar())

    def _lock(self, session: sa.Connection) -> bool:
        return bool(session.execute(sa.select(sa.func.pg_try_advisory_lock(self._key))).scalar())

    def _leave(self, session: sa.Connection, token: str) -> None:
        """Leave the token of this process, which has taken the lock in *session*."""
        values = {"token": token, "at": sa.func.now()}
        insert = postgresql.insert(HOLDERS).values(run_id=self._run_id, **values)
        session.execute(insert.on_conflict_do_update(index_elements=["run_id"], set_=values))

    def _take_again(self, token: str) -> bool:
        session = self._database.session()
        try:
            locked = self._lock(session)
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
            # Most likely an earlier session of this process, whose end the server has not noticed yet.
            raise DatabaseAway(
                f"{self._database.name} does not give the run's lock back",
                "an earlier session of this process still holds it there",
                "the lock is released within a minute of losing the connection",
            )
        return False

    def _drop_session(self) -> None:
        if self._session is not None:
            with contextlib.suppress(sa.exc.SQLAlchemyError):
                self._session.close()
        self._session = None
