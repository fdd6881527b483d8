"""Reconciling a dead run: finding out by reading what it did, and closing it for good."""

from __future__ import annotations

from collections.abc import Sequence

from easops.actions.change import Change, ChangeOutcome
from easops.actions.perform import settle
from easops.clock import Clock
from easops.errors import Refused
from easops.inventory.host import Host
from easops.playbook.execution.maintenance import cancel
from easops.playbook.execution.world import context_of, world_of
from easops.playbook.record.run_store import Record, Run
from easops.playbook.record.state_folder import StateFolder
from easops.playbook.record.stored_run import locked, opened, refuse_closed, steps_of
from easops.playbook.steps.codec import from_json, to_json
from easops.playbook.steps.observer import Silent
from easops.status import Status, worst


def reconcile(
    run_id: str, *, state: StateFolder | None = None, hosts: Sequence[Host] | None = None
) -> tuple[tuple[Change, ChangeOutcome], ...]:
    """Find out by reading what became of the changes of a dead run whose outcome is unknown. Changes nothing.

    Returns each of these changes with its outcome. Raises BadInput for an unknown run, Refused for one that is alive.
    """
    with (
        opened(state) as (record, state),
        locked(record, state, run_id) as (held, _),
        world_of(held, hosts, state) as (known, clock),
    ):
        return reconcile_run(held, record, known, clock)


def abandon(
    run_id: str, *, state: StateFolder | None = None, hosts: Sequence[Host] | None = None
) -> tuple[tuple[Change, ChangeOutcome], ...]:
    """Reconcile a run that died or has unfinished steps, then close it and release its targets. It cannot be resumed.

    Returns as ``reconcile``. Raises BadInput for an unknown run, Refused for one that is alive, closed or finished.
    """
    with opened(state) as (record, state), locked(record, state, run_id) as (held, _):
        refuse_closed(held)
        if held.ended is not None and not held.owes and held.status != Status.UNKNOWN:
            raise Refused(
                f"run {held.run_id} has ended and has no unfinished steps",
                f"its status is {held.status}",
                f"there is nothing to abandon; easops undo {held.run_id} puts back what it changed",
                rule="nothing to abandon",
            )
        with world_of(held, hosts, state) as (known, clock):
            found = reconcile_run(held, record, known, clock)
        abandon_run(held, record, state)
        return found


def reconcile_run(
    held: Run, record: Record, hosts: Sequence[Host], clock: Clock
) -> tuple[tuple[Change, ChangeOutcome], ...]:
    known = {entry.key: from_json(entry.body, ChangeOutcome) for entry in record.entries(held.run_id, "outcome")}
    found: list[tuple[Change, ChangeOutcome]] = []
    with context_of(held, record, hosts, clock, Silent()) as context:
        for entry in record.entries(held.run_id, "intent"):
            outcome = known.get(entry.key)
            if outcome is None or outcome.status is Status.UNKNOWN:
                change = from_json(entry.body["change"], Change)  # type: ignore[type-abstract]
                settled = settle(change, context)
                record.write(held.run_id, "outcome", entry.key, to_json(settled))
                found.append((change, settled))
    if held.ended is not None and held.status == Status.UNKNOWN and found:
        rest = [step.status for step in steps_of(held, record) if step.status is not Status.UNKNOWN]
        record.update(held.run_id, status=worst([*rest, *(outcome.status for _, outcome in found)]))
    return tuple(found)


def abandon_run(held: Run, record: Record, state: StateFolder) -> None:
    cancel(state, held.walk_ids)
    record.update(held.run_id, closed="abandoned", owes=False)
