"""The machine on which easops runs: processes that may die, the record that outlives them, and the engine."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import attrs

from easops.at_once import AtOnce
from easops.errors import BadInput
from easops.playbook.execution.apply_changes import apply_job
from easops.playbook.execution.durable_changes import DurableChanges
from easops.playbook.execution.durable_effects import DurableEffects
from easops.playbook.execution.execution import Execution
from easops.playbook.execution.waits import Waits
from easops.playbook.record.run import Entry, EntryKind, Run
from easops.playbook.record.run_store import STAY_AS_FIRST_WRITTEN
from easops.playbook.steps.codec import Json, dumps, from_json, to_json
from easops.playbook.steps.effects import Job
from tests.simulation.scheduler import Scheduler, Task


class Died(BaseException):
    """The process has died: raised wherever its code goes on."""


@attrs.define(eq=False)
class Process:
    """A process of easops. It dies at its boundary number *dies_at* (None: never): before or behind a call of a server,
    a step of the journal, or a write to the record. *run_id* is the run that it executes."""

    dies_at: int | None = None
    boundaries: int = 0
    dead: bool = False
    run_id: str = ""

    def boundary(self) -> None:
        if not self.dead:
            self.boundaries += 1
            self.dead = self.dies_at is not None and self.boundaries >= self.dies_at
        if self.dead:
            raise Died


@attrs.define(eq=False)
class Machine:
    """What outlives the processes of easops: the record of runs, and what the engine has of them."""

    scheduler: Scheduler
    start: dt.datetime
    runs: dict[str, Run] = attrs.field(factory=dict)
    entries: dict[str, dict[tuple[str, str], Entry]] = attrs.field(factory=dict)
    journals: dict[str, dict[str, str]] = attrs.field(factory=dict)
    results: dict[str, str] = attrs.field(factory=dict)
    claims: dict[str, str] = attrs.field(factory=dict)
    alive: dict[str, Process] = attrs.field(factory=dict)

    def now(self) -> dt.datetime:
        return self.start + dt.timedelta(seconds=self.scheduler.now)


@attrs.define(eq=False)
class MemoryRecord:
    """The record, as *process* uses it (``easops.playbook.record.run_record.RunRecord``)."""

    machine: Machine
    process: Process

    def close(self) -> None: ...

    def add(self, run: Run) -> None:
        self.process.boundary()
        self.machine.runs.setdefault(run.run_id, attrs.evolve(run, document=json.loads(dumps(run.document))))
        self.process.boundary()

    def update(self, run_id: str, **values: Any) -> None:
        self.process.boundary()
        for name in ("document", "targets"):
            if name in values:
                values[name] = json.loads(values[name])
        if values.get("ended"):
            values["ended"] = dt.datetime.fromisoformat(values["ended"])
        self.machine.runs[run_id] = attrs.evolve(self.machine.runs[run_id], **values)
        self.process.boundary()

    def end(self, run_id: str, status: str, ended: dt.datetime, *, unfinished: bool) -> None:
        self.update(run_id, status=str(status), unfinished=unfinished, ended=ended.isoformat())

    def get(self, run_id: str) -> Run:
        if run_id not in self.machine.runs:
            raise BadInput(f"there is no run {run_id!r}")
        return self.machine.runs[run_id]

    def runs(self) -> tuple[Run, ...]:
        return tuple(sorted(self.machine.runs.values(), key=lambda run: run.started, reverse=True))

    def write(self, run_id: str, kind: EntryKind, key: str, body: Json) -> None:
        self.process.boundary()
        entries = self.machine.entries.setdefault(run_id, {})
        if (kind, key) not in entries or kind not in STAY_AS_FIRST_WRITTEN:
            entries[kind, key] = Entry(kind, key, json.loads(dumps(body)), self.machine.now())
        self.process.boundary()

    def entries(self, run_id: str, *kinds: EntryKind) -> tuple[Entry, ...]:
        found = self.machine.entries.get(run_id, {}).values()
        return tuple(entry for entry in found if not kinds or entry.kind in kinds)

    def keep_steps(self, run_id: str, keys: Sequence[str]) -> None:
        entries = self.machine.entries.get(run_id, {})
        for kind, key in [name for name in entries if name[0] == "step" and name[1] not in keys]:
            del entries[kind, key]

    def forget(self, run_ids: list[str]) -> None:
        raise AssertionError("nothing is old here")


@attrs.define(eq=False)
class MemoryLock:
    """The lock of a run, held by a process until it dies."""

    machine: Machine
    process: Process
    run_id: str

    def take(self) -> bool:
        holder = self.machine.alive.get(self.run_id)
        if holder is not None and not holder.dead and holder is not self.process:
            return False
        self.machine.alive[self.run_id] = self.process
        return True

    def held(self) -> bool:
        return self.machine.alive.get(self.run_id) is self.process

    def release(self) -> None:
        if self.held():
            del self.machine.alive[self.run_id]

    def is_alive(self) -> bool:
        holder = self.machine.alive.get(self.run_id)
        return holder is not None and not holder.dead


@attrs.define(eq=False)
class MemoryState:
    """The state of *process* (``easops.playbook.record.state_folder.StateFolder``)."""

    machine: Machine
    process: Process
    database: None = None
    is_new: bool = False
    is_there: bool = True
    path: Path = Path("simulated")

    def prepared(self) -> MemoryState:
        return self

    def records(self) -> MemoryRecord:
        return MemoryRecord(self.machine, self.process)

    def lock(self, run_id: str) -> MemoryLock:
        return MemoryLock(self.machine, self.process, run_id)


@attrs.define(eq=False)
class MemoryEngine:
    """Executes the attempts of *process* (``easops.playbook.execution.engine.Engine``)."""

    machine: Machine
    process: Process

    @property
    def waits(self) -> Waits:
        scheduler = self.machine.scheduler
        return Waits(monotonic=lambda: scheduler.now, sleep=scheduler.wait)

    @property
    def at_once(self) -> AtOnce:
        return self.machine.scheduler.each

    def new_run_id(self) -> str:
        return f"run-{len(self.machine.runs) + 1}"

    def reserved(self) -> AbstractContextManager[None]:
        return nullcontext()

    def check(self, state: Any) -> None: ...

    def prune(self, store: Any, state: Any) -> None: ...

    def execute(self, execution: Execution) -> None:
        self.process.run_id = execution.run_id
        execution.main(DurableEffects(execution, MemoryJournal(self, execution, execution.attempt_id)))

    def cancel(self, state: Any, attempt_ids: Sequence[str]) -> None:
        for target, child_id in list(self.machine.claims.items()):
            if any(child_id.startswith(f"{attempt_id}.") for attempt_id in attempt_ids):
                del self.machine.claims[target]


@attrs.define(eq=False)
class MemoryJournal:
    """The journal of an attempt or a child (``easops.playbook.execution.journal.Journal``)."""

    engine: MemoryEngine
    execution: Execution
    workflow_id: str
    children: dict[str, Task] = attrs.field(factory=dict)

    def step(self, name: str, call: Callable[[], Json]) -> Json:
        process, journal = self.engine.process, self.engine.machine.journals.setdefault(self.workflow_id, {})
        process.boundary()
        if name not in journal:
            value = dumps(call())
            process.boundary()
            journal[name] = value
            process.boundary()
        return json.loads(journal[name])

    def begin(self, child_id: str, target: str, job: Json) -> str:
        machine, process = self.engine.machine, self.engine.process
        process.boundary()
        if child_id in machine.results:
            return child_id
        holder = machine.claims.setdefault(target, child_id)
        if holder != child_id:
            return holder
        child = MemoryJournal(self.engine, self.execution, child_id)

        def work() -> None:
            process.boundary()
            job_ = from_json(json.loads(dumps(job)), Job)
            items = apply_job(job_, DurableChanges(self.execution, child, job_.until))
            process.boundary()
            machine.results[child_id] = dumps(to_json(items))
            del machine.claims[target]
            process.boundary()

        self.children[child_id] = machine.scheduler.spawn(work, process)
        process.boundary()
        return child_id

    def result(self, child_id: str) -> Json:
        if child_id in self.children:
            self.engine.machine.scheduler.join(self.children[child_id])
        self.engine.process.boundary()
        return json.loads(self.engine.machine.results[child_id])
