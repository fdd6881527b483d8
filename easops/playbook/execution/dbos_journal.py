"""The journal of the product: workflows of DBOS.

An attempt is a workflow, and each child of it that changes a target is one. All children are in one queue, each with
its target as the deduplication id. DBOS takes an id into a queue once at a time, whichever run or machine enqueues it:
that is the claim, and it lasts as long as the workflow.
"""

from __future__ import annotations

import contextvars
import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from dbos import DBOS, SetEnqueueOptions, SetWorkflowID, WorkflowHandle

from easops.playbook.execution.apply_changes import apply_job
from easops.playbook.execution.durable_changes import DurableChanges
from easops.playbook.execution.durable_effects import DurableEffects
from easops.playbook.execution.execution import Execution, current
from easops.playbook.record.database import DATABASE_GONE, asked_by_engine
from easops.playbook.steps.codec import Json, from_json, to_json
from easops.playbook.steps.effects import Job

QUEUE: Final = "targets"

_WORKING: Final = ("PENDING", "ENQUEUED", "DELAYED")
_RESULT_POLL: Final = 0.02
"""Seconds between two looks for the result of a workflow that has returned: DBOS commits it a moment later."""


class DbosJournal:
    """The ``Journal`` of the workflow that calls it."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        self._begun: dict[str, WorkflowHandle[Json]] = {}

    def step(self, name: str, call: Callable[[], Json]) -> Json:
        with _ending_without_database(self._execution):
            return DBOS.run_step({"name": name}, call)

    def begin(self, child_id: str, target: str, job: Json) -> str:
        with (
            _ending_without_database(self._execution),
            SetWorkflowID(child_id),
            SetEnqueueOptions(deduplication_id=target, duplication_policy="return-existing"),
        ):
            handle = DBOS.enqueue_workflow(QUEUE, change_target, job)
        self._begun[handle.workflow_id] = handle
        return handle.workflow_id

    def result(self, child_id: str) -> Json:
        with _ending_without_database(self._execution):
            return result_of(self._execution, self._begun[child_id])


@contextmanager
def _ending_without_database(execution: Execution) -> Iterator[None]:
    """Around what the engine records: where it cannot, the run stops here, as DBOS could not even record that."""
    try:
        with asked_by_engine(execution.state.database_url):
            yield
    except DATABASE_GONE as error:
        execution.give_up(error)


@DBOS.workflow(name="easops.run")
def interpret_attempt(attempt_id: str) -> str:
    execution = current()
    with _signalling_end(execution):
        execution.main(DurableEffects(execution, DbosJournal(execution)))
    return attempt_id


@DBOS.workflow(name="easops.target")
def change_target(job: Json) -> Json:
    execution, job_ = current(), from_json(job, Job)
    with _signalling_end(execution):
        return to_json(apply_job(job_, DurableChanges(execution, DbosJournal(execution), job_.until)))


@contextmanager
def _signalling_end(execution: Execution) -> Iterator[None]:
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
