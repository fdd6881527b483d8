from __future__ import annotations

from typing import Any

import attrs
import pytest

from easops.actions.outcome import Done
from easops.actions.throttling_policy_change import AssociateThrottlingPolicy
from easops.identity import Person
from easops.playbook.assessment.next_command import typed
from easops.playbook.assessment.run_facts import OpenRun
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.record.approval import PendingApproval
from easops.playbook.record.decision import Decision
from easops.playbook.steps.approval_request import Approval
from easops.playbook.steps.step_result import StepResult
from easops.status import Status
from tests.report.samples import ANNA, AT, BOB, ENDED, LIMITED, RECYCLED, REPORT, STEPS, item, recorded

R = REPORT.run_id
SENT = AssociateThrottlingPolicy(ANNA.user, "guid-1", None, "ours")


def labels(report: RunReport) -> list[str]:
    return [command.label for command in report.assessment.next]


def commands(report: RunReport) -> list[str]:
    return [command.command for command in report.assessment.next]


def test_the_commands_lead_on_from_where_the_run_stands() -> None:
    assert labels(recorded()) == ["undo"]
    assert labels(recorded(attrs.evolve(REPORT, unfinished=True))) == ["resume", "undo", "close"]
    assert labels(recorded(ended=None, status=None)) == ["resume", "undo", "close"]
    assert labels(recorded(ended=None, status=None, view={"alive": True})) == []
    stopped = attrs.evolve(recorded(ended=None, status=None, view={"alive": True}), stopped=True)
    assert labels(stopped) == ["resume", "undo", "close"]
    waits = recorded(attrs.evolve(REPORT, steps=(), status=Status.OK), attempts=0, ended=None, status=None)
    assert commands(waits) == [f"easops worker {R}", f"easops runs abandon {R}"]


def test_what_an_abandoned_run_set_can_still_be_put_back_and_of_an_undone_one_nothing() -> None:
    assert labels(recorded(closed="abandoned")) == ["undo"]
    assert labels(recorded(attrs.evolve(REPORT, steps=STEPS[:2]), closed="abandoned")) == []
    assert labels(recorded(closed="undone by 20261125-080000-beef, abandoned before")) == []
    died: dict[str, Any] = {"ended": None, "status": None, "closed": "abandoned"}
    looked = attrs.evolve(REPORT, steps=STEPS[:2])
    assert labels(recorded(looked, **died)) == []
    assert labels(recorded(looked, view={"changes": ((SENT, None),)}, **died)) == ["undo"]


def test_what_is_not_known_is_read_before_anything_else() -> None:
    done = attrs.evolve(LIMITED, items=(item(ANNA.user, Status.UNKNOWN, reason="no answer", touched=True),))
    step = attrs.evolve(STEPS[2], status=Status.UNKNOWN, done=done)
    report = attrs.evolve(REPORT, steps=(step,), status=Status.UNKNOWN)
    assert commands(report) == [f"easops runs reconcile {R}", f"easops undo {R}"]
    assert report.next == f"easops runs reconcile {R}"
    died = recorded(attrs.evolve(REPORT, steps=STEPS[:2]), ended=None, status=None, view={"changes": ((SENT, None),)})
    assert labels(died) == ["reconcile", "resume", "undo", "close"]


def test_what_was_not_confirmed_is_looked_at() -> None:
    for status in (Status.VERIFY_FAILED, Status.UNDO_FAILED):
        done = attrs.evolve(LIMITED, items=(item(ANNA.user, status, reason="not there", touched=True),))
        step = attrs.evolve(STEPS[2], status=status, done=done)
        report = attrs.evolve(REPORT, steps=(step,), status=status)
        assert commands(report)[0] == f"easops runs show {R} --verbose"


ASKS = Approval("they flood", (), "d1ce")


@pytest.mark.parametrize(
    ("approved", "next_labels", "point"),
    [
        (None, ["approve", "resume", "undo", "close"], "awaiting approval: Agree: 0 planned changes"),
        (True, ["resume", "undo", "close"], "approved: Agree: 0 planned changes, not made yet"),
        (False, ["close", "undo"], "denied: Agree: 0 planned changes, which will not be made"),
    ],
)
def test_an_approval_comes_before_what_goes_on_and_a_denied_run_can_only_be_closed(
    approved: bool | None, next_labels: list[str], point: str
) -> None:
    step = StepResult(7, "Agree", "approval", "approval", Status.AWAITING_APPROVAL, stops=True, approval=ASKS)
    report = attrs.evolve(REPORT, steps=(*STEPS, step), status=Status.AWAITING_APPROVAL, unfinished=True)
    me = Person("night", "desk")
    decision = None if approved is None else Decision("7", "d1ce", (), approved, me, AT, AT)
    record = recorded(report).record
    assert record is not None
    asked = PendingApproval(record.run, step, ASKS, decision)
    run = attrs.evolve(report, record=attrs.evolve(record, pending=asked))
    assert labels(run) == next_labels
    assert point in [str(point) for point in run.assessment.open]
    assert run.assessment.verdict.word == {None: "Awaiting approval", True: "Approved", False: "Denied"}[approved]


def test_what_was_refused_and_what_did_not_cure_name_an_action_that_may_help() -> None:
    instead = {"replace_policy": "copy", "user": BOB.user}
    done = attrs.evolve(LIMITED, items=(LIMITED.items[0], attrs.evolve(LIMITED.items[1], instead=instead)))
    floods = attrs.evolve(STEPS[4], status=Status.VERIFY_FAILED, detection=attrs.evolve(ENDED, users=(ANNA,)))
    report = attrs.evolve(REPORT, steps=(*STEPS[:2], attrs.evolve(STEPS[2], done=done), floods))
    assert [(command.label, command.command) for command in report.assessment.next] == [
        ("alternative", "easops do limit_eas_usage bob@contoso.example replace_policy=copy --inventory hosts.yml"),
        (
            "stronger",
            'easops do block_user anna@contoso.example --because "still found after run 20261124-170000-abcd" '
            "--inventory hosts.yml",
        ),
        ("undo", f"easops undo {R}"),
    ]
    blocked = attrs.evolve(STEPS[2], subject="block_user", done=attrs.evolve(LIMITED, action="block_user"))
    assert "stronger" not in labels(attrs.evolve(report, steps=(*STEPS[:3], blocked, floods)))


def test_what_a_lab_run_names_is_tried_in_a_lab_too() -> None:
    refused = attrs.evolve(LIMITED.items[1], instead={"replace_policy": "copy", "user": BOB.user})
    done = attrs.evolve(LIMITED, items=(refused,))
    step = attrs.evolve(STEPS[2], done=done)
    assert commands(attrs.evolve(REPORT, lab="calm", steps=(step,))) == [
        "easops do limit_eas_usage bob@contoso.example replace_policy=copy --lab --scenario calm"
    ]
    found = attrs.evolve(REPORT, lab="calm", steps=STEPS[:1], status=Status.OK)
    assert commands(found)[0] == "easops detect contact_sync_storm since=20m --lab --scenario calm"


def test_a_command_names_the_inventory_of_the_run() -> None:
    refused = attrs.evolve(LIMITED.items[1], instead={"replace_policy": "copy", "user": BOB.user})
    step = attrs.evolve(STEPS[2], done=attrs.evolve(LIMITED, items=(refused,)))
    of_file = attrs.evolve(REPORT, inventory="/srv/our servers.yml", steps=(*STEPS[:1], step))
    assert commands(of_file)[0] == (
        'easops do limit_eas_usage bob@contoso.example replace_policy=copy --inventory "/srv/our servers.yml"'
    )
    found = attrs.evolve(of_file, steps=STEPS[:1], status=Status.OK)
    assert commands(found)[0] == 'easops detect contact_sync_storm since=20m --inventory "/srv/our servers.yml"'
    of_share = attrs.evolve(found, inventory="\\\\files\\ops\\hosts.yml")  # no quotes are the same in all shells
    assert commands(of_share)[0] == "easops detect contact_sync_storm since=20m --inventory hosts.yml"


def test_an_undo_offers_the_recycle_that_puts_into_force_what_it_put_back() -> None:
    back = item("throttling policy of anna", Status.UNDONE, pending=True)
    step = StepResult(1, "Put back on contoso", "undo", "undo", Status.UNDONE, done=Done("undo", (back,)))
    undone = attrs.evolve(REPORT, kind="undo", playbook=f"undo of {R}", inventory="hosts.yml", steps=(step,))
    assert commands(attrs.evolve(undone, status=Status.UNDONE)) == [
        f'easops do recycle_app_pool --on runs=activesync --because "to put into force what undo of {R} put back" '
        "--inventory hosts.yml"
    ]
    assert commands(attrs.evolve(undone, status=Status.UNDONE, lab="contacts-storm")) == []
    unblocked = attrs.evolve(step, done=Done("undo", (attrs.evolve(back, pending=False),)))
    assert commands(attrs.evolve(undone, status=Status.UNDONE, steps=(unblocked,))) == []


def test_a_recycle_alone_offers_no_undo() -> None:
    recycled = StepResult(1, "Recycle", "do", "recycle_app_pool", Status.CHANGED, done=RECYCLED)
    assert labels(attrs.evolve(REPORT, steps=(recycled,), status=Status.CHANGED)) == []


@pytest.mark.parametrize("touched", [True, False])
def test_a_failed_item_offers_the_undo_of_what_it_changed(touched: bool) -> None:
    items = (attrs.evolve(LIMITED.items[0], status=Status.FAILED, reason="no", touched=touched),)
    step = StepResult(1, "Limit", "do", "limit_eas_usage", Status.FAILED, done=attrs.evolve(LIMITED, items=items))
    report = attrs.evolve(REPORT, steps=(step,), status=Status.FAILED)
    assert commands(report) == ([f"easops undo {R}"] if touched else [])


@pytest.mark.parametrize("checked", [False, True])
def test_a_lab_run_that_went_well_says_how_to_try_it_on_real_servers(checked: bool) -> None:
    command = "easops run storm --inventory hosts.yml --check"
    run_id = None if checked else R
    lab = attrs.evolve(REPORT, lab="contacts-storm", checked=checked, run_id=run_id)
    assert command in commands(attrs.evolve(lab, status=Status.CHANGED))
    assert command not in commands(attrs.evolve(lab, status=Status.REFUSED))
    assert command not in commands(attrs.evolve(REPORT, status=Status.CHANGED))


def check(**more: Any) -> RunReport:
    return attrs.evolve(REPORT, **{"run_id": None, "checked": True, "steps": (), "status": Status.OK, **more})


def repeats(report: RunReport) -> list[str]:
    return [repeat.difference for repeat in report.assessment.repeats]


def test_a_check_says_how_to_make_the_changes() -> None:
    items = tuple(attrs.evolve(item, status=Status.WOULD_CHANGE) for item in RECYCLED.items)
    done = attrs.evolve(RECYCLED, items=items)
    step = StepResult(1, "Recycle", "do", "recycle_app_pool", Status.WOULD_CHANGE, done=done)
    report = check(steps=(step,), status=Status.WOULD_CHANGE)
    assert (repeats(report), commands(report)) == (["without --check"], [])
    undo = attrs.evolve(report, kind="undo", command="20261123-120000-beef")
    assert (repeats(undo), commands(undo)) == ([], ["easops undo 20261123-120000-beef"])


def test_a_check_says_what_to_do_about_an_earlier_run() -> None:
    ended = check(earlier=OpenRun("20261123-120000-beef", "ended as failed with unfinished steps"))
    assert (repeats(ended), commands(ended)) == (["with --anew"], ["easops runs show 20261123-120000-beef"])
    died = check(earlier=OpenRun("20261123-120000-beef", "died", ended=False))
    assert repeats(died) == [], "it is refused with --anew, too"


@pytest.mark.parametrize(
    ("word", "command"),
    [
        ("anna@contoso.example", "do anna@contoso.example"),
        ("o'brien@contoso.example", 'do "o\'brien@contoso.example"'),
        ("CONTOSO\\anna", 'do "CONTOSO\\anna"'),
        ("anna$(reboot)@contoso.example", ""),
        ('anna"@contoso.example', ""),
        ("`anna`", ""),
        ("%anna%@contoso.example", ""),
        ("anna\nreboot", ""),
        ("", ""),
    ],
)
def test_a_word_that_a_shell_would_evaluate_is_in_no_command(word: str, command: str) -> None:
    assert typed("do", word) == command
