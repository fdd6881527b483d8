"""The record of runs: what was to be done, what was intended, what came of it.

A record is enough to undo, reconcile and explain a run, whichever version of easops made it; it holds credentials by
reference only. Entries are written under a key, so that writing one again changes nothing.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any, Final, Literal

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from easops.errors import BadInput
from easops.playbook.record.database import HOLDERS, METADATA, Database
from easops.playbook.steps.codec import Json, dumps

KEPT: Final = dt.timedelta(days=400)

EntryKind = Literal[
    "facts", "step", "intent", "outcome", "answer", "undone", "approval", "resumed", "stopped", "notice", "told"
]

_TIME_OF_ID: Final = len("20261124-170000")
"""The characters of a run's id that are its time."""

_STAY_AS_FIRST_WRITTEN: Final = ("intent", "notice")

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
    sa.Column("owes", sa.Boolean, nullable=False, default=False),
    sa.Column("closed", sa.Text, nullable=False, default=""),
    sa.Column("walks", sa.Integer, nullable=False, default=1),
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


@attrs.frozen
class Run:
    """A run as the record has it.

    *document* is plain JSON: the playbook's text and source, inputs, hosts, limit, lab, protocol, version. *targets*
    are the names it claims. *status* is None while it runs, or when it died; *owes* says that it ended with changing
    steps not started; *closed* is empty, ``abandoned``, ``undone by R``, or ``undone by R, abandoned before``; *walks*
    counts its workflows: none yet of a run that was submitted and waits.
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
    def walk_ids(self) -> tuple[str, ...]:
        """The ids of its workflows, the newest last."""
        return (self.run_id, *(f"{self.run_id}.{number}" for number in range(2, self.walks + 1)))

    @property
    def waits(self) -> bool:
        """Whether it was submitted and nobody has begun it."""
        return self.walks == 0

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
        self._database = Database(url)
        self._database.create_tables()
        self._insert = postgresql.insert if self._database.is_postgresql else sqlite.insert

    def close(self) -> None:
        self._database.close()

    def add(self, run: Run) -> None:
        values = attrs.asdict(run)
        values["document"] = dumps(run.document)
        values["targets"] = dumps(list(run.targets))
        values["started"] = run.started.isoformat()
        values["ended"] = None
        self._execute(self._insert(_RUNS).values(**values).on_conflict_do_nothing())

    def update(self, run_id: str, **values: Any) -> None:
        """Set columns of a run: ended, status, owes, closed, walks, document, targets."""
        self._execute(sa.update(_RUNS).where(_RUNS.c.run_id == run_id).values(**values))

    def end(self, run_id: str, status: str, ended: dt.datetime, *, owes: bool) -> None:
        self.update(run_id, status=status, owes=owes, ended=ended.isoformat())

    def get(self, run_id: str) -> Run:
        """The run of that id, or of a beginning of it that only one has. Raises BadInput."""
        rows = self._rows(sa.select(_RUNS).where(_RUNS.c.run_id.startswith(run_id, autoescape=True)))
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
        # By the time in the id first: that of a run in the lab is by the lab's clock, which goes its own way.
        newest_first = (sa.func.substr(_RUNS.c.run_id, 1, _TIME_OF_ID).desc(), _RUNS.c.started.desc())
        return tuple(_run(row) for row in self._rows(sa.select(_RUNS).order_by(*newest_first)))

    def write(self, run_id: str, kind: EntryKind, key: str, body: Json) -> None:
        """Write an entry; one of that kind and key is replaced, except an intent (to change, or to send a notice),
        which stays as it was first."""
        now = dt.datetime.now(dt.UTC).isoformat()
        insert = self._insert(_ENTRIES).values(run_id=run_id, kind=kind, key=key, body=dumps(body), at=now)
        if kind in _STAY_AS_FIRST_WRITTEN:
            self._execute(insert.on_conflict_do_nothing())
        else:
            self._execute(
                insert.on_conflict_do_update(
                    index_elements=["run_id", "kind", "key"],
                    set_={"body": insert.excluded.body, "at": insert.excluded["at"]},
                )
            )

    def entries(self, run_id: str, *kinds: EntryKind) -> tuple[Entry, ...]:
        """The run's entries of those kinds (all of them where none is named), in order of their first writing."""
        wanted = sa.select(_ENTRIES).where(_ENTRIES.c.run_id == run_id).order_by(_ENTRIES.c.id)
        if kinds:
            wanted = wanted.where(_ENTRIES.c.kind.in_(kinds))
        return tuple(
            Entry(row.kind, row.key, json.loads(row.body), dt.datetime.fromisoformat(row.at))
            for row in self._rows(wanted)
        )

    def keep_steps(self, run_id: str, keys: Sequence[str]) -> None:
        """Delete the results of steps of other keys: those of hosts that an earlier walk met in a group, and the last
        did not."""
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

    def _rows(self, wanted: sa.Select[Any]) -> list[sa.Row[Any]]:
        return self._database.transact(lambda connection: list(connection.execute(wanted).all()))


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
