from __future__ import annotations

from typing import Literal

import attrs
import pytest

from easops.actions.outcome import Done
from easops.detectors.finding import Detection
from easops.errors import UnreachableHost
from easops.playbook.steps.step_result import StepResult
from easops.remoting.unreachable import Unreachable
from easops.status import MAY_HAVE_CHANGED, PROBLEMS, Status
from tests.report.samples import ANNA, BOB, LIMITED, REPORT, STEPS, STORM, item, recorded


@pytest.mark.parametrize("status", list(Status))
def test_every_status_has_a_verdict(status: Status) -> None:
    verdict = attrs.evolve(REPORT, status=status, steps=STEPS[:1]).assessment.verdict
    assert verdict.word
    assert verdict.sentence
    assert (verdict.tone == "good") <= (status.value in ("ok", "skipped", "changed", "undone", "would_change"))


def of_anna(found: Detection) -> tuple[StepResult, ...]:
    """The steps of the run, had it found her alone."""
    who = attrs.evolve(STEPS[0], detection=attrs.evolve(found, users=(ANNA,)))
    done = attrs.evolve(LIMITED, items=LIMITED.items[:1])
    limited = attrs.evolve(STEPS[2], status=Status.CHANGED, done=done)
    return (who, STEPS[1], limited, *STEPS[3:])


@pytest.mark.parametrize(
    ("proof", "word"), [(Status.OK, "Cured"), (Status.SKIPPED, "Changed"), (Status.UNDETERMINED, "Changed")]
)
def test_a_cure_is_claimed_only_where_it_was_seen(proof: Status, word: str) -> None:
    steps = of_anna(STORM)
    verify = attrs.evolve(steps[4], status=proof)
    report = attrs.evolve(REPORT, status=Status.CHANGED, steps=(*steps[:4], verify))
    assert report.assessment.verdict.word == word


def test_the_verdict_names_who_was_not_treated_and_not_checked_again() -> None:
    verdict = attrs.evolve(REPORT, status=Status.CHANGED, steps=STEPS[:5]).assessment.verdict
    assert (verdict.tone, verdict.word) == ("attention", "Changed")
    assert BOB.user in verdict.sentence


DEAD = (Unreachable("EX2", "EX2 does not answer", "no route"),)
ALREADY_LIMITED = item(ANNA.user, Status.OK)
NOBODY = Detection("contact_sync_storm", judged=("EX1",))


@pytest.mark.parametrize(
    ("kind", "parts", "tone", "sentence"),
    [
        pytest.param("run", [NOBODY], "good", "Nothing was found, and nothing was changed.", id="all was judged"),
        pytest.param("run", [attrs.evolve(NOBODY, unreachable=DEAD)], "attention", "Not everything", id="a dead host"),
        pytest.param(
            "run", [attrs.evolve(NOBODY, undetermined=STORM.undetermined)], "attention", "Not everything", id="a ghost"
        ),
        pytest.param(
            "run",
            [STORM],
            "attention",
            "nothing had to be changed, and no step checked whether it has ended.",
            id="found",
        ),
        pytest.param("run", [attrs.evolve(STORM, unreachable=DEAD)], "attention", "Not everything", id="elsewhere"),
        pytest.param("run", [], "plain", "Nothing was looked for, and nothing was changed.", id="nothing done"),
        pytest.param(
            "do", [LIMITED], "good", "Everything was as wanted already; nothing was changed.", id="as wanted already"
        ),
    ],
)
def test_nothing_is_called_good_that_was_not_checked(
    kind: Literal["run", "do"], parts: list[Detection | Done], tone: str, sentence: str
) -> None:
    steps = [
        StepResult(at, "Look", "detect", "contact_sync_storm", Status.OK, detection=part)
        if isinstance(part, Detection)
        else attrs.evolve(STEPS[2], status=Status.OK, done=attrs.evolve(part, items=(ALREADY_LIMITED,)))
        for at, part in enumerate(parts)
    ]
    verdict = attrs.evolve(REPORT, kind=kind, status=Status.OK, steps=tuple(steps)).assessment.verdict
    assert verdict.tone == tone
    assert sentence in verdict.sentence


def test_a_cure_beside_a_dead_host_is_not_all_well() -> None:
    steps = of_anna(attrs.evolve(STORM, unreachable=DEAD))
    verdict = attrs.evolve(REPORT, status=Status.CHANGED, steps=steps[:5]).assessment.verdict
    assert (verdict.tone, verdict.word) == ("attention", "Cured")


def test_a_run_without_an_end_is_not_called_by_the_status_of_its_steps() -> None:
    report = attrs.evolve(REPORT, status=Status.OK, steps=STEPS[:1])

    def word(stopped: bool = False, **view: bool) -> str:
        run = recorded(report, ended=None, status=None, view=view)
        return attrs.evolve(run, stopped=stopped).assessment.verdict.word

    assert word() == "Died"
    assert word(alive=True) == "Running"
    assert word(alive=True, stopped=True) == "Stopped"
    assert recorded(report, ended=None, status=None, view={"stopped": True}).assessment.verdict.word == "Stopped"
    assert recorded(report, ended=None, status=None, attempts=0).assessment.verdict.word == "Waiting"


def test_a_closed_run_is_called_by_how_it_was_closed() -> None:
    assert recorded(closed="abandoned").assessment.verdict.word == "Abandoned"
    undone = recorded(closed="undone by 20261125-080000-beef").assessment.verdict
    assert (undone.word, undone.sentence) == ("Undone", "The run was undone by 20261125-080000-beef.")


def test_what_ended_a_run_before_its_first_step_is_its_verdict() -> None:
    lost = UnreachableHost("EX1 does not answer", "nothing listens there", "check the firewall")
    report = attrs.evolve(REPORT, steps=(), status=Status.UNREACHABLE, problem=lost)
    verdict = report.assessment.verdict
    assert (verdict.tone, verdict.word) == ("bad", "Not reached")
    assert verdict.sentence == "The run ended before its first step."
    assert [str(point) for point in report.assessment.open] == ["error: EX1 does not answer"]


@pytest.mark.parametrize("status", sorted(PROBLEMS))
def test_no_problem_is_called_good(status: Status) -> None:
    assert attrs.evolve(REPORT, status=status).assessment.verdict.tone in ("bad", "attention")
    assert status not in MAY_HAVE_CHANGED or attrs.evolve(REPORT, status=status).assessment.verdict.word != "Cured"
