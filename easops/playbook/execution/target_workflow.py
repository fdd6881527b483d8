"""The workflow that changes one target, a child of the run's workflow, and the claim on the target.

All these workflows are in one queue, each with its target as the deduplication id. DBOS takes an id into a queue once
at a time, whichever run or machine enqueues it: that is the claim, and it lasts as long as the workflow.
"""

from __future__ import annotations

import contextvars
import functools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from dbos import DBOS, SetEnqueueOptions, SetWorkflowID, WorkflowHandle

from easops.actions.outcome import ItemOutcome
from easops.clock import Waiting
from easops.playbook.assessment.open_run import settling_commands
from easops.playbook.execution.apply_changes import apply_job
from easops.playbook.execution.durable_changes import DurableChanges
from easops.playbook.execution.durable_step import durable_step
from easops.playbook.execution.execution import Execution, current
from easops.playbook.record.liveness import liveness_of
from easops.playbook.record.run_view import view_of
from easops.playbook.steps.codec import Json, from_json, to_json
from easops.playbook.steps.effects import Job
from easops.status import Status

QUEUE: Final = "targets"

_LONG_WAIT: Final = 86_400.0
"""A limit of this many seconds or more is not shown: somebody watches the run, and stops it."""

_ASK_AGAIN: Final = "ask again"
"""A recorded value, so it stays."""

_WORKING: Final = ("PENDING", "ENQUEUED", "DELAYED")
_RESULT_POLL: Final = 0.02
"""Seconds between two looks for the result of a workflow that has returned: DBOS commits it a moment later."""


@DBOS.workflow(name="easops.target")
def change_target(job: Json) -> Json:
    execution, job_ = current(), from_json(job, Job)
    with signalling_end(execution):
        return to_json(apply_job(job_, DurableChanges(execution, job_.until)))


@contextmanager
def signalling_end(execution: Execution) -> Iterator[None]:
    """Around a workflow, in it: tells whoever waits for its result (``result_of``) that it has one.

    After an Interrupted there is none: DBOS has nothing to record, and the workflow is continued when the run is.
    """
    workflow_id = DBOS.workflow_id
    assert workflow_id is not None
    try:
        yield
    except Exception:
        execution.end_of(workflow_id).set()
        raise
    execution.end_of(workflow_id).set()


def claim(execution: Execution, job: Job) -> WorkflowHandle[Json] | tuple[ItemOutcome, ...]:
    """The workflow of *job*, once its target is claimed for this run. If another run keeps the target, the items of the
    job, refused."""
    child_id = f"{execution.attempt_id}.{job.key}.{job.target}"
    began = time.monotonic()
    attempt = 0
    while True:
        execution.at_boundary()
        with (
            SetWorkflowID(child_id),
            SetEnqueueOptions(deduplication_id=job.target, duplication_policy="return-existing"),
        ):
            handle = DBOS.enqueue_workflow(QUEUE, change_target, to_json(job))
        if handle.workflow_id == child_id:
            return handle
        holder = handle.workflow_id.partition(".")[0]
        waited = time.monotonic() - began
        # Recorded, so that a replay refuses or waits as this attempt does.
        answer = durable_step(f"{child_id}.claim.{attempt}", functools.partial(claim_answer, execution, holder, waited))
        if answer != _ASK_AGAIN:
            return tuple(_refused(job, answer, number) for number in range(len(job.plans)))
        limit = execution.wait.total_seconds()
        text = f"waiting for run {holder}, which is changing {job.target}"
        execution.observer.progress(Waiting(text, waited, limit if limit < _LONG_WAIT else None))
        time.sleep(execution.waits.claim)
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


def outcomes_of(execution: Execution, handle: WorkflowHandle[Json]) -> tuple[ItemOutcome, ...]:
    """The outcomes of a job's items, once its workflow has ended."""
    return from_json(result_of(execution, handle), tuple[ItemOutcome, ...])


def result_of(execution: Execution, handle: WorkflowHandle[Any]) -> Any:
    """The result of a workflow that this process executes, or that an earlier one finished.

    Its end is signalled inside this process. DBOS could only poll the database for it: at an interval that is short
    enough, that costs 5 % of a core for as long as the run waits. The database is looked at seldom, for a workflow
    that an earlier process finished, or that DBOS could not begin here.
    """
    ended = execution.end_of(handle.workflow_id)
    while not ended.is_set() and _is_working(handle.workflow_id):
        ended.wait(execution.waits.database)
    return handle.get_result(polling_interval_sec=_RESULT_POLL)


def _is_working(workflow_id: str) -> bool:
    # In an empty context, outside of the workflow that asks: in it, DBOS would record the question as a step.
    found = contextvars.Context().run(
        functools.partial(DBOS.list_workflows, workflow_ids=[workflow_id], load_input=False, load_output=False)
    )
    return bool(found) and found[0].status in _WORKING


def _refused(job: Job, reason: str, number: int) -> ItemOutcome:
    plan = job.plans[number]
    return ItemOutcome(plan.item, job.target, Status.REFUSED, reason, plan.before, plan.after, undo=plan.undo)
