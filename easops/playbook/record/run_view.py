"""The recorded runs, told: what ``easops runs list`` and ``easops runs show`` say."""

from __future__ import annotations

import attrs

from easops.actions.change import Change, ChangeOutcome
from easops.playbook.record.approval import Asked, look_up
from easops.playbook.record.notice import Notice
from easops.playbook.record.notice_ledger import notices_of
from easops.playbook.record.run_store import Record, Run
from easops.playbook.record.state_folder import StateFolder
from easops.playbook.record.stored_run import changes_of, looked_at, opened, steps_of, was_stopped
from easops.playbook.steps.step_result import StepResult
from easops.status import Status


@attrs.frozen
class RunView:
    """A run as ``runs list`` and ``runs show`` tell it. *alive*: a process executes it now. *open* are the changes
    whose outcome the record does not know; *asked* is what it asks an approval for; *notices* is who was told of its
    ends; *stopped* says that somebody ended it in its middle."""

    run: Run
    alive: bool
    steps: tuple[StepResult, ...]
    changes: tuple[tuple[Change, ChangeOutcome | None], ...]
    asked: Asked | None = None
    notices: tuple[Notice, ...] = ()
    stopped: bool = False

    @property
    def status(self) -> str:
        """How it stands, for a person: how it was closed; else its state, and whether it owes its later steps."""
        if self.run.closed:
            return self.run.closed
        return f"{self.state}, owes its later steps" if self.run.owes and self.run.ended is not None else self.state

    @property
    def state(self) -> str:
        """One word, for a program: its status, or of a run that has none ``running``, ``waiting``, ``stopped``,
        ``died``; also of a run that was closed since."""
        if self.run.status is not None:
            return self.run.status
        if self.alive:
            return "running"
        if self.run.waits:
            return "waiting"
        return "stopped" if self.stopped else "died"

    @property
    def open(self) -> tuple[Change, ...]:
        return tuple(c for c, outcome in self.changes if outcome is None or outcome.status is Status.UNKNOWN)


def list_runs(state: StateFolder | None = None) -> tuple[RunView, ...]:
    """All recorded runs, the newest first, without their steps."""
    with opened(state) as (record, state):
        views = (RunView(*looked_at(held, record, state), (), ()) for held in record.runs())
        return tuple(_with_stop(view, record) for view in views)


def show_run(run_id: str, state: StateFolder | None = None) -> RunView:
    """One run, whole. Raises BadInput where there is none of that id."""
    with opened(state) as (record, state):
        held, alive = looked_at(record.get(run_id), record, state)
        return view_of(held, record, alive=alive)


def view_of(run: Run, record: Record, *, alive: bool = False) -> RunView:
    """A run whole, as the record has it; *alive*: a process executes it now."""
    steps = steps_of(run, record)
    pending = look_up(run, record, steps)
    view = RunView(run, alive, steps, changes_of(run, record), pending, notices_of(run, record))
    return _with_stop(view, record)


def _with_stop(view: RunView, record: Record) -> RunView:
    if view.alive or view.run.ended is not None:
        return view
    return attrs.evolve(view, stopped=was_stopped(view.run, record))
