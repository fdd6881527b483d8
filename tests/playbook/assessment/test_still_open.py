from __future__ import annotations

import datetime as dt

import attrs

from easops.detectors.finding import Detection
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.steps.step_result import StepResult
from easops.remoting.unreachable import Unreachable
from easops.status import Status
from tests.report.samples import ANNA, AT, BOB, ENDED, LIMITED, PHONE, REPORT, STEPS, STORM, item, recorded


def still_open(report: RunReport) -> list[str]:
    """What of a finding is still open, or may be."""
    labels = ("still open", "possibly ongoing")
    return [str(point) for point in report.assessment.open if point.label in labels]


def test_what_was_found_at_the_moment_of_the_look_is_still_open() -> None:
    report = attrs.evolve(REPORT, steps=(STEPS[1],), status=Status.OK)
    assert still_open(report) == [
        "still open: How loaded: found on 1 host; nothing was changed, and no step checked whether it has ended"
    ]


def test_what_was_found_in_a_log_may_have_ended_since() -> None:
    found = attrs.evolve(STEPS[0], detection=attrs.evolve(STORM, times={"EX1": AT + dt.timedelta(minutes=12)}))
    assert still_open(attrs.evolve(REPORT, steps=(found,), status=Status.OK)) == [
        "possibly ongoing: Who floods: 2 users found, the last hit 12 min before the look (17:00 UTC; "
        "one came every 4 min); nothing was changed, and no step checked whether it has ended"
    ]


def test_the_last_hit_of_anybody_is_dated_by_the_clock_of_their_own_server() -> None:
    older = attrs.evolve(PHONE, last_seen=AT - dt.timedelta(minutes=9), hosts=("EX2",), interval=None)
    users = (attrs.evolve(ANNA, devices=(PHONE,)), attrs.evolve(BOB, devices=(older,)))
    times = {"EX1": AT + dt.timedelta(minutes=30), "EX2": AT}
    found = attrs.evolve(STEPS[0], detection=attrs.evolve(STORM, users=users, times=times))
    (text,) = still_open(attrs.evolve(REPORT, steps=(found,), status=Status.OK))
    assert "2 users found, the last hit 9 min before the look (16:51 UTC); nothing" in text


def test_who_was_found_and_not_treated_is_still_open_whatever_else_was_proved() -> None:
    skipped = attrs.evolve(STEPS[5], status=Status.SKIPPED, reason="bob was refused", detection=None)
    assert still_open(attrs.evolve(REPORT, steps=(*STEPS[:5], skipped))) == [
        "still open: bob@contoso.example: refused; not checked again",
        "still open: How loaded: found on EX1, and not checked again",
    ]
    alone = attrs.evolve(LIMITED, items=LIMITED.items[:1])
    untreated = (*STEPS[:2], attrs.evolve(STEPS[2], done=alone, status=Status.CHANGED), *STEPS[3:])
    assert still_open(attrs.evolve(REPORT, steps=untreated, status=Status.CHANGED)) == [
        "still open: bob@contoso.example: not treated; not checked again"
    ]
    assert still_open(attrs.evolve(REPORT, steps=untreated, status=Status.FAILED, unfinished=True)) == []
    both = attrs.evolve(ENDED, asked=(ANNA.user, BOB.user))
    assert still_open(attrs.evolve(REPORT, steps=(*STEPS[:4], attrs.evolve(STEPS[4], detection=both), STEPS[5]))) == []
    assert still_open(attrs.evolve(REPORT, checked=True)) == []


def test_a_step_that_did_not_start_is_unfinished_or_else_not_started() -> None:
    stopped = StepResult(1, "Look", "detect", "x", Status.UNREACHABLE, "EX2: no route", stops=True)
    left = StepResult(2, "Limit", "do", "limit_eas_usage", Status.NOT_STARTED, "the run stopped at 'Look'")
    report = attrs.evolve(REPORT, steps=(stopped, left), status=Status.UNREACHABLE)
    assert [str(point) for point in report.assessment.open] == ["not started: Limit"]
    unfinished = attrs.evolve(report, unfinished=True).assessment.open
    assert [str(point) for point in unfinished] == ["unfinished: Limit"]


def test_an_item_that_was_left_alone_says_why() -> None:
    done = attrs.evolve(LIMITED, items=(item(ANNA.user, Status.SKIPPED, reason="changed by somebody else since"),))
    step = attrs.evolve(STEPS[2], kind="undo", status=Status.OK, done=done)
    report = attrs.evolve(REPORT, kind="undo", steps=(step,), status=Status.OK)
    assert [str(point) for point in report.assessment.open] == [
        "skipped: anna@contoso.example: changed by somebody else since"
    ]


def test_a_run_that_is_running_or_waits_leaves_nothing_open_yet() -> None:
    assert recorded(ended=None, status=None, view={"alive": True}).assessment.open == ()
    assert recorded(ended=None, status=None, attempts=0).assessment.open == ()


def test_a_host_that_was_not_judged_is_named_whether_that_stopped_the_run_or_not() -> None:
    lost = Detection("x", judged=("EX1",), unreachable=(Unreachable("EX2", "EX2 is not there", "no route"),))
    step = StepResult(1, "Who", "detect", "x", Status.UNREACHABLE, "EX2: no route", detection=lost, stops=True)
    for status in (Status.UNREACHABLE, Status.OK):
        report = attrs.evolve(REPORT, steps=(attrs.evolve(step, status=status),), status=status)
        assert [str(point) for point in report.assessment.not_judged] == ["not judged: Who: EX2: no route"]


def test_where_nothing_was_found_the_steps_that_did_not_look_are_named() -> None:
    looked = attrs.evolve(STEPS[0], detection=ENDED, given=("since=1h", "threshold=2000"))
    skipped = attrs.evolve(STEPS[1], status=Status.SKIPPED, reason="no hosts", detection=None, given=("above=60",))
    assessment = attrs.evolve(REPORT, steps=(looked, skipped), status=Status.OK).assessment
    assert assessment.searched == ("Who floods, since=1h, threshold=2000: nothing found on EX1",)
    assert [str(point) for point in assessment.not_judged] == [
        "not checked: How loaded: no hosts; faults that only this step can detect are not ruled out"
    ]
    assert [command.command for command in assessment.next] == ["easops detect sync_pool_cpu above=60"]
