"""The record of runs: what was to be done, what was intended, what came of it. Only this module knows SQLAlchemy.

A record is enough to undo, reconcile and explain a run, whichever version of easops made it; it holds credentials by
reference only. Entries are written under a key, so that writing one again changes nothing.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Literal

import attrs
import sqlalchemy as sa

from easops.errors import BadInput
from easops.playbook.codec import Json, dumps

KEPT: Final = dt.timedelta(days=400)

EntryKind = Literal["facts", "step", "intent", "outcome", "answer", "undone"]

_METADATA = sa.MetaData()
_RUNS = sa.Table(
    "easops_runs",
    _METADATA,
    sa.Column("run_id", sa.String(64), primary_key=True),
    sa.Column("kind", sa.String(8), nullable=False),
    sa.Column("playbook", sa.Text, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("targets", sa.Text, nullable=False),
    sa.Column("started", sa.String(40), nullable=False),
    sa.Column("ended", sa.String(40)),
    sa.Column("status", sa.String(20)),
    sa.Column("owes", sa.Boolean, nullable=False, default=False),
    sa.Column("closed", sa.Text, nullable=False, default=""),
    sa.Column("walks", sa.Integer, nullable=False, default=1),
)
_ENTRIES = sa.Table(
    "easops_entries",
    _METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("run_id", sa.String(64), sa.ForeignKey("easops_runs.run_id"), nullable=False, index=True),
    sa.Column("kind", sa.String(8), nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("at", sa.String(40), nullable=False),
    sa.UniqueConstraint("run_id", "kind", "key"),
)


@attrs.frozen
class Run:
    """A run as the record has it.

    *document* is plain JSON: the playbook's text and source, inputs, hosts, limit, lab, protocol, version. *targets*
    are the names it claims. *status* is None while it runs, or when it died; *owes* says that it ended with changing
    steps not started; *closed* is empty, ``abandoned``, or ``undone by R``; *walks* counts its workflows.
    """

    run_id: str
    kind: Literal["run", "do", "undo"]
    playbook: str
    document: Json
    targets: tuple[str, ...]
    started: dt.datetime
    ended: dt.datetime | None = None
    status: str | None = None
    owes: bool = False
    closed: str = ""
    walks: int = 1

    @property
    def lab(self) -> str | None:
        """The scenario, for a run against the built-in lab."""
        held = self.document.get("lab")
        return None if held is None else str(held)

    @property
    def limit(self) -> str | None:
        """What narrowed the playbook's hosts."""
        held = self.document.get("limit")
        return None if held is None else str(held)


@attrs.frozen
class Entry:
    """One thing recorded, in order."""

    kind: EntryKind
    key: str
    body: Json
    at: dt.datetime


class Record:
    """The runs of one database."""

    def __init__(self, url: str) -> None:
        self._engine = sa.create_engine(url, connect_args={"timeout": 30})
        _METADATA.create_all(self._engine)

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _begin(self) -> Iterator[sa.Connection]:
        with self._engine.begin() as connection:
            yield connection

    def add(self, run: Run) -> None:
        values = attrs.asdict(run)
        values["document"] = dumps(run.document)
        values["targets"] = dumps(list(run.targets))
        values["started"] = run.started.isoformat()
        values["ended"] = None
        with self._begin() as connection:
            connection.execute(sa.insert(_RUNS).values(**values))

    def update(self, run_id: str, **values: Any) -> None:
        """Set columns of a run: ended, status, owes, closed, walks, document, targets."""
        with self._begin() as connection:
            connection.execute(sa.update(_RUNS).where(_RUNS.c.run_id == run_id).values(**values))

    def end(self, run_id: str, status: str, *, owes: bool) -> None:
        self.update(run_id, status=status, owes=owes, ended=dt.datetime.now(dt.UTC).isoformat())

    def get(self, run_id: str) -> Run:
        """The run of that id, or of a beginning of it that only one has. Raises BadInput."""
        with self._begin() as connection:
            rows = connection.execute(sa.select(_RUNS).where(_RUNS.c.run_id.startswith(run_id, autoescape=True))).all()
        exact = [row for row in rows if row.run_id == run_id] or list(rows)
        if len(exact) == 1:
            return _run(exact[0])
        raise BadInput(
            f"there is no run {run_id!r}" if not exact else f"{run_id!r} is the beginning of {len(exact)} runs",
            "the record holds none of that id" if not exact else ", ".join(row.run_id for row in exact[:5]),
            "easops runs list shows them",
        )

    def runs(self) -> tuple[Run, ...]:
        """All runs, the newest first."""
        with self._begin() as connection:
            rows = connection.execute(sa.select(_RUNS).order_by(_RUNS.c.started.desc())).all()
        return tuple(_run(row) for row in rows)

    def write(self, run_id: str, kind: EntryKind, key: str, body: Json) -> None:
        """Write an entry; one of that kind and key is replaced, except an intent, which stays as it was first."""
        now = dt.datetime.now(dt.UTC).isoformat()
        where = (_ENTRIES.c.run_id == run_id) & (_ENTRIES.c.kind == kind) & (_ENTRIES.c.key == key)
        with self._begin() as connection:
            there = connection.execute(sa.select(_ENTRIES.c.id).where(where)).first()
            if there is None:
                values = {"run_id": run_id, "kind": kind, "key": key, "body": dumps(body), "at": now}
                connection.execute(sa.insert(_ENTRIES).values(**values))
            elif kind != "intent":
                connection.execute(sa.update(_ENTRIES).where(where).values(body=dumps(body), at=now))

    def entries(self, run_id: str, *kinds: EntryKind) -> tuple[Entry, ...]:
        """The run's entries of those kinds (all of them where none is named), in order of their first writing."""
        wanted = sa.select(_ENTRIES).where(_ENTRIES.c.run_id == run_id).order_by(_ENTRIES.c.id)
        if kinds:
            wanted = wanted.where(_ENTRIES.c.kind.in_(kinds))
        with self._begin() as connection:
            rows = connection.execute(wanted).all()
        return tuple(Entry(row.kind, row.key, json.loads(row.body), dt.datetime.fromisoformat(row.at)) for row in rows)

    def keep_steps(self, run_id: str, keys: Sequence[str]) -> None:
        """Delete the results of steps of other keys: those of hosts that an earlier walk met in a group, and the last
        did not."""
        others = (_ENTRIES.c.run_id == run_id) & (_ENTRIES.c.kind == "step") & _ENTRIES.c.key.not_in(keys)
        with self._begin() as connection:
            connection.execute(sa.delete(_ENTRIES).where(others))

    def forget(self, run_ids: list[str]) -> None:
        """Delete runs with their entries."""
        with self._begin() as connection:
            connection.execute(sa.delete(_ENTRIES).where(_ENTRIES.c.run_id.in_(run_ids)))
            connection.execute(sa.delete(_RUNS).where(_RUNS.c.run_id.in_(run_ids)))


def _run(row: sa.Row[Any]) -> Run:
    return Run(
        run_id=row.run_id,
        kind=row.kind,
        playbook=row.playbook,
        document=json.loads(row.document),
        targets=tuple(json.loads(row.targets)),
        started=dt.datetime.fromisoformat(row.started),
        ended=None if row.ended is None else dt.datetime.fromisoformat(row.ended),
        status=row.status,
        owes=bool(row.owes),
        closed=row.closed,
        walks=row.walks,
    )
