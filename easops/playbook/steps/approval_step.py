"""An approval step: asks somebody to approve the changes that follow, and lets nothing happen before."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs

from easops.playbook.language.expression import evaluate
from easops.playbook.language.model import Step
from easops.playbook.steps.approval_request import Approval, Foreseen, PlannedChange, digest_of
from easops.playbook.steps.run_state import RunState
from easops.playbook.steps.step_result import StepResult
from easops.status import PROBLEMS, Status


def approval_step(step: Step, state: RunState, foresee: Callable[[], Foreseen]) -> StepResult:
    """Ask for the changes that follow, unless somebody has approved exactly these.

    *foresee* plans them, up to the next approval step or the end. Raises BadInput for an ``expires`` that is wrong.
    """
    value = evaluate(step.approval, state.namespace)
    text = "" if value is None else str(value)
    expires = step.lifetime(state.namespace)
    key = state.effect_key(step)
    foreseen = state.effects.once(f"{key}.plan", Foreseen, foresee)
    if foreseen.problem:
        reason = f"the changes to approve cannot be planned: {foreseen.problem}"
        return StepResult.of(step, Status(foreseen.status), reason=reason)
    request = Approval(text, foreseen.changes, digest_of(foreseen.changes), step.by, expires)
    if not request.changes:
        return StepResult.of(step, Status.SKIPPED, reason="nothing to approve", approval=request)
    if state.effects.checking:
        reason = "check: an approval would be requested"
        return StepResult.of(step, Status.SKIPPED, reason=reason, approval=request)
    verdict = state.effects.approval(key, state.key(step), request)
    request = attrs.evolve(request, asked_by=verdict.asked_by, until=verdict.until, approved_by=verdict.approved_by)
    status = Status.AWAITING_APPROVAL if verdict.approved_by is None else Status.OK
    return StepResult.of(step, status, reason=verdict.void, approval=request)


def foreseen(changes: Sequence[PlannedChange], results: Sequence[StepResult]) -> Foreseen:
    """What came of looking ahead: the planned *changes*; or, where one of the steps cannot be planned, why not."""
    stop = next((result for result in results if result.stops and result.status in PROBLEMS), None)
    if stop is None:
        return Foreseen(tuple(changes))
    why = "; ".join(f"{item.item}: {item.reason}" for item in stop.items if item.status in PROBLEMS)
    return Foreseen((), f"{stop.name}: {why or stop.reason}", stop.status)
