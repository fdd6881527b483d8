"""What a run did not judge: hosts that gave no verdict, and looks that were not made."""

from __future__ import annotations

from easops.playbook.assessment.found import found_words
from easops.playbook.assessment.point import Point
from easops.playbook.assessment.run_facts import RunFacts
from easops.playbook.steps.step_result import StepResult
from easops.status import NOT_JUDGED, Status


def not_judged(run: RunFacts) -> list[Point]:
    """What could not be judged, and why; then, where nothing was found, what was not checked."""
    points = [
        Point("not judged", f"{step.name}: {step.reason}")
        for step in run.steps
        if step.kind == "detect" and step.reason and (step.status is Status.OK or step.status in NOT_JUDGED)
    ]
    points += [
        Point("not checked", f"{step.name}: {step.reason}; faults that only this step can detect are not ruled out")
        for step in not_checked(run)
    ]
    return points


def searched(run: RunFacts) -> list[str]:
    """Where nothing was found, and what was read for it: of a run that did well, and found nothing anywhere."""
    if run.kind != "run" or run.status is not Status.OK or any(detection.found for detection in run.findings):
        return []
    return [
        f"{', '.join((step.name, *step.given))}: {found_words(step.detection)} on {', '.join(step.detection.judged)}"
        for step in run.steps
        if step.kind == "detect" and step.detection is not None and step.detection.judged
    ]


def not_checked(run: RunFacts) -> list[StepResult]:
    """The detect steps that were skipped in a run that found nothing: it looked for one cause, and not for another."""
    skipped = [step for step in run.steps if step.kind == "detect" and step.status is Status.SKIPPED]
    return skipped if searched(run) else []
