"""Which items of a step were changed, or may have been."""

from __future__ import annotations

from typing import Final

from easops.actions.outcome import ItemOutcome
from easops.playbook.steps.step_result import StepResult
from easops.status import Status

_MOVED: Final = (Status.CHANGED, Status.UNDONE, Status.VERIFY_FAILED, Status.UNKNOWN)


def moved_in(step: StepResult) -> list[ItemOutcome]:
    """Those that were changed, or of which that is not known; a failed one may be half done."""
    return [item for item in step.items if item.touched or item.status in _MOVED]
