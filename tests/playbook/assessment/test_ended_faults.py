from __future__ import annotations

import attrs
import pytest

from easops.detectors.finding import Detection
from easops.playbook.assessment.ended_faults import all_ended, ended_for
from easops.playbook.steps.step_result import StepResult
from easops.status import Status
from tests.report.samples import ANNA, BOB, ENDED, LIMITED, RECYCLED, REPORT, STORM, item

WIDE = attrs.evolve(STORM, users=(attrs.evolve(ANNA, hosts=("EX1", "EX2")), BOB), hosts=("EX1", "EX2"))


def limit(user: str) -> StepResult:
    done = attrs.evolve(LIMITED, items=(item(user, Status.CHANGED),))
    return StepResult(2, "Limit", "do", "limit_eas_usage", Status.CHANGED, done=done)


def look(seen: Detection) -> StepResult:
    return StepResult(3, "It has ended", "verify", "contact_sync_storm", Status.OK, detection=seen)


FOUND = StepResult(1, "Who", "detect", "contact_sync_storm", Status.OK, detection=STORM)
FOUND_WIDE = attrs.evolve(FOUND, detection=WIDE)
RECYCLE = StepResult(4, "Recycle", "do", "recycle_app_pool", Status.CHANGED, done=RECYCLED)
BOTH = (limit(ANNA.user), RECYCLE, limit(BOB.user))
ASKED_BOTH = attrs.evolve(ENDED, asked=(ANNA.user, BOB.user))


@pytest.mark.parametrize(
    ("steps", "proved", "word"),
    [
        pytest.param((FOUND, *BOTH, look(ASKED_BOTH)), f": no more hits of {ANNA.user}, {BOB.user}", "Cured", id="all"),
        pytest.param((FOUND, *BOTH, look(ENDED)), f": no more hits of {ANNA.user}", "Changed", id="of one only"),
        pytest.param((FOUND, *BOTH, look(attrs.evolve(ENDED, asked=()))), "", "Changed", id="of nobody by name"),
        pytest.param((FOUND_WIDE, BOTH[0], look(ENDED)), f": no more hits of {ANNA.user} on EX1", "Changed", id="here"),
        pytest.param(
            (FOUND, BOTH[0], look(attrs.evolve(ENDED, judged=("EX3",)))), "", "Changed", id="where nothing was found"
        ),
        pytest.param(
            (FOUND, RECYCLE, look(Detection("stranded_pings", judged=("EX1",)))), "", "Changed", id="no users"
        ),
    ],
)
def test_only_those_are_proved_whom_a_verify_was_asked_about_and_only_where_it_judged(
    steps: tuple[StepResult, ...], proved: str, word: str
) -> None:
    assessment = attrs.evolve(REPORT, steps=steps, status=Status.CHANGED).assessment
    assert assessment.proved == (f"It has ended{proved}",)
    assert assessment.verdict.word == word


def test_looks_at_one_server_after_another_are_one_proof() -> None:
    looks = [look(ENDED), look(attrs.evolve(ENDED, judged=("EX2",)))]
    steps = [FOUND_WIDE, BOTH[0], *looks]
    assert [ended_for(held, steps[:2]) for held in looks] == [[f"{ANNA.user} on EX1"], [f"{ANNA.user} on EX2"]]
    assert all_ended(steps)


def test_a_look_before_the_change_proves_nothing_of_it() -> None:
    assert not all_ended([FOUND, look(ENDED), BOTH[0]])
