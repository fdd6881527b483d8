"""A verify step: looks again until the fault is gone from every host, or ``within:`` has passed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from easops.actions.outcome import Done
from easops.clock import Waiting
from easops.context import Context
from easops.detectors.detection_status import verify_status
from easops.detectors.detector import Detector
from easops.detectors.finding import Detection
from easops.inventory.host import Host
from easops.playbook.language.model import Step
from easops.playbook.steps.detection_hosts import failing, merge, of_hosts, seconds_until_answer
from easops.playbook.steps.detection_words import verify_words, waiting_for
from easops.playbook.steps.run_state import RunState, host_names
from easops.playbook.steps.step_result import StepResult
from easops.status import Status

_FIRST_WAIT: Final = 5.0
_LONGEST_WAIT: Final = 60.0
"""Seconds between two looks: short at first, then longer."""


def verify_step(step: Step, state: RunState) -> StepResult:
    """Look with the detector of *step* until each host has passed. Raises BadInput for a value that is wrong."""
    hosts = state.hosts_of(step)
    if not hosts:
        return StepResult.of(step, Status.SKIPPED, reason="no hosts")
    if state.effects.checking:
        return StepResult.of(step, Status.SKIPPED, reason="check: nothing was changed, so there is nothing to verify")
    detector = state.detectors[step.subject]
    values = step.arguments(detector.parameters, state.namespace)
    if _never_began(values.get("after")):
        return StepResult.of(step, Status.SKIPPED, reason="the step that it verifies was not carried out")
    within = step.patience(state.namespace).total_seconds()
    detection = state.effects.once(
        state.effect_key(step), Detection, lambda: _look_until_passed(detector, hosts, values, within, state.context)
    )
    status = verify_status(detection)
    reason = verify_words(detection, status)
    return StepResult.of(step, status, hosts=host_names(hosts), reason=reason, detection=detection)


def _with_first_look(values: Mapping[str, Any], seen: Detection) -> Mapping[str, Any]:
    """*values*, in which hosts that the step of ``after:`` did not act on have an end of it by their own clocks: the
    first look at them, which was later."""
    after = values.get("after")
    if not isinstance(after, Done) or all(host in after.ended for host in seen.times):
        return values
    return {**values, "after": attrs.evolve(after, ended={**seen.times, **after.ended})}


def _never_began(after: Any) -> bool:
    """Whether *after*, where it is given, is a step that was skipped or not started: nothing has an end to wait for."""
    return isinstance(after, Done) and not after.items and not after.ended and after.finished is None


def _look_until_passed(
    detector: Detector, hosts: Sequence[Host], values: Mapping[str, Any], within: float, context: Context
) -> Detection:
    """Look until each host has passed, or *within* seconds have gone by; for a host that has not, the last look counts.

    Each host is judged by itself. One that has passed is left alone while the others are looked at, and is looked at
    once more at the end: meanwhile the fault may have come back, or moved there from another.
    """
    clock = context.clock
    began = clock.monotonic()
    ends = began + within
    wait = _FIRST_WAIT
    remaining = list(hosts)
    passed = Detection(detector.name)
    passed_before: list[Host] = []
    before: tuple[float, Detection] | None = None
    while True:
        seen = detector.detect(remaining, values, context)
        values = _with_first_look(values, seen)
        failed = failing(seen)
        passed = merge(passed, of_hosts(seen, {host.name for host in remaining} - failed))
        passing = [host for host in remaining if host.name not in failed]
        remaining = [host for host in remaining if host.name in failed]
        if not remaining and passed_before:
            seen = detector.detect(passed_before, values, context)
            failed = failing(seen)
            again = {host.name for host in passed_before}
            passed = merge(of_hosts(passed, {host.name for host in hosts} - again), of_hosts(seen, again - failed))
            remaining = [host for host in passed_before if host.name in failed]
            passing = [host for host in hosts if host not in remaining]
            passed_before = []
        if not remaining or clock.monotonic() >= ends:
            return merge(passed, of_hosts(seen, failed))
        passed_before += passing
        names = ", ".join(host.name for host in remaining)
        why, says_how_long = waiting_for(seen)
        so_far = 0.0 if says_how_long else clock.monotonic() - began  # one time in a line is enough
        context.progress(Waiting(f"{names}: {why}", so_far, within, about=names))
        now = (clock.monotonic(), seen)
        until_answer = 0.0 if before is None else seconds_until_answer(before, now)
        before = now
        clock.sleep(min(max(wait, until_answer), max(0.0, ends - clock.monotonic())))
        wait = min(wait * 1.5, _LONGEST_WAIT)
