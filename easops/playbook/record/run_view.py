"""The state of a recorded run, with what is recorded of it: what ``easops runs list`` and ``easops runs show`` show."""

from __future__ import annotations

import attrs

from easops.actions.change import Change, ChangeOutcome
from easops.playbook.record.approval import PendingApproval, find_pending_approval
from easops.playbook.record.liveness import liveness_of, was_stopped
from easops.playbook.record.notice import Notice
from easops.playbook.record.notice_ledger import notices_of
from easops.playbook.record.run import Run
from easops.playbook.record.run_record import RunRecord
from easops.playbook.record.state_folder import StateFolder, open_store
from easops.playbook.record.stored_run import changes_of, steps_of
from easops.playbook.steps.step_result import StepResult
from easops.status import Status


@attrs.frozen
class RunView:
    """A recorded run. ``runs list`` shows it without *steps* and *changes*.

    *alive* is whether a process executes it now. *changes* have their outcome, None if none is recorded. *pending* is
    the approval that it waits for. *notices* are those of its ends. *stopped* is whether somebody stopped it before its
    end; a run that is neither alive nor ended nor stopped has died.
    """

    run: Run
    alive: bool
    steps: tuple[StepResult, ...]
    changes: tuple[tuple[Change, ChangeOutcome | None], ...]
    pending: PendingApproval | None = None
    notices: tuple[Notice, ...] = ()
    stopped: bool = False

    @property
    def status(self) -> str:
        """For a person: how it was closed, or its state, and whether it has unfinished steps."""
        if self.run.closed:
            return self.run.closed
        unfinished = self.run.unfinished and self.run.ended is not None
        return f"{self.state}, unfinished" if unfinished else self.state

    @property
    def state(self) -> str:
        """For a program, one word: its status; without one ``running``, ``waiting``, ``stopped`` or ``died``. It stays
        when the run is closed."""
        if self.run.status is not None:
            return self.run.status
        if self.alive:
            return "running"
        if self.run.waits:
            return "waiting"
        return "stopped" if self.stopped else "died"

    @property
    def open(self) -> tuple[Change, ...]:
        """The changes that were sent, or may have been, and whose outcome is not known."""
        return tuple(c for c, outcome in self.changes if outcome is None or outcome.status is Status.UNKNOWN)


def list_runs(state: StateFolder | None = None) -> tuple[RunView, ...]:
    """All recorded runs, the newest first, without their steps and changes."""
    with open_store(state) as (store, state):
        views = (RunView(*liveness_of(run, store, state), (), ()) for run in store.runs())
        return tuple(_with_stop(view, store) for view in views)


def show_run(run_id: str, state: StateFolder | None = None) -> RunView:
    """The run of that id (or beginning of an id), with all that is recorded of it. Raises BadInput."""
    with open_store(state) as (store, state):
        run, alive = liveness_of(store.get(run_id), store, state)
        return view_of(run, store, alive=alive)


def view_of(run: Run, store: RunRecord, *, alive: bool = False) -> RunView:
    """A run with all that is recorded of it. *alive* is whether a process executes it now."""
    steps = steps_of(run, store)
    pending = find_pending_approval(run, store, steps)
    view = RunView(run, alive, steps, changes_of(run, store), pending, notices_of(run, store))
    return _with_stop(view, store)


def _with_stop(view: RunView, store: RunRecord) -> RunView:
    if view.alive or view.run.ended is not None:
        return view
    return attrs.evolve(view, stopped=was_stopped(view.run, store))
