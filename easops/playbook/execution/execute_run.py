"""Executing an attempt of a recorded run: to its end, or until it is stopped; and recording that end."""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib.metadata
from collections.abc import Callable, Sequence

import attrs

from easops.clock import Clock
from easops.context import Context
from easops.errors import EasopsError
from easops.identity import this_person
from easops.inventory.host import Host
from easops.playbook.assessment.ending import Ending
from easops.playbook.assessment.run_report import RunReport, report_of
from easops.playbook.execution.error_status import status_of
from easops.playbook.execution.execution import Execution
from easops.playbook.execution.interrupted import Interrupted
from easops.playbook.execution.journal import PROTOCOL
from easops.playbook.execution.run_options import RunOptions
from easops.playbook.execution.world import context_of, time_of_run
from easops.playbook.record.database import DATABASE_GONE
from easops.playbook.record.notice_ledger import Moment, NoticeLedger
from easops.playbook.record.run import Run
from easops.playbook.record.run_lock import RunLock
from easops.playbook.record.run_record import RunRecord
from easops.playbook.record.run_view import view_of
from easops.playbook.record.sending import clock_name
from easops.playbook.record.state_folder import StateFolder
from easops.playbook.record.stored_run import steps_of
from easops.playbook.steps.codec import Json
from easops.playbook.steps.effects import Effects
from easops.playbook.steps.step_result import run_status
from easops.playbook.steps.unfinished import has_unfinished_steps
from easops.status import Severity, Status, severity


def recorded_origin() -> dict[str, Json]:
    """What a run's document says of who made it, where, and with which easops."""
    me = this_person()
    return {
        "protocol": PROTOCOL,
        "version": importlib.metadata.version("easops"),
        "by": me.user,
        "machine": me.machine,
        "logins": dict(me.logins),
    }


def execute_run(
    run: Run,
    attempt_id: str,
    main: Callable[[Context, Effects], None],
    store: RunRecord,
    state: StateFolder,
    lock: RunLock,
    hosts: Sequence[Host],
    clock: Clock,
    options: RunOptions,
) -> RunReport:
    """Execute the attempt *attempt_id* of a run, whose steps *main* interprets; record its end, and have it announced.

    Raises Interrupted, and the EasopsError that prevented its first step. What the steps met is in the report.
    """
    problems: list[EasopsError] = []
    with context_of(run, store, hosts, clock, options.observer, options.sessions, options.engine.at_once) as context:

        def interpret(effects: Effects) -> None:
            try:
                main(context, effects)
            except DATABASE_GONE as error:
                execution.give_up(error)
            except EasopsError as error:  # kept as a value: no exception may end the workflow
                problems.append(error)

        execution = Execution(
            run.run_id,
            attempt_id,
            store,
            state,
            lock,
            context,
            options.observer,
            options.confirm,
            options.wait,
            interpret,
            clock_name(run.lab),
            options.engine.waits,
        )
        options.stopper(execution.stop.set)
        try:
            options.engine.execute(execution)
        except Interrupted as stop:
            # Otherwise the database is away, or another process may execute the run: it has not ended.
            if stop.why is None and stop.unmarked is None and options.announcer is not None:
                with contextlib.suppress(Exception):  # it must not hide that the run was stopped
                    _announce(run, store, options, "stopped")
            raise
    _record_end(run, store, time_of_run(run.lab, clock), problems[0] if problems else None)
    if problems:
        with contextlib.suppress(Exception):  # it must not hide the problem
            _announce(run, store, options, "end", problems[0])
        raise problems[0]
    if run.kind == "undo":
        _close_undone(run, report_of(view_of(store.get(run.run_id), store)), store)
    return _announce(run, store, options, "end")


def _record_end(run: Run, store: RunRecord, ended: dt.datetime, problem: EasopsError | None) -> None:
    steps = steps_of(run, store)
    unfinished = has_unfinished_steps(steps)
    if problem is None:
        store.end(run.run_id, run_status(steps), ended, unfinished=unfinished)
    else:
        # This attempt did not come to a step: what earlier attempts came to, and left unfinished, is still so.
        status = run_status(steps) if run.attempts > 1 else status_of(problem)
        store.end(run.run_id, status, ended, unfinished=run.unfinished or unfinished)


def _announce(
    run: Run, store: RunRecord, options: RunOptions, moment: Moment, problem: EasopsError | None = None
) -> RunReport:
    """The report of a run that has ended, or was stopped, with the notices of that."""
    ended_run = store.get(run.run_id)
    report = report_of(view_of(ended_run, store), stopped=moment == "stopped", problem=problem)
    if options.announcer is None:
        return report
    ledger = NoticeLedger(store, ended_run, moment)
    notices = options.announcer.announce(Ending(report), ledger, options.observer.progress)
    return attrs.evolve(report, notices=notices)


def _close_undone(undo: Run, report: RunReport, store: RunRecord) -> None:
    """Close the run that *undo* has put back whole.

    If an undo moved to another domain controller (its document's ``moved``), what that one shows as it was before may
    be what it has not replicated yet. Then the run stays open, and can be undone again.
    """
    moved = bool(undo.document.get("moved"))
    not_sure = moved and any(item.status is Status.OK for step in report.steps for item in step.items)
    if severity(report.status) is Severity.GOOD and not not_sure:
        closed_before = undo.document.get("closed")  # not in a record of 0.1.0
        words = f"undone by {undo.run_id}" + (f", {closed_before} before" if closed_before else "")
        store.update(undo.document["undoes"], closed=words, unfinished=False)
