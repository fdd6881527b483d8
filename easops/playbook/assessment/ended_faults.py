"""For whom a run has seen that the fault has ended: those that a verify was asked about, where it judged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from easops.actions import ACTIONS
from easops.playbook.steps.step_result import StepResult
from easops.status import Status


def ended_for(step: StepResult, earlier: Sequence[StepResult]) -> list[str]:
    """The users that were found and treated in the steps *earlier* and that *step*, a verify that passed, was asked
    about: ``anna@contoso.example``, or ``anna@contoso.example on EX1`` where she was also found on other servers, which
    it did not judge."""
    same = [look for look in earlier if look.subject == step.subject]
    treated = {user for treatment in earlier for user in _treated(treatment)}
    ended = []
    for user in _asked(step):
        hosts = _found_on(user, same)
        judged = hosts & _judged(step)
        if user in treated and judged:
            ended.append(user if judged == hosts else f"{user} on {', '.join(sorted(judged))}")
    return ended


def all_ended(steps: Sequence[StepResult]) -> bool:
    """Whether of each user that was treated a later verify has seen that it has ended, wherever he was found."""
    for at, step in enumerate(steps):
        for user in _treated(step):
            looks = [later for later in steps[at + 1 :] if user in _asked(later)]
            judged = {host for look in looks for host in _judged(look)}
            if not looks or not _found_on(user, steps) <= judged:
                return False
    return True


def _asked(step: StepResult) -> tuple[str, ...]:
    passed = step.kind == "verify" and step.status is Status.OK and step.detection is not None
    return step.detection.asked if passed and step.detection is not None else ()


def _judged(step: StepResult) -> frozenset[str]:
    return frozenset(step.detection.judged if step.detection is not None else ())


def _treated(step: StepResult) -> Iterator[str]:
    action = ACTIONS.get(step.subject)
    if step.done is not None and (action is None or action.scope == "organisation"):
        yield from step.done.treated


def _found_on(user: str, steps: Sequence[StepResult]) -> frozenset[str]:
    detections = [step.detection for step in steps if step.kind == "detect" and step.detection is not None]
    return frozenset(
        host
        for detection in detections
        for finding in detection.users
        if finding.user == user
        for host in finding.hosts
    )
