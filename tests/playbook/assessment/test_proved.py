from __future__ import annotations

import attrs

from easops.detectors.finding import Detection, Measurement
from easops.playbook.steps.step_result import StepResult
from easops.status import Status
from tests.report.samples import REPORT, STEPS

PINGS = Detection(
    "stranded_pings",
    hosts=("EX1",),
    measurements=(Measurement("EX1", "stranded", 1836.0, "requests", 0.0), Measurement("EX2", "held", 5.25, "GiB")),
    sentences={"EX1": "1836 of 1968 Pings wait longer than 64 min"},
)


def test_a_proof_has_each_hosts_first_figure_before_and_after_or_else_its_sentence() -> None:
    after = attrs.evolve(
        PINGS,
        hosts=(),
        measurements=(
            Measurement("EX1", "stranded", 0.0, "requests", 0.0),
            Measurement("EX1", "the oldest", 3.0, "minutes"),
            Measurement("EX3", "stranded", 0.0, "requests", 0.0),
        ),
        sentences={"EX1": "40 Pings", "EX3": "no Ping is in flight"},
    )
    found = StepResult(1, "Who", "detect", "stranded_pings", Status.OK, detection=PINGS)
    gone = StepResult(2, "Gone", "verify", "stranded_pings", Status.OK, detection=after)
    assessment = attrs.evolve(REPORT, steps=(found, gone)).assessment
    assert assessment.proved == ("Gone: EX1 1,836 -> 0 requests; EX3 no Ping is in flight",)


def test_a_verify_that_failed_is_not_proved_and_says_why() -> None:
    failed = attrs.evolve(STEPS[4], status=Status.VERIFY_FAILED, reason="anna floods on")
    report = attrs.evolve(REPORT, steps=(*STEPS[:4], failed), status=Status.VERIFY_FAILED)
    assert report.assessment.proved == ()
    assert "not proved: It has ended: anna floods on" in [str(point) for point in report.assessment.open]
