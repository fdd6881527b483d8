"""What the verify steps of a run have seen: the end of a fault, or not."""

from __future__ import annotations

from collections.abc import Sequence

from easops.detectors.finding import Measurement
from easops.playbook.assessment.ended_faults import ended_for
from easops.playbook.assessment.run_facts import RunFacts
from easops.playbook.steps.step_result import StepResult
from easops.status import NOT_JUDGED, Status
from easops.wording import figure


def proved(run: RunFacts) -> list[str]:
    """A sentence for each verify step that passed: figures before -> after, and who is no longer found."""
    lines = []
    for number, step in enumerate(run.steps):
        if step.kind == "verify" and step.status is Status.OK and step.detection is not None:
            words = proof_words(step, run.steps[:number])
            lines.append(f"{step.name}: {words}" if words else step.name)
    return lines


def proof_words(step: StepResult, earlier: Sequence[StepResult]) -> str:
    """What *step*, a verify, has seen, with the steps before it: ``EX1 95.0 -> 12.0 percent; no more hits of anna``.
    Empty where it did not pass, or saw nothing of its own."""
    if step.status is not Status.OK or step.detection is None:
        return ""
    ended = ended_for(step, earlier)
    return "; ".join([*_figures(step, earlier), *([f"no more hits of {', '.join(ended)}"] if ended else [])])


def not_proved(run: RunFacts) -> list[str]:
    """A sentence for each verify step that did not pass: who is still found, or else why."""
    lines = []
    for step in run.steps:
        if step.kind == "verify" and (step.status is Status.VERIFY_FAILED or step.status in NOT_JUDGED):
            users = [user.user for user in step.detection.users] if step.detection is not None else []
            why = f"still found: {', '.join(users)}" if users else step.reason or step.status.replace("_", " ")
            lines.append(f"{step.name}: {why}")
    return lines


def _figures(step: StepResult, earlier: Sequence[StepResult]) -> list[str]:
    """Each host's first figure in *step* with the first one of that host and name before it; where there is none before
    it, the host's sentence."""
    assert step.detection is not None
    before = {
        (measurement.host, measurement.name): figure(measurement.value, measurement.decimals)
        for look in reversed(earlier)
        if look.kind == "detect" and look.subject == step.subject and look.detection is not None
        for measurement in look.detection.measurements
    }
    first: dict[str, Measurement] = {}
    for measurement in step.detection.measurements:
        first.setdefault(measurement.host, measurement)
    lines = []
    for host, measurement in first.items():
        was = before.get((host, measurement.name))
        now = f"{figure(measurement.value, measurement.decimals)} {measurement.unit}"
        if was is not None:
            lines.append(f"{host} {was} -> {now}")
        else:
            lines.append(f"{host} {step.detection.sentences.get(host, now)}")
    return lines
