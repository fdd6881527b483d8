"""Whether a run has unfinished steps: changes that it still was to make."""

from __future__ import annotations

from collections.abc import Sequence

from easops.playbook.steps.step_result import StepResult
from easops.status import NOT_DONE, PROBLEMS, Status


def has_unfinished_steps(steps: Sequence[StepResult]) -> bool:
    """Whether a run that ended with these results should be resumed or closed before its playbook is run again.

    That is so if a changing step was not started because an earlier step went wrong, or lacks an approval. It is so,
    too, if a changing step failed after an earlier one had changed something: the change is then half made. It is not
    so after a refusal: a rule or a person decided that these changes are not made.
    """
    stopper = next((step for step in steps if step.stops), None)
    if stopper is None:
        return False
    if stopper.status is Status.AWAITING_APPROVAL or stopper.unapproved:
        return True
    if not any(status in PROBLEMS for status in (stopper.status, *(item.status for item in stopper.items))):
        return False
    if any(step.status is Status.NOT_STARTED and step.kind == "do" for step in steps):
        return True
    if any(item.status is Status.NOT_STARTED for step in steps for item in step.items):
        return True
    changed_before = any(item.touched for step in steps[: steps.index(stopper)] for item in step.items)
    return changed_before and stopper.kind == "do" and any(item.status in NOT_DONE for item in stopper.items)
