"""Using an approval: the attempt that makes the approved changes uses it up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import attrs

from easops.identity import Person
from easops.playbook.record.decision import Decision, decisions_of, write_decision
from easops.playbook.record.run import Run
from easops.playbook.record.run_record import RunRecord
from easops.playbook.record.stored_run import steps_of
from easops.playbook.steps.approval_request import Approval, Verdict, differences, unapproved_changes
from easops.playbook.steps.codec import from_json
from easops.playbook.steps.step_result import StepResult
from easops.status import FINISHED_WELL


def use_up(store: RunRecord, run: Run, attempt_id: str, step: str, request: Approval, now: dt.datetime) -> Verdict:
    """Use the approval of what the step of that key asks for, in the attempt *attempt_id*.

    If the same attempt asks again, as after a kill, the answer is the same. An approval that is not valid is recorded
    as void. One that an earlier attempt used is still valid for what that attempt left to do (``_is_rest``).
    """
    verdict = Verdict(now + request.expires, _requesters(run, store))
    decisions = list(enumerate(decisions_of(store, run.run_id)))
    of_step = [(number, decision) for number, decision in decisions if decision.step == step]
    if not of_step:
        return verdict
    number, latest = of_step[-1]
    if not latest.approved or latest.void:
        return verdict
    if latest.used not in ("", attempt_id):
        if now < latest.until and _is_rest(request, latest, steps_of(run, store)):
            return attrs.evolve(verdict, until=latest.until, approved_by=latest.by)
        return verdict
    void = ""
    if latest.digest != request.digest:
        # The digest differs also if the same change is planned twice, which the words do not show.
        void = f"the plan has changed: {differences(request.changes, latest.changes) or 'it makes a change twice'}"
    elif now >= latest.until and not latest.used:
        void = f"it expired {latest.until:%Y-%m-%d %H:%M}Z"
    if void:
        write_decision(store, run.run_id, number, attrs.evolve(latest, void=void))
        return attrs.evolve(verdict, void=f"the approval of {latest.by} is void: {void}")
    write_decision(store, run.run_id, number, attrs.evolve(latest, used=attempt_id))
    return attrs.evolve(verdict, until=latest.until, approved_by=latest.by)


def lapsed(steps: Sequence[StepResult], now: dt.datetime) -> str:
    """The key of the approval step that a new attempt has to do again; empty if there is none.

    That is the last approval before the first unfinished step. It no longer covers what is left if it has expired, or
    if a later step planned something that was not approved.
    """
    last: StepResult | None = None
    for step in steps:
        if step.status not in FINISHED_WELL:
            if last is None or last.approval is None or step.kind == "approval":
                return ""
            expired = last.approval.until is not None and now >= last.approval.until
            return last.key if expired or any(result.unapproved for result in steps) else ""
        if step.approval is not None:
            last = step
    return ""


def _is_rest(request: Approval, used: Decision, steps: Sequence[StepResult]) -> bool:
    """Whether an attempt that begins again before the approval step asks only for the rest of what was approved.

    It is not so if it asks for a change that was made already: somebody has put it back since, and has a reason. Nor if
    a step planned something that was not approved.
    """
    changed = {(step.number, step.host, item.item) for step in steps for item in step.items if item.touched}
    again = any((change.step, change.host, change.item) in changed for change in request.changes)
    other = unapproved_changes(request.changes, used.changes) or any(step.unapproved for step in steps)
    return not (again or other)


def _requesters(run: Run, store: RunRecord) -> tuple[Person, ...]:
    """Who started the run, and who has resumed it since."""
    document = run.document
    started = Person(document["by"], document["machine"], document.get("logins", {}))
    resumed = [from_json(entry.body, Person) for entry in store.entries(run.run_id, "resumed")]
    return tuple({str(person): person for person in (started, *resumed)}.values())
