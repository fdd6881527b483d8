"""Executing a recorded run to its end, and closing its record."""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib.metadata
from collections.abc import Callable, Sequence
from typing import Final

import attrs

from easops.clock import Clock
from easops.context import Context
from easops.errors import EasopsError
from easops.identity import this_person
from easops.inventory.host import Host
from easops.playbook.assessment.ending import Announcer, Ending
from easops.playbook.assessment.run_report import RunReport, report_of
from easops.playbook.execution.dbos_engine import PROTOCOL, DurableHands, Execution, execute
from easops.playbook.execution.interrupted import Interrupted
from easops.playbook.execution.world import context_of, time_of_run
from easops.playbook.record.database import DatabaseAway
from easops.playbook.record.notice_ledger import Ledger, Moment
from easops.playbook.record.run_store import Record, Run
from easops.playbook.record.run_view import view_of
from easops.playbook.record.state_folder import RunLock, StateFolder
from easops.playbook.record.stored_run import status_of, steps_of
from easops.playbook.steps.codec import Json
from easops.playbook.steps.effects import Preview
from easops.playbook.steps.observer import Observer, Silent
from easops.playbook.steps.step_result import StepResult, run_status
from easops.remoting.pool import SessionPool
from easops.status import EXIT_CODES, Status

Confirm = Callable[[Preview], bool] | bool
"""Who confirms a run's changes, before the first: True, nobody (False), or a function that is shown what is to come."""

WAIT: Final = dt.timedelta(minutes=10)
"""How long a run waits for a target that another live run holds."""


def always(preview: Preview) -> bool:
    """Confirms everything: ``--yes``, and a run in the lab."""
    return True


class Caller:
    """The caller's own functions, an observer and who confirms. What they raise must not end a run in its middle: the
    first error is kept until the run has ended, and a confirm that raises is a no."""

    def __init__(self, observer: Observer | None, confirm: Confirm) -> None:
        self._observer = observer or Silent()
        self._confirm = confirm
        self._error: Exception | None = None

    def started(self, run_id: str | None) -> None:
        self._observer.started(run_id)  # nothing is under way yet: an error here is to keep it from beginning

    def progress(self, text: str) -> None:
        try:
            self._observer.progress(text)
        except Exception as error:
            self._error = self._error or error

    def finished(self, result: StepResult) -> None:
        try:
            self._observer.finished(result)
        except Exception as error:
            self._error = self._error or error

    def confirm(self, preview: Preview) -> bool:
        if isinstance(self._confirm, bool):
            return self._confirm
        try:
            return self._confirm(preview)
        except Exception as error:
            self._error = self._error or error
            return False

    def heard(self, report: RunReport) -> RunReport:
        """*report*, or the error that was kept: the run has ended all the same, and its record says how."""
        if self._error is None:
            return report
        if report.run_id is not None:
            told = f"run {report.run_id} has ended ({report.status}): easops runs show {report.run_id}"
            self._error.add_note(f"This is the caller's observer or confirm; {told}")
        raise self._error


@attrs.frozen
class Conduct:
    """How a run is conducted: who confirms its changes and is told how it goes on (*caller*), how long it waits for a
    target that another run holds, who may stop it (*stopper* is given a function that ends the run at its next
    boundary), the sessions that a caller keeps open (None: the run has its own), and who tells people of its end.
    *asks* is False where everything is confirmed already.
    """

    caller: Caller
    wait: dt.timedelta = WAIT
    stopper: Callable[[Callable[[], None]], None] = lambda stop: None
    sessions: SessionPool | None = None
    announcer: Announcer | None = None
    asks: bool = True

    @property
    def observer(self) -> Observer:
        return self.caller

    @property
    def confirm(self) -> Callable[[Preview], bool]:
        return self.caller.confirm if self.asks else always

    def in_lab(self, scenario: str | None) -> Conduct:
        """The same, but the lab asks nothing, and its sessions end with it."""
        return self if scenario is None else attrs.evolve(self, asks=False, sessions=None)


def made_here() -> dict[str, Json]:
    """What a record says of where, by whom and with which easops it is made."""
    me = this_person()
    return {
        "protocol": PROTOCOL,
        "version": importlib.metadata.version("easops"),
        "by": me.user,
        "machine": me.machine,
        "logins": dict(me.logins),
    }


def execute_run(
    held: Run,
    walk_id: str,
    main: Callable[[Context, DurableHands], None],
    record: Record,
    state: StateFolder,
    lock: RunLock,
    hosts: Sequence[Host],
    clock: Clock,
    conduct: Conduct,
) -> RunReport:
    """Execute the workflow *walk_id* of a run, whose steps *main* walks, close its record, and have its end announced.

    Raises what kept it from its first step; what the steps met is in the report.
    """
    problem: list[EasopsError] = []
    with context_of(held, record, hosts, clock, conduct.observer, conduct.sessions) as context:

        def walking(hands: DurableHands) -> None:
            try:
                main(context, hands)
            except DatabaseAway as error:
                execution.give_up(error)
            except EasopsError as error:  # outcomes are values: no exception may end the workflow
                problem.append(error)

        execution = Execution(
            held.run_id, walk_id, record, state, lock, context, conduct.observer, conduct.confirm, conduct.wait, walking
        )
        conduct.stopper(execution.stop.set)
        try:
            execute(execution)
        except Interrupted as stop:
            # Else the record is away, or the run is not ours.
            if stop.why is None and stop.unmarked is None and conduct.announcer is not None:
                with contextlib.suppress(Exception):  # whatever it is, what stopped the run is to be told
                    _announced(held, record, conduct, "stopped")
            raise
    ended = time_of_run(held.lab, clock)
    steps = steps_of(held, record)
    if problem:
        # What an earlier walk owes is still owed, and what it came to still stands.
        status = run_status(steps) if held.walks > 1 else status_of(problem[0])
        record.end(held.run_id, status, ended, owes=held.owes or _owes(steps))
        with contextlib.suppress(Exception):  # whatever it is, the problem is to be told
            _announced(held, record, conduct, "end", problem[0])
        raise problem[0]
    record.end(held.run_id, run_status(steps), ended, owes=_owes(steps))
    if held.kind == "undo":
        _close_undone(held, report_of(view_of(record.get(held.run_id), record)), record)
    return _announced(held, record, conduct, "end")


def _announced(
    held: Run, record: Record, conduct: Conduct, moment: Moment, problem: EasopsError | None = None
) -> RunReport:
    """The report of a run that has ended, or was stopped, with the notices of that."""
    run = record.get(held.run_id)
    report = report_of(view_of(run, record), stopped=moment == "stopped", problem=problem)
    if conduct.announcer is None:
        return report
    notices = conduct.announcer.announce(Ending(report), Ledger(record, run, moment), conduct.observer.progress)
    return attrs.evolve(report, notices=notices)


def _close_undone(undoing: Run, report: RunReport, record: Record) -> None:
    """Close the run that an undo has put back whole. What another domain controller shows as it was before may be what
    it has not learned of yet: then the run stays open, and can be undone again."""
    not_sure = bool(undoing.document.get("moved")) and any(
        item.status is Status.OK for step in report.steps for item in step.items
    )
    if EXIT_CODES[report.status] == 0 and not not_sure:
        closed = undoing.document.get("closed")  # what somebody had said of it; no key in a record of 0.1.0
        words = f"undone by {undoing.run_id}" + (f", {closed} before" if closed else "")
        record.update(undoing.document["undoes"], closed=words, owes=False)


def _owes(steps: Sequence[StepResult]) -> bool:
    """Whether a changing step is still to be done: not started because of what came before it (never because of a
    refusal, but for want of an approval), or failed after an earlier one had changed something."""
    stopper = next((step for step in steps if step.stops), None)
    if stopper is None:
        return False
    if stopper.status is Status.AWAITING_APPROVAL or stopper.unapproved:
        return True
    statuses = [stopper.status, *(item.status for item in stopper.items)]
    if max(EXIT_CODES[status] for status in statuses) <= EXIT_CODES[Status.REFUSED]:
        return False
    if any(step.status is Status.NOT_STARTED and step.kind == "do" for step in steps):
        return True
    if any(item.status is Status.NOT_STARTED for step in steps for item in step.items):
        return True
    not_done = (Status.FAILED, Status.UNREACHABLE, Status.UNKNOWN, Status.UNDETERMINED)
    earlier = any(item.touched for step in steps[: steps.index(stopper)] for item in step.items)
    return earlier and stopper.kind == "do" and any(item.status in not_done for item in stopper.items)
