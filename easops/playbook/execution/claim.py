"""The claim on a target: only one run at a time changes a host, or the organisation."""

from __future__ import annotations

import functools
from typing import Final

from easops.actions.outcome import ItemOutcome
from easops.clock import Waiting
from easops.playbook.assessment.open_run import settling_commands
from easops.playbook.execution.durable_step import durable_step
from easops.playbook.execution.execution import Execution
from easops.playbook.execution.journal import Journal
from easops.playbook.record.liveness import liveness_of
from easops.playbook.record.run_view import view_of
from easops.playbook.steps.codec import to_json
from easops.playbook.steps.effects import Job
from easops.status import Status

_LONG_WAIT: Final = 86_400.0
"""A limit of this many seconds or more is not shown: somebody watches the run, and stops it."""

_ASK_AGAIN: Final = "ask again"
"""A recorded value, so it stays."""


def claim(execution: Execution, journal: Journal, job: Job) -> str | tuple[ItemOutcome, ...]:
    """The id of the child that does *job*, once its target is claimed for this run. If another run keeps the target,
    the items of the job, refused."""
    child_id = f"{execution.attempt_id}.{job.key}.{job.target}"
    waits = execution.waits
    began = waits.monotonic()
    attempt = 0
    while True:
        execution.at_boundary()
        claimed_by = journal.begin(child_id, job.target, to_json(job))
        if claimed_by == child_id:
            return child_id
        holder = claimed_by.partition(".")[0]
        waited = waits.monotonic() - began
        # Recorded, so that a replay refuses or waits as this attempt does.
        ask = functools.partial(claim_answer, execution, holder, waited)
        answer = durable_step(execution, journal, f"{child_id}.claim.{attempt}", ask)
        if answer != _ASK_AGAIN:
            return tuple(_refused(job, answer, number) for number in range(len(job.plans)))
        limit = execution.wait.total_seconds()
        text = f"waiting for run {holder}, which is changing {job.target}"
        execution.observer.progress(Waiting(text, waited, limit if limit < _LONG_WAIT else None))
        waits.sleep(waits.claim)
        attempt += 1


def claim_answer(execution: Execution, holder: str, waited: float) -> str:
    """Whether to ask again for a target that the run *holder* has claimed, after *waited* seconds; or why not."""
    run, alive = liveness_of(execution.store.get(holder), execution.store, execution.state)
    if run.ended is None and not run.closed and not alive:
        commands = [command.command for command in settling_commands(view_of(run, execution.store))]
        return f"claimed by run {holder}, whose process ended unexpectedly: {', or '.join(commands)}"
    if waited > execution.wait.total_seconds():
        return f"claimed by run {holder}, which is still working after {waited:.0f} s"
    return _ASK_AGAIN


def _refused(job: Job, reason: str, number: int) -> ItemOutcome:
    plan = job.plans[number]
    return ItemOutcome(plan.item, job.target, Status.REFUSED, reason, plan.before, plan.after, undo=plan.undo)
