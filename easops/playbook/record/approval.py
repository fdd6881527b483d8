"""Approving what a run plans: bound to the digest of the changes, used once, for a stated time.

``approve`` and ``asked_of`` are for whoever decides; ``use_up`` is the engine's. What was decided is in the run's
record, in the order in which it was: the latest decision on a step counts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

import attrs

from easops.errors import Refused
from easops.identity import Person, this_person
from easops.playbook.record.run_store import Record, Run
from easops.playbook.record.state_folder import StateFolder
from easops.playbook.record.stored_run import locked, opened, refuse_closed, steps_of
from easops.playbook.steps.approval_request import Approval, PlannedChange, Verdict, differences, unapproved_changes
from easops.playbook.steps.codec import from_json, to_json
from easops.playbook.steps.step_result import StepResult
from easops.status import Status


@attrs.frozen
class Decision:
    """What somebody decided on the plan of an approval step. *step* is its key; *used* is the walk that has used an
    approval up, *void* why it does not stand any more; both are empty of one that stands."""

    step: str
    digest: str
    changes: tuple[PlannedChange, ...]
    approved: bool
    by: Person
    at: dt.datetime
    until: dt.datetime
    used: str = ""
    void: str = ""


@attrs.frozen
class Asked:
    """A run that awaits an approval: the step that asks, and what was decided on its plan (None: nothing yet)."""

    run: Run
    step: StepResult
    approval: Approval
    decision: Decision | None

    @property
    def status(self) -> str:
        """``awaiting_approval``, ``approved`` or ``denied``."""
        if self.decision is None:
            return str(Status.AWAITING_APPROVAL)
        return "approved" if self.decision.approved else "denied"


def asked_of(run_id: str, *, state: StateFolder | None = None, now: dt.datetime | None = None) -> Asked:
    """What the run asks an approval for. Raises BadInput (no such run), Refused (closed, or it asks for none)."""
    with opened(state) as (record, state):
        return _asked(record.get(run_id), record, now or dt.datetime.now(dt.UTC))


def approve(
    run_id: str,
    digest: str,
    *,
    deny: bool = False,
    state: StateFolder | None = None,
    now: dt.datetime | None = None,
) -> Decision:
    """Approve the planned changes of a run that have this *digest* (``asked_of`` tells it), or *deny* them.

    An approval stands for the step's ``expires`` from *now* (aware; default the time it is), and lets one walk of the
    run make these changes, on ``resume``; it sends nothing. A denial is final for that run.

    Raises BadInput (no such run); Refused where the run is alive or closed, asks for nothing, or for other changes than
    these, where the wish has expired, was decided already, or where it takes somebody else.
    """
    now = now or dt.datetime.now(dt.UTC)
    with opened(state) as (record, state), locked(record, state, run_id) as (held, _):
        asked = _asked(held, record, now)
        me = this_person()
        _refuse(asked, me, digest.strip().lower(), deny, now)
        until = now + asked.approval.expires
        decision = Decision(asked.step.key, asked.approval.digest, asked.approval.changes, not deny, me, now, until)
        _write(record, held.run_id, len(_decisions(record, held.run_id)), decision)
        return decision


def refuse_denied(held: Run, record: Record) -> None:
    """Raises Refused where what the run asks for was denied."""
    step = _asking(steps_of(held, record))
    decision = None if step is None else _latest(record, held.run_id, step)
    if decision is not None and not decision.approved:
        raise Refused(
            f"what run {held.run_id} plans was denied",
            f"by {decision.by}, {decision.at:%Y-%m-%d %H:%M}Z",
            f"easops runs abandon {held.run_id} closes it",
            rule="denied",
        )


def look_up(held: Run, record: Record, steps: Sequence[StepResult]) -> Asked | None:
    """What a recorded run asks an approval for; None where it does not."""
    step = _asking(steps)
    if step is None or step.approval is None or held.closed or held.ended is None:
        return None
    decision = _latest(record, held.run_id, step)
    return Asked(held, step, step.approval, decision)


def use_up(record: Record, held: Run, walk_id: str, step: str, asked: Approval, now: dt.datetime) -> Verdict:
    """Use up, for the walk *walk_id*, the approval of what the step of that key asks for.

    Asked again for the same walk, as after a kill, the answer is the same. What does not stand is recorded as void. One
    that an earlier walk has used up still stands for what that left (``_left_of``).
    """
    verdict = Verdict(now + asked.expires, _requesters(held, record))
    found = [(at, held) for at, held in enumerate(_decisions(record, held.run_id)) if held.step == step]
    if not found:
        return verdict
    at, latest = found[-1]
    if not latest.approved or latest.void:
        return verdict
    if latest.used not in ("", walk_id):
        if now < latest.until and _left_of(latest, asked, steps_of(held, record)):
            return attrs.evolve(verdict, until=latest.until, approved_by=latest.by)
        return verdict
    void = ""
    if latest.digest != asked.digest:
        void = f"the plan has changed: {differences(asked.changes, latest.changes) or 'it makes a change twice'}"
    elif now >= latest.until and not latest.used:
        void = f"it expired {latest.until:%Y-%m-%d %H:%M}Z"
    if void:
        _write(record, held.run_id, at, attrs.evolve(latest, void=void))
        return attrs.evolve(verdict, void=f"the approval of {latest.by} is void: {void}")
    _write(record, held.run_id, at, attrs.evolve(latest, used=walk_id))
    return attrs.evolve(verdict, until=latest.until, approved_by=latest.by)


def _left_of(latest: Decision, asked: Approval, steps: Sequence[StepResult]) -> bool:
    """Whether what is asked for is a rest of what was approved, as a walk asks that begins again before the approval:
    nothing that was made, and has been put back since, and nothing where a plan was refused as another.
    """
    made = {(step.number, step.host, item.item) for step in steps for item in step.items if item.touched}
    again = any((change.step, change.host, change.item) in made for change in asked.changes)
    return not (again or unapproved_changes(asked.changes, latest.changes) or any(step.unapproved for step in steps))


def lapsed(steps: Sequence[StepResult], now: dt.datetime) -> str:
    """The key of the approval step that a later walk has to ask at again, as its approval does not cover what is left:
    it has expired, or something behind it was planned otherwise. Empty where there is none."""
    last: StepResult | None = None
    for step in steps:
        if step.status not in _DONE:
            if last is None or last.approval is None or step.kind == "approval":
                return ""
            gone = last.approval.until is not None and now >= last.approval.until
            return last.key if gone or any(held.unapproved for held in steps) else ""
        if step.approval is not None:
            last = step
    return ""


_DONE: Final = (Status.OK, Status.CHANGED, Status.SKIPPED)


def _asked(held: Run, record: Record, now: dt.datetime) -> Asked:
    refuse_closed(held)
    asked = look_up(held, record, steps_of(held, record))
    if asked is None:
        raise Refused(
            f"run {held.run_id} asks for no approval",
            f"its status is {held.status}" if held.ended is not None else "it has not ended",
            f"easops runs show {held.run_id} tells how far it is",
            rule="nothing to approve",
        )
    decision = asked.decision
    if decision is not None and decision.approved and now >= decision.until:
        return attrs.evolve(asked, decision=None)
    return asked


def _refuse(asked: Asked, me: Person, digest: str, deny: bool, now: dt.datetime) -> None:
    run_id, approval, decision = asked.run.run_id, asked.approval, asked.decision
    if decision is not None and (not decision.approved or not deny):
        verb, rest = ("approved", "resume") if decision.approved else ("denied", "abandon")
        raise Refused(
            f"what run {run_id} plans was {verb} already",
            f"by {decision.by}, {decision.at:%Y-%m-%d %H:%M}Z",
            f"type easops runs {rest} {run_id}",
            rule=verb,
        )
    if digest != approval.digest:
        raise Refused(
            f"run {run_id} does not plan what you decided on",
            f"its planned changes have the digest {approval.digest}, not {digest}",
            f"easops approve {run_id} shows them",
            rule="digest",
        )
    if deny:
        return
    if approval.until is not None and now >= approval.until:
        raise Refused(
            f"run {run_id} no longer waits for this approval",
            f"it was to be given until {approval.until:%Y-%m-%d %H:%M}Z; what it planned may be different now",
            f"easops runs resume {run_id} plans anew, and asks again",
            rule="expired",
        )
    if approval.by == "somebody_else":
        same = next((person for person in approval.asked_by if me.is_perhaps(person)), None)
        if same is not None:
            raise Refused(
                f"run {run_id} takes the approval of somebody else",
                f"{same} started or resumed it, and you are {me}",
                f"have a colleague type easops approve {run_id}",
                rule="somebody else",
            )


def _asking(steps: Sequence[StepResult]) -> StepResult | None:
    return next((step for step in steps if step.status is Status.AWAITING_APPROVAL), None)


def _latest(record: Record, run_id: str, step: StepResult) -> Decision | None:
    """The latest decision on what the step asks for now, where it still counts."""
    digest = None if step.approval is None else step.approval.digest
    mine = [held for held in _decisions(record, run_id) if held.step == step.key]
    latest = mine[-1] if mine else None
    stands = latest is not None and latest.digest == digest and not latest.used and not latest.void
    return latest if stands else None


def _requesters(held: Run, record: Record) -> tuple[Person, ...]:
    """Who started the run, and who resumed it since."""
    document = held.document
    started = Person(document["by"], document["machine"], document.get("logins", {}))
    resumed = [from_json(entry.body, Person) for entry in record.entries(held.run_id, "resumed")]
    return tuple({str(person): person for person in (started, *resumed)}.values())


def _decisions(record: Record, run_id: str) -> list[Decision]:
    return [from_json(entry.body, Decision) for entry in record.entries(run_id, "approval")]


def _write(record: Record, run_id: str, number: int, decision: Decision) -> None:
    record.write(run_id, "approval", str(number), to_json(decision))
