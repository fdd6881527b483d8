"""A run's end as a message."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import attrs
import pytest

from easops.errors import UnreachableHost
from easops.playbook.assessment.ending import Ending
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.steps.approval_request import Approval, PlannedChange
from easops.playbook.steps.step_result import StepResult
from easops.report.message import Message, message_of
from easops.status import Status

from .samples import ANNA, AT, LOST, REPORT, STEPS, STORM, recorded


def message(report: RunReport = REPORT, **run: Any) -> Message:
    return message_of(Ending(recorded(report, **run)), "20261124-170000-abcd.end")


def test_it_says_what_was_found_changed_and_proved_and_what_to_type_last() -> None:
    sent = message()
    assert sent.subject == "[easops] refused: Cure a storm, run 20261124-170000-abcd"
    lines = sent.text.splitlines()
    assert lines[:3] == [
        "Cure a storm",
        "run 20261124-170000-abcd: refused",
        "by night on desk, started 2026-11-24 17:00:00Z, ended 2026-11-24 17:00:00Z",
    ]
    assert "  anna@contoso.example: 15 contact syncs over 2000 RPC" in lines
    assert "changed       limit_eas_usage: anna@contoso.example" in lines
    assert "refused       bob@contoso.example: protected" in lines
    assert lines[-1] == "undo          easops undo 20261124-170000-abcd"
    assert max(map(len, lines)) <= 80


def test_a_program_gets_the_run_as_json_gives_it() -> None:
    document = json.loads(message().body("document"))
    assert (document["status"], document["exit_code"], document["changed"]) == ("refused", 3, True)
    assert (document["event"], document["moment"], document["by"]) == ("trouble", "end", "night")
    assert document["steps"][2]["items"][0]["item"] == ANNA.user
    assert document["text"] == message().text
    assert document["left_out"] == []


def test_a_wanted_approval_shows_what_is_to_be_approved_until_when_and_the_command() -> None:
    subject, before, after = f"throttling policy of {ANNA.user}", {"policy": None}, {"policy": "ours"}
    where = (2, None, "limit_eas_usage", "organisation contoso", ANNA.user)
    change = PlannedChange(*where, subject, "guid-1", before, after, "exact", "after a recycle")
    approval = Approval(
        "they flood",
        (change, attrs.evolve(change, item="bob")),
        "d1ce" * 16,
        "somebody_else",
        until=AT + dt.timedelta(hours=4),
    )
    step = StepResult(1, "Agree", "approval", "approval", Status.AWAITING_APPROVAL, stops=True, approval=approval)
    report = attrs.evolve(REPORT, steps=(step,), status=Status.AWAITING_APPROVAL, unfinished=True)

    sent = message(report)

    assert sent.subject.startswith("[easops] awaiting approval: ")
    assert sent.document["event"] == "approval"
    assert f"      throttling policy of {ANNA.user}" in sent.text.splitlines()
    assert "policy none -> ours" in sent.text
    assert sent.text.count("    effective after a recycle\n") == 1
    assert "to be approved until 2026-11-24 21:00:00Z, by somebody other than the requester" in " ".join(
        sent.text.split()
    )
    assert [line.split()[0] for line in sent.text.splitlines()[-3:]] == ["approve", "resume", "close"]


def test_a_run_in_the_lab_is_not_taken_for_a_real_one() -> None:
    sent = message(attrs.evolve(REPORT, lab="contacts-storm"))
    assert sent.subject.startswith("[easops lab] ")
    assert "no real server was touched" in sent.text


def test_a_run_that_was_stopped_says_how_to_go_on() -> None:
    sent = message(attrs.evolve(REPORT, stopped=True), ended=None, status=None)
    assert sent.subject.startswith("[easops] stopped: ")
    assert sent.text.splitlines()[-4:] == [
        "status        stopped",
        "resume        easops runs resume 20261124-170000-abcd",
        "undo          easops undo 20261124-170000-abcd",
        "close         easops runs abandon 20261124-170000-abcd",
    ]
    assert "unfinished    the run did not come to its end: it was stopped" in sent.text
    assert sent.document["exit_code"] is None
    assert sent.document["status"] == "stopped"


def test_it_says_what_kept_a_run_from_its_first_step() -> None:
    problem = UnreachableHost("EX1 cannot be reached", "nothing listens there", "see that it runs")
    empty = attrs.evolve(REPORT, steps=(), status=Status.UNREACHABLE)
    sent = message(attrs.evolve(empty, problem=problem))
    assert "easops: EX1 cannot be reached" in sent.text
    assert "  why:  nothing listens there" in sent.text
    assert sent.document["error"]["next"] == "see that it runs"


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (attrs.evolve(REPORT, steps=(), status=Status.OK), ("end",)),
        (attrs.evolve(REPORT, steps=(), status=Status.OK, stopped=True), ("trouble", "end")),
        (attrs.evolve(REPORT, steps=(), status=Status.OK, problem=UnreachableHost("x")), ("trouble", "end")),
        (attrs.evolve(REPORT, steps=STEPS[:1], status=Status.OK), ("found", "end")),
        (attrs.evolve(REPORT, status=Status.CHANGED), ("changed", "found", "end")),
        (REPORT, ("trouble", "changed", "found", "end")),
        (attrs.evolve(REPORT, steps=(), status=Status.AWAITING_APPROVAL), ("approval", "end")),
        (attrs.evolve(REPORT, steps=(), status=Status.UNKNOWN), ("trouble", "end")),
    ],
)
def test_an_end_is_called_what_is_true_of_it(report: RunReport, words: tuple[str, ...]) -> None:
    assert Ending(recorded(report)).words == words


def test_a_step_that_could_not_look_is_named_with_its_reason() -> None:
    step = StepResult(1, "Who floods", "detect", "x", Status.UNREACHABLE, "EX2: no route", detection=LOST, stops=True)
    sent = message(attrs.evolve(REPORT, steps=(step,), status=Status.UNREACHABLE))
    assert "Who floods: unreachable: EX2: no route" in sent.text


def test_hostile_names_stay_in_their_place() -> None:
    evil = "evil\r\nBcc: all@contoso.example\x1b[2J <!channel> ```"
    user = attrs.evolve(ANNA, user=evil, evidence=evil)
    step = StepResult(1, evil, "detect", "x", Status.OK, detection=attrs.evolve(STORM, users=(user,)))
    sent = message(attrs.evolve(REPORT, steps=(step,), playbook=evil))
    assert sent.subject.isprintable()
    assert len(sent.subject) <= 150
    assert "\x1b" not in sent.text
    assert "\nBcc:" not in sent.text
    chat = json.loads(sent.body("text"))["text"]
    assert (chat.count("```"), "<!" in chat) == (2, False)


def test_it_is_never_larger_than_a_chat_or_a_mail_takes() -> None:
    long = "x" * 3000 + " ünïcode" * 500
    users = tuple(attrs.evolve(ANNA, user=f"user{number}@contoso.example", evidence=long) for number in range(300))
    step = StepResult(1, "Who", "detect", "x", Status.OK, detection=attrs.evolve(STORM, users=users))
    sent = message(attrs.evolve(REPORT, steps=(step, *STEPS[2:])))
    sizes = {kind: len(sent.body(kind)) for kind in ("text", "card", "document")}
    assert sizes["text"] < 12_000
    assert sizes["card"] < 28_000, "what Microsoft Teams takes"
    assert sizes["document"] <= 256 * 1024
    assert sent.document["left_out"] == ["findings", "steps.detection"]
    assert sent.text.splitlines()[-1] == "undo          easops undo 20261124-170000-abcd"
    assert "\n  ...\n" in sent.text
