"""The record of runs: what was to be done, what was intended, and what was the outcome.

A record is enough to undo, reconcile and explain a run, whichever version of easops made it. It holds references to
credentials, never a secret. Entries are written under a key, so that writing one again changes nothing.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any, Final

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from easops.errors import BadInput
from easops.playbook.record.database import METADATA, Database
from easops.playbook.record.database_lock import HOLDERS
from easops.playbook.record.run import Entry, EntryKind, Run, RunKind
from easops.playbook.steps.codec import Json, dumps

KEPT: Final = dt.timedelta(days=400)
"""How long records are kept."""

STAY_AS_FIRST_WRITTEN: Final[tuple[EntryKind, ...]] = ("intent", "notice")
"""After a kill these are written again. What has to stay is what was true before anything was sent."""

# A database may be older than this version of easops: the names of its columns stay.
_RUNS = sa.Table(
    "easops_runs",
    METADATA,
    sa.Column("run_id", sa.String(64), primary_key=True),
    sa.Column("kind", sa.String(8), nullable=False),
    sa.Column("playbook", sa.Text, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("targets", sa.Text, nullable=False),
    sa.Column("started", sa.String(40), nullable=False),
    sa.Column("ended", sa.String(40)),
    sa.Column("status", sa.String(20)),
    sa.Column("owes", sa.Boolean, key="unfinished", nullable=False, default=False),
    sa.Column("closed", sa.Text, nullable=False, default=""),
    sa.Column("walks", sa.Integer, key="attempts", nullable=False, default=1),
)
_ENTRIES = sa.Table(
    "easops_entries",
    METADATA,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("run_id", sa.String(64), sa.ForeignKey("easops_runs.run_id"), nullable=False, index=True),
    sa.Column("kind", sa.String(8), nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("at", sa.String(40), nullable=False),
    sa.UniqueConstraint("run_id", "kind", "key"),
)


class RunStore:
    """The runs of one database, with what is recorded of each (``run_record.RunRecord``).

    Its methods raise ``DatabaseAway`` if the database does not answer for a minute, and ``EasopsError`` if it cannot be
    used.
    """

    def __init__(self, url: str) -> None:
        self._database = Database(url)
        self._database.create_tables()
        self._insert = postgresql.insert if self._database.is_postgresql else sqlite.insert

    def close(self) -> None:
        self._database.close()

    def add(self, run: Run) -> None:
        """Record a run that has not ended. One of its id that is there already stays as it is."""
        values = attrs.asdict(run)
        values["document"] = dumps(run.document)
        values["targets"] = dumps(list(run.targets))
        values["started"] = run.started.isoformat()
        values["ended"] = None
        self._execute(self._insert(_RUNS).values(**values).on_conflict_do_nothing())

    def update(self, run_id: str, **values: Any) -> None:
        """Set attributes of a run: ended, status, unfinished, closed, attempts, document, targets. A time is given in
        ISO format, *document* and *targets* as JSON text."""
        self._execute(sa.update(_RUNS).where(_RUNS.c.run_id == run_id).values(**values))

    def end(self, run_id: str, status: str, ended: dt.datetime, *, unfinished: bool) -> None:
        """Record that a run has ended, at the time *ended*."""
        self.update(run_id, status=status, unfinished=unfinished, ended=ended.isoformat())

    def get(self, run_id: str) -> Run:
        """The run of that id, or the only run whose id begins so. Raises BadInput."""
        rows = self._rows(sa.select(_RUNS).where(_RUNS.c.run_id.startswith(run_id, autoescape=True)))
        found = [row for row in rows if row.run_id == run_id] or list(rows)
        if len(found) == 1:
            return _run(found[0])
        raise BadInput(
            f"there is no run {run_id!r}" if not found else f"{run_id!r} is the beginning of {len(found)} run ids",
            "no recorded run has this id" if not found else ", ".join(row.run_id for row in found[:5]),
            "easops runs list shows them",
        )

    def runs(self) -> tuple[Run, ...]:
        """All runs, the newest first."""
        return tuple(_run(row) for row in self._rows(sa.select(_RUNS).order_by(_RUNS.c.started.desc())))

    def write(self, run_id: str, kind: EntryKind, key: str, body: Json) -> None:
        """Write an entry. It replaces one of the same kind and key; but an intent (to change something, or to send a
        notice) stays as it was first written."""
        now = dt.datetime.now(dt.UTC).isoformat()
        insert = self._insert(_ENTRIES).values(run_id=run_id, kind=kind, key=key, body=dumps(body), at=now)
        if kind in STAY_AS_FIRST_WRITTEN:
            self._execute(insert.on_conflict_do_nothing())
        else:
            self._execute(
                insert.on_conflict_do_update(
                    index_elements=["run_id", "kind", "key"],
                    set_={"body": insert.excluded.body, "at": insert.excluded["at"]},
                )
            )

    def entries(self, run_id: str, *kinds: EntryKind) -> tuple[Entry, ...]:
        """The run's entries of these kinds (without *kinds*: all), in the order in which they were first written."""
        query = sa.select(_ENTRIES).where(_ENTRIES.c.run_id == run_id).order_by(_ENTRIES.c.id)
        if kinds:
            query = query.where(_ENTRIES.c.kind.in_(kinds))
        return tuple(
            Entry(row.kind, row.key, json.loads(row.body), dt.datetime.fromisoformat(row.at))
            for row in self._rows(query)
        )

    def keep_steps(self, run_id: str, keys: Sequence[str]) -> None:
        """Delete the results of all steps but those of these keys: an earlier attempt may have done a step on hosts
        that the latest attempt did not find in the group."""
        others = (_ENTRIES.c.run_id == run_id) & (_ENTRIES.c.kind == "step") & _ENTRIES.c.key.not_in(keys)
        self._execute(sa.delete(_ENTRIES).where(others))

    def forget(self, run_ids: list[str]) -> None:
        """Delete runs with their entries."""
        self._execute(*(sa.delete(table).where(table.c.run_id.in_(run_ids)) for table in (HOLDERS, _ENTRIES, _RUNS)))

    def _execute(self, *statements: sa.Executable) -> None:
        def work(connection: sa.Connection) -> None:
            for statement in statements:
                connection.execute(statement)

        self._database.transact(work)

    def _rows(self, query: sa.Select[Any]) -> list[sa.Row[Any]]:
        return self._database.transact(lambda connection: list(connection.execute(query).all()))


def _run(row: sa.Row[Any]) -> Run:
    kind: RunKind = row.kind
    return Run(
        run_id=row.run_id,
        kind=kind,
        playbook=row.playbook,
        document=json.loads(row.document),
        targets=tuple(json.loads(row.targets)),
        started=dt.datetime.fromisoformat(row.started),
        ended=None if row.ended is None else dt.datetime.fromisoformat(row.ended),
        status=row.status,
        unfinished=bool(row.unfinished),
        closed=row.closed,
        attempts=row.attempts,
    )
