"""kill -9 in the middle of a run: what the record says then, and the ways out."""

from __future__ import annotations

import importlib.metadata
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

import easops
from easops.actions import ACTIONS
from easops.detectors import DETECTORS
from easops.errors import Refused
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.execution.caller import always
from easops.playbook.execution.execute_run import recorded_origin
from easops.playbook.execution.journal import PROTOCOL
from easops.playbook.language.load import load_playbook_text
from easops.playbook.reconcile import abandon
from easops.playbook.record.run_store import RunStore
from easops.playbook.record.run_view import list_runs, show_run
from easops.playbook.resume import resume
from easops.playbook.run import submit
from easops.playbook.steps.codec import dumps
from easops.playbook.undo import undo
from easops.status import Status

from .processes import BLOCKS, USERS, environment_of, script

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is needed to kill a run")]

Start = Callable[..., Any]

ASSOCIATION = "3.organisation contoso.1.1"
"""The second user's second change: the policy is made already, his association with it is next."""

MOMENTS = ["before-intent", "after-intent", "acted", "committed"]


def kill(rig: Any, moment: str, change: str = ASSOCIATION) -> str:
    """Run the playbook in a process of its own, killed at that moment; the run's id."""
    words = script("killed_run.py", moment, change, rig.lab.inventory, rig.state.path)
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL), done.stderr
    (view,) = list_runs(rig.state)
    assert view.status == "died"
    return view.run.run_id


def associations(rig: Any) -> list[str]:
    return [parameters["Identity"] for name, parameters in rig.sent() if name == "Set-ThrottlingPolicyAssociation"]


def do(rig: Any, action: str, values: dict[str, Any], on: str | None = None, because: str | None = None) -> RunReport:
    return easops.do(action, rig.hosts, values, on=on, because=because, confirm=True, state=rig.state)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_resumed_run_ends_with_each_change_sent_once_and_undo_restores(rig: Start, moment: str) -> None:
    lab = rig("contacts-storm")
    run_id = kill(lab, moment)
    sent = associations(lab)

    report = resume(run_id, confirm=always, state=lab.state)

    assert [str(step.status) for step in report.steps] == ["ok", "ok", "changed", "changed", "ok", "ok"]
    assert len(sent) == (1 if moment in ("before-intent", "after-intent") else 2)
    assert associations(lab)[: len(sent)] == sent
    assert len(associations(lab)) == len(set(associations(lab))) == 4
    assert [name for name, _ in lab.sent()].count("Restart-WebAppPool") == 2
    assert undo(run_id, confirm=always, state=lab.state).status is Status.UNDONE


@pytest.mark.parametrize(
    ("moment", "known", "open_"),
    [("before-intent", 3, 0), ("after-intent", 3, 1), ("acted", 3, 1), ("committed", 4, 0)],
)
def test_the_record_says_what_was_done_and_what_is_not_known(rig: Start, moment: str, known: int, open_: int) -> None:
    lab = rig("contacts-storm")
    view = show_run(kill(lab, moment), lab.state)
    assert [outcome is not None for _, outcome in view.changes].count(True) == known
    assert len(view.open) == open_
    assert [step.number for step in view.steps] == [1, 2]


def test_nothing_of_it_moves_by_itself_and_its_target_is_refused_with_what_to_type(rig: Start) -> None:
    lab = rig("contacts-storm")
    run_id = kill(lab, "acted")
    sent = lab.sent()

    with pytest.raises(Refused, match=run_id) as same_playbook:
        lab.cure()
    same_target = do(lab, "block_user", {"user": "laura.brandt@contoso.example"})
    other_target = do(lab, "recycle_app_pool", {}, on="name=AMS-EX02", because="another target")

    ways = [f"easops runs resume {run_id}", f"easops undo {run_id}", f"easops runs abandon {run_id}"]
    assert all(way in same_playbook.value.next_step for way in ways)
    assert same_target.status is Status.REFUSED
    assert all(way in same_target.steps[0].items[0].reason for way in ways)
    assert other_target.status is Status.CHANGED
    assert lab.sent() == [*sent, ("Restart-WebAppPool", {"Name": "MSExchangeSyncAppPool"})]


def test_abandon_settles_what_is_not_known_and_frees_the_target(rig: Start) -> None:
    lab = rig("contacts-storm")
    run_id = kill(lab, "acted")

    found = abandon(run_id, state=lab.state)

    assert [outcome.status for _, outcome in found] == [Status.CHANGED]
    assert show_run(run_id, lab.state).status == "abandoned"
    assert lab.cure().status is Status.CHANGED
    with pytest.raises(Refused, match="closed"):
        resume(run_id, state=lab.state)


def test_undo_of_a_dead_run_puts_back_what_it_did_and_no_more(rig: Start) -> None:
    lab = rig("contacts-storm")
    run_id = kill(lab, "acted")
    treated = set(associations(lab))

    undone = undo(run_id, confirm=always, state=lab.state)

    assert undone.status is Status.UNDONE
    back = associations(lab)[len(treated) :]
    assert set(back) == treated
    assert show_run(run_id, lab.state).status == f"undone by {undone.run_id}"


def test_an_undo_takes_over_from_a_submitted_run_neither_its_confirmation_nor_what_made_it(rig: Start) -> None:
    lab = rig("contacts-storm")
    blocks = load_playbook_text(BLOCKS, "blocks.yml", actions=ACTIONS, detectors=DETECTORS)
    run_id = submit(blocks, lab.hosts, {"users": USERS[:1]}, state=lab.state)  # confirmed hereby
    assert resume(run_id, state=lab.state).status is Status.CHANGED
    store = RunStore(lab.state.database_url)
    made_by_another = {"protocol": PROTOCOL - 1, "version": "0.0.1", "by": "another"}
    store.update(run_id, document=dumps({**store.get(run_id).document, **made_by_another}))
    store.close()
    dying = (
        "import os, signal, sys; from easops.playbook.undo import undo\n"
        "undo(sys.argv[1], confirm=lambda preview: os.kill(os.getpid(), signal.SIGKILL))\n"
    )
    died = subprocess.run([sys.executable, "-c", dying, run_id], env=environment_of(lab.state), check=False)
    assert died.returncode == -signal.SIGKILL
    undoing = list_runs(lab.state)[0].run
    sent = lab.sent()

    report = resume(undoing.run_id, confirm=False, state=lab.state)

    assert [step.reason for step in report.steps] == ["not confirmed: nothing was changed"]
    assert lab.sent() == sent
    made = {name: undoing.document[name] for name in made_by_another}
    version = importlib.metadata.version("easops")
    assert made == {"protocol": PROTOCOL, "version": version, "by": recorded_origin()["by"]}
