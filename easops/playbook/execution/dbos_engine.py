"""The engine: the durable execution of a run by DBOS.

A run is a workflow that interprets the steps. Each target that is to be changed is a child workflow. Each DBOS step has
a plain JSON value, never an exception, and is named after what it does: a replay that no longer fits raises an error,
and does not take the value of another step.
Source: docs/explanation/playbooks.md, "The engine".
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Final

from dbos import DBOS, DBOSConfig, SetWorkflowID, WorkflowHandle

from easops.at_once import AtOnce, at_once
from easops.playbook.execution import execution as process
from easops.playbook.execution import waits
from easops.playbook.execution.dbos_journal import QUEUE, interpret_attempt, result_of
from easops.playbook.execution.execution import Execution, one_run_per_process
from easops.playbook.execution.journal import PROTOCOL
from easops.playbook.execution.json_serializer import JsonSerializer
from easops.playbook.execution.maintenance import cancel, check_engine, prune, version_of
from easops.playbook.execution.supervision import wait_for_end
from easops.playbook.execution.waits import Waits
from easops.playbook.record.database import asked_by_engine
from easops.playbook.record.run import new_run_id
from easops.playbook.record.run_record import RunRecord
from easops.playbook.record.state_folder import StateFolder

_QUEUE_POLL: Final = 0.25
"""Seconds between two looks into the queue, and so until a child workflow begins. Each look is a transaction."""


def execute(execution: Execution) -> None:
    """Execute the workflow of the run's attempt to its end: begin it, or continue it after its process died.

    To be called within ``one_run_per_process``. Raises Interrupted if the run was stopped (``execution.stop``), or if
    its lock or its database is gone; before that a write in flight gets ``waits.finish`` seconds to end.
    """
    process.begin(execution)
    try:
        handle = _launched(execution)
        wait_for_end(execution, lambda: result_of(execution, handle))
    except BaseException as error:
        if not isinstance(error, Exception):
            # Threads of the run may still be at work: they are to stop, and DBOS stays until the process ends.
            execution.stop.set()
            raise
        _shut_down()
        raise
    _shut_down()


def _launched(execution: Execution) -> WorkflowHandle[str]:
    """The workflow of the run's attempt, begun or continued. Raises DatabaseAway, DatabaseUnusable, BadInput."""
    with asked_by_engine(execution.state.database_url):
        DBOS(config=_config(execution))
        DBOS.launch()
        DBOS.register_queue(QUEUE, polling_interval_sec=_QUEUE_POLL, on_conflict="always_update")
        if DBOS.list_workflows(workflow_ids=[execution.attempt_id]):
            return DBOS.retrieve_workflow(execution.attempt_id)
        with SetWorkflowID(execution.attempt_id):
            return DBOS.start_workflow(interpret_attempt, execution.attempt_id)


def _shut_down() -> None:
    DBOS.destroy()
    process.end()


def _config(execution: Execution) -> DBOSConfig:
    log = logging.getLogger("dbos")
    log.setLevel(logging.CRITICAL)
    for handler in list(log.handlers):
        # DBOS flushes the handler of an earlier run once more, whose standard error may be closed by now.
        if getattr(getattr(handler, "stream", None), "closed", False):
            log.removeHandler(handler)
    return DBOSConfig(
        name="easops",
        system_database_url=execution.state.database_url,
        application_version=version_of(PROTOCOL, execution.run_id),
        executor_id=execution.run_id,
        serializer=JsonSerializer(),
        log_level="CRITICAL",
        # DBOS.destroy() waits for a thread that sleeps this long (1 s by default) and asks the database nothing here.
        notification_listener_polling_interval_sec=0.05,
    )


class DbosEngine:
    """The ``Engine`` of the product. A process executes one run at a time."""

    @property
    def waits(self) -> Waits:
        return waits.WAITS

    @property
    def at_once(self) -> AtOnce:
        return at_once

    def new_run_id(self) -> str:
        return new_run_id()

    def reserved(self) -> AbstractContextManager[None]:
        return one_run_per_process()

    def check(self, state: StateFolder) -> None:
        check_engine(state)

    def execute(self, execution: Execution) -> None:
        execute(execution)

    def cancel(self, state: StateFolder, attempt_ids: Sequence[str]) -> None:
        cancel(state, attempt_ids)

    def prune(self, store: RunRecord, state: StateFolder) -> None:
        prune(store, state)


DBOS_ENGINE: Final = DbosEngine()
