"""When a run that has ended has unfinished steps. No server, no engine."""

from __future__ import annotations

from typing import Any

from easops.detectors.finding import Detection
from easops.playbook.steps.unfinished import has_unfinished_steps
from easops.status import Status

from .fakes import FakeEffects, found, interpret_playbook, user


def leaves_unfinished(*finds: Detection, effects: FakeEffects, **more: Any) -> bool:
    interpret_playbook(*finds, effects=effects, **more)
    return has_unfinished_steps(effects.results)


def test_steps_are_unfinished_because_of_a_failure_and_never_because_of_a_refusal() -> None:
    flooding = found(user("anna"))
    both = found(user("anna", hosts=("A", "B")), hosts=("A", "B"))
    assert leaves_unfinished(flooding, found(), effects=FakeEffects(outcomes={"anna": Status.FAILED}))
    assert leaves_unfinished(both, found(), effects=FakeEffects(outcomes={"A": Status.FAILED}))
    assert leaves_unfinished(both, found(), effects=FakeEffects(outcomes={"B": Status.FAILED}))
    assert not leaves_unfinished(flooding, found(), effects=FakeEffects())
    assert not leaves_unfinished(flooding, effects=FakeEffects())  # not verified: nothing is left to do
    assert not leaves_unfinished(flooding, found(), effects=FakeEffects(yes=False))
    assert not leaves_unfinished(found(user("a"), user("b"), user("c")), effects=FakeEffects())
