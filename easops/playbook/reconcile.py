"""Reconciling a dead run: finding out by reading what it did, and closing it for good."""

from __future__ import annotations

from collections.abc import Sequence

from easops.actions.change import Change, ChangeOutcome
from easops.clock import Clock
from easops.detectors.detect import ProgressObserver
from easops.errors import Refused
from easops.inventory.host import Host
from easops.playbook.execution.dbos_engine import DBOS_ENGINE
from easops.playbook.execution.engine import Engine
from easops.playbook.execution.world import context_of, world_of
from easops.playbook.open_changes import settle_changes
from easops.playbook.record.liveness import locked_run
from easops.playbook.record.run import Run
from easops.playbook.record.run_record import RunRecord
from easops.playbook.record.state_folder import StateFolder, open_store
from easops.playbook.record.stored_run import refuse_closed, steps_of
from easops.playbook.steps.observer import Silent
from easops.remoting.pool import SessionPool
from easops.status import Status, worst


def reconcile(
    run_id: str,
    *,
    state: StateFolder | None = None,
    hosts: Sequence[Host] | None = None,
    observer: ProgressObserver | None = None,
) -> tuple[tuple[Change, ChangeOutcome], ...]:
    """Find out by reading what became of the changes of a dead run whose outcome is unknown. Changes nothing.

    Waits until a change that may still be carried out shows, or is over; *observer* gets a text about it. Returns
    each of these changes with its outcome. Raises BadInput for an unknown run, Refused for one that is alive.
    """
    with (
        open_store(state) as (store, state),
        locked_run(store, state, run_id) as (run, _),
        world_of(run, hosts, state) as (run_hosts, clock),
    ):
        return reconcile_run(run, store, run_hosts, clock, observer)


def abandon(
    run_id: str,
    *,
    state: StateFolder | None = None,
    hosts: Sequence[Host] | None = None,
    observer: ProgressObserver | None = None,
) -> tuple[tuple[Change, ChangeOutcome], ...]:
    """Reconcile a run that died or has unfinished steps, then close it and release its targets. It cannot be resumed.

    Returns as ``reconcile``. Raises BadInput for an unknown run, Refused for one that is alive, closed or finished.
    """
    with open_store(state) as (store, state), locked_run(store, state, run_id) as (run, _):
        refuse_closed(run)
        if run.ended is not None and not run.unfinished and run.status != Status.UNKNOWN:
            raise Refused(
                f"run {run.run_id} has ended and has no unfinished steps",
                f"its status is {run.status}",
                f"there is nothing to abandon; easops undo {run.run_id} puts back what it changed",
                rule="nothing to abandon",
            )
        with world_of(run, hosts, state) as (run_hosts, clock):
            found = reconcile_run(run, store, run_hosts, clock, observer)
        abandon_run(run, store, state, DBOS_ENGINE)
        return found


def reconcile_run(
    run: Run,
    store: RunRecord,
    hosts: Sequence[Host],
    clock: Clock,
    observer: ProgressObserver | None = None,
    sessions: SessionPool | None = None,
) -> tuple[tuple[Change, ChangeOutcome], ...]:
    """As ``reconcile``, for a run whose lock is held and whose hosts are known."""
    with context_of(run, store, hosts, clock, observer or Silent(), sessions) as context:
        found = settle_changes(run, store, context)
    if run.ended is not None and run.status == Status.UNKNOWN and found:
        # It ended as unknown because of these changes. Now they are known, so its status is that of its worst step.
        rest = [step.status for step in steps_of(run, store) if step.status is not Status.UNKNOWN]
        store.update(run.run_id, status=worst([*rest, *(outcome.status for _, outcome in found)]))
    return found


def abandon_run(run: Run, store: RunRecord, state: StateFolder, engine: Engine) -> None:
    """Close a run that no process executes, and release its targets."""
    engine.cancel(state, run.attempt_ids)
    store.update(run.run_id, closed="abandoned", unfinished=False)
