"""What is recorded of a run: the results of its steps, and its changes."""

from __future__ import annotations

from easops.actions.change import Change, ChangeOutcome
from easops.errors import Refused
from easops.playbook.record.run import Run
from easops.playbook.record.run_record import RunRecord
from easops.playbook.steps.codec import from_json
from easops.playbook.steps.step_result import StepResult


def steps_of(run: Run, store: RunRecord) -> tuple[StepResult, ...]:
    """The results of its steps, in the order of the playbook."""
    steps = [from_json(entry.body, StepResult) for entry in store.entries(run.run_id, "step")]
    return tuple(sorted(steps, key=lambda step: step.position or step.number))


def changes_of(run: Run, store: RunRecord) -> tuple[tuple[Change, ChangeOutcome | None], ...]:
    """Its changes in the order of their intents, each with its outcome (None: not recorded)."""
    outcomes = {entry.key: from_json(entry.body, ChangeOutcome) for entry in store.entries(run.run_id, "outcome")}
    return tuple(
        (from_json(entry.body["change"], Change), outcomes.get(entry.key))  # type: ignore[type-abstract]
        for entry in store.entries(run.run_id, "intent")
    )


def refuse_closed(run: Run) -> None:
    """Raises Refused if the run is closed."""
    if run.closed:
        raise Refused(f"run {run.run_id} is closed", run.closed, "run the playbook again", rule="closed")
