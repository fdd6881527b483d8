"""Approving what a run plans to change.

An approval is bound to the digest of the changes, is valid for a stated time, and is used once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import attrs

from easops.errors import Refused
from easops.identity import Person, this_person
from easops.playbook.record.decision import Decision, decisions_of, write_decision
from easops.playbook.record.liveness import locked_run
from easops.playbook.record.run import Run
from easops.playbook.record.run_record import RunRecord
from easops.playbook.record.state_folder import StateFolder, open_store
from easops.playbook.record.stored_run import refuse_closed, steps_of
from easops.playbook.steps.approval_request import Approval
from easops.playbook.steps.step_result import StepResult
from easops.status import Status


@attrs.frozen
class PendingApproval:
    """The approval that a run waits for: the step that asks for it, and what was decided (None: nothing yet)."""

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


def pending_approval(
    run_id: str, *, state: StateFolder | None = None, now: dt.datetime | None = None
) -> PendingApproval:
    """The approval that the run waits for. Raises BadInput (no such run), Refused (it is closed, or waits for none)."""
    with open_store(state) as (store, state):
        return _pending(store.get(run_id), store, now or dt.datetime.now(dt.UTC))


def find_pending_approval(run: Run, store: RunRecord, steps: Sequence[StepResult]) -> PendingApproval | None:
    """The approval that a recorded run with these results waits for; None if it waits for none."""
    step = _waiting_step(steps)
    if step is None or step.approval is None or run.closed or run.ended is None:
        return None
    return PendingApproval(run, step, step.approval, _decision_on(step, store, run.run_id))


def approve(
    run_id: str,
    digest: str,
    *,
    deny: bool = False,
    state: StateFolder | None = None,
    now: dt.datetime | None = None,
) -> Decision:
    """Approve the planned changes of a run that have this *digest* (``pending_approval`` has it), or *deny* them.

    Nothing is sent. An approval is valid for the step's ``expires`` from *now* (aware; by default the present time). It
    lets one attempt of the run make these changes, on ``resume``. A denial is final for the run.

    Raises BadInput (no such run); Refused if the run is alive or closed, or waits for no approval or for that of other
    changes, if the time for the approval is over, if it was decided already, or if somebody else has to decide.
    """
    now = now or dt.datetime.now(dt.UTC)
    with open_store(state) as (store, state), locked_run(store, state, run_id) as (run, _):
        pending = _pending(run, store, now)
        person = this_person()
        _refuse(pending, person, digest.strip().lower(), deny, now)
        approval = pending.approval
        until = now + approval.expires
        decision = Decision(pending.step.key, approval.digest, approval.changes, not deny, person, now, until)
        write_decision(store, run.run_id, len(decisions_of(store, run.run_id)), decision)
        return decision


def refuse_denied(run: Run, store: RunRecord) -> None:
    """Raises Refused if what the run plans was denied."""
    step = _waiting_step(steps_of(run, store))
    decision = None if step is None else _decision_on(step, store, run.run_id)
    if decision is not None and not decision.approved:
        raise Refused(
            f"what run {run.run_id} plans was denied",
            f"by {decision.by}, {decision.at:%Y-%m-%d %H:%M}Z",
            f"easops runs abandon {run.run_id} closes it",
            rule="denied",
        )


def _pending(run: Run, store: RunRecord, now: dt.datetime) -> PendingApproval:
    refuse_closed(run)
    pending = find_pending_approval(run, store, steps_of(run, store))
    if pending is None:
        raise Refused(
            f"run {run.run_id} waits for no approval",
            f"its status is {run.status}" if run.ended is not None else "it has not ended",
            f"easops runs show {run.run_id} shows its progress",
            rule="nothing to approve",
        )
    decision = pending.decision
    if decision is not None and decision.approved and now >= decision.until:
        # It expired before it was used: the plan can be approved again.
        return attrs.evolve(pending, decision=None)
    return pending


def _refuse(pending: PendingApproval, person: Person, digest: str, deny: bool, now: dt.datetime) -> None:
    run_id, approval, decision = pending.run.run_id, pending.approval, pending.decision
    # An approval that was not used yet may still be denied. A denial stays.
    if decision is not None and (not decision.approved or not deny):
        word, command = ("approved", "resume") if decision.approved else ("denied", "abandon")
        raise Refused(
            f"what run {run_id} plans was {word} already",
            f"by {decision.by}, {decision.at:%Y-%m-%d %H:%M}Z",
            f"type easops runs {command} {run_id}",
            rule=word,
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
            f"it had to be given before {approval.until:%Y-%m-%d %H:%M}Z; the plan may be different now",
            f"easops runs resume {run_id} plans again, and asks again",
            rule="expired",
        )
    if approval.by == "somebody_else":
        same = next((requester for requester in approval.asked_by if person.is_perhaps(requester)), None)
        if same is not None:
            raise Refused(
                f"run {run_id} needs the approval of somebody else",
                f"{same} started or resumed it, and you are {person}",
                f"have a colleague type easops approve {run_id}",
                rule="somebody else",
            )


def _waiting_step(steps: Sequence[StepResult]) -> StepResult | None:
    return next((step for step in steps if step.status is Status.AWAITING_APPROVAL), None)


def _decision_on(step: StepResult, store: RunRecord, run_id: str) -> Decision | None:
    """The latest decision on what the step asks for now, if it still counts."""
    digest = None if step.approval is None else step.approval.digest
    decisions = [decision for decision in decisions_of(store, run_id) if decision.step == step.key]
    latest = decisions[-1] if decisions else None
    counts = latest is not None and latest.digest == digest and not latest.used and not latest.void
    return latest if counts else None
