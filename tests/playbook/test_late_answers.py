"""Answers that arrive late, or after easops stopped waiting: what the run reports then, and what it does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from easops.actions import ACTIONS
from easops.detectors import DETECTORS
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.execution.caller import always
from easops.playbook.language.load import load_playbook_text
from easops.playbook.reconcile import reconcile
from easops.playbook.record.run_view import show_run
from easops.playbook.resume import resume
from easops.playbook.run import run
from easops.playbook.undo import undo
from easops.remoting.command import Call, pipeline
from easops.remoting.psrp import PsrpSession
from easops.remoting.result import Result
from easops.status import Status

from .execution.test_dbos_engine import block
from .organisation import reads
from .processes import BLOCKS, USERS, wait_until

pytestmark = pytest.mark.slow

Start = Callable[..., Any]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer to a change is waited for longer than a second or two."""
    invoke = PsrpSession.invoke

    def hasty(session: PsrpSession, call: Call, *, deadline: float = 60.0) -> Result:
        return invoke(session, call, deadline=deadline if pipeline(call).reads else 1.5)

    monkeypatch.setattr(PsrpSession, "invoke", hasty)
    monkeypatch.setattr("easops.remoting.psrp.GRACE", 0.5)


def status_and_reason(report: RunReport) -> tuple[Status, str]:
    (item,) = report.steps[0].items
    return item.status, item.reason


def sent(lab: Any) -> list[str]:
    return [name for name, _ in lab.sent()]


def test_an_answer_that_is_only_late_is_waited_for(rig: Start) -> None:
    lab = rig("contacts-storm")
    lab.lab.faults.delay("acknowledgement", 0.5, cmdlet="Set-CASMailbox")
    assert status_and_reason(block(lab)) == (Status.CHANGED, "")
    assert sent(lab) == ["Set-CASMailbox"]


@pytest.mark.usefixtures("impatient")
def test_a_call_that_was_given_up_and_had_been_carried_out_is_found_by_reading(rig: Start) -> None:
    lab = rig("contacts-storm")
    lab.lab.faults.delay("acknowledgement", 5.0, cmdlet="Set-CASMailbox")
    report = block(lab)
    assert report.status is Status.CHANGED
    (outcome,) = [outcome for _, outcome in show_run(str(report.run_id), lab.state).changes]
    assert outcome is not None
    assert "somebody else may have done the same" in outcome.reason
    assert sent(lab) == ["Set-CASMailbox"]
    assert show_run(str(report.run_id), lab.state).open == ()


@pytest.mark.usefixtures("impatient")
def test_a_call_that_was_given_up_and_shows_no_effect_is_unknown_and_what_comes_of_it_later_is_undone(
    rig: Start,
) -> None:
    lab = rig("contacts-storm")
    before = reads(lab.hosts)
    perform, may_go_on = lab.lab.world.perform, threading.Event()

    def late(cmdlet: Any, call: Any, moment: Any = None) -> Any:
        if cmdlet.name == "Set-CASMailbox":
            may_go_on.wait(60)
        return perform(cmdlet, call, moment)

    lab.lab.world.perform = late

    report = block(lab)

    status, reason = status_and_reason(report)
    assert (status, report.exit_code, sent(lab)) == (Status.UNKNOWN, 6, [])
    assert "no answer within the deadline; so far the state is as before" in reason
    may_go_on.set()
    assert wait_until(lambda: sent(lab) == ["Set-CASMailbox"])  # the server got to it when nobody waited any more

    ((_, found),) = reconcile(str(report.run_id), state=lab.state)
    assert found.status is Status.CHANGED
    assert undo(str(report.run_id), state=lab.state, confirm=always).status is Status.UNDONE
    assert reads(lab.hosts) == before


@pytest.mark.usefixtures("impatient")
def test_after_a_resume_the_record_and_the_report_say_the_same_of_a_change_that_was_unknown(rig: Start) -> None:
    lab = rig("contacts-storm")
    perform, may_go_on = lab.lab.world.perform, threading.Event()

    def late(cmdlet: Any, call: Any, moment: Any = None) -> Any:
        if cmdlet.name == "Set-CASMailbox":
            may_go_on.wait(60)
        return perform(cmdlet, call, moment)

    lab.lab.world.perform = late
    blocks = load_playbook_text(BLOCKS, "blocks.yml", actions=ACTIONS, detectors=DETECTORS)
    first = run(blocks, lab.hosts, {"users": USERS[:2]}, confirm=True, state=lab.state)
    assert [item.status for item in first.steps[0].items] == [Status.UNKNOWN, Status.NOT_STARTED]
    may_go_on.set()
    assert wait_until(lambda: len(sent(lab)) == 1)

    report = resume(str(first.run_id), confirm=True, state=lab.state)

    assert [item.status for item in report.steps[0].items] == [Status.CHANGED, Status.CHANGED]
    view = show_run(str(first.run_id), lab.state)
    assert [outcome and outcome.status for _, outcome in view.changes] == [Status.CHANGED, Status.CHANGED]
    assert (len(sent(lab)), report.exit_code, view.open) == (2, 0, ())
