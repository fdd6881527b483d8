"""A detect step: one look for a fault on all its hosts."""

from __future__ import annotations

from easops.detectors.detection_status import detect_status
from easops.detectors.finding import Detection
from easops.playbook.language.model import Step
from easops.playbook.steps.detection_words import undetermined_words
from easops.playbook.steps.run_state import RunState, host_names
from easops.playbook.steps.step_result import StepResult
from easops.status import Status


def detect_step(step: Step, state: RunState) -> StepResult:
    """Run the detector of *step*. Raises BadInput for a value of ``with:`` that is wrong."""
    hosts = state.hosts_of(step)
    detector = state.detectors[step.subject]
    arguments = step.command_arguments(detector.parameters, state.namespace)
    if not hosts:
        return StepResult.of(step, Status.SKIPPED, reason="no hosts", given=arguments)
    values = step.arguments(detector.parameters, state.namespace)
    detection = state.effects.once(
        state.effect_key(step), Detection, lambda: detector.detect(hosts, values, state.context)
    )
    return StepResult.of(
        step,
        detect_status(detection),
        hosts=host_names(hosts),
        reason=undetermined_words(detection),
        detection=detection,
        given=arguments,
    )
