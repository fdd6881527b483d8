"""A command that is carried out when nobody waits for it any more: the run was killed, or its connection broke."""

from __future__ import annotations

import multiprocessing
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from easops.actions.block_user import SetActiveSyncEnabled
from easops.context import Context
from easops.exchange.cas_mailbox import set_active_sync_enabled
from easops.playbook.do import do
from easops.playbook.execution.caller import always
from easops.playbook.reconcile import reconcile
from easops.playbook.record.run_view import list_runs, show_run
from easops.playbook.undo import undo
from easops.remoting.pool import SessionPool
from easops.remoting.shell import AbandonedShells
from easops.status import Status

from .execution.test_dbos_engine import block
from .kill_matrix import ROWS, USER, WORLD, Row
from .late_proxy import late_proxy
from .organisation import reads
from .processes import easops
from .stage import Killed, Stage, new_stage
from .tasks import Kill, resume_run, run_text, undo_run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is needed to kill a run"),
]

BLOCK = next(row for row in ROWS if row.name == "block_user")
RECYCLE = next(row for row in ROWS if row.name == "recycle_app_pool")
QUEUED_FOR = 40.0
"""Seconds by the lab's clock for which a command waits in the server's queue."""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with new_stage(tmp_path, WORLD) as on:
        yield on


def queue_the_first(lab: Any, wanted: str, then: Callable[[], None] = lambda: None) -> None:
    """The first call of the cmdlet *wanted* waits in the queue; *then* is called when it is there."""
    perform, world = lab.world.perform, lab.world
    queued: list[str] = []

    def performing(cmdlet: Any, call: Any, *more: Any) -> Any:
        if cmdlet.name == wanted and not queued:
            queued.append(wanted)
            ends = world.now().timestamp() + QUEUED_FOR
            then()
            while world.now().timestamp() < ends:
                time.sleep(0.005)
        return perform(cmdlet, call, *more)

    world.perform = performing


def kill(stage: Stage, row: Row, moment: str | None = None) -> str:
    """Run *row*, killed at that moment of its change (None: when the server has its command); the run's id."""
    windows = stage.hosts[0].windows
    assert windows is not None
    end = None if moment is None else Kill(moment, row.change.format(windows.address))
    with pytest.raises(Killed):
        stage.in_process(run_text, row.text, stage.lab.inventory, end)
    return list_runs(stage.state)[0].run.run_id


def kill_while_queued(stage: Stage, row: Row) -> str:
    def kill_child() -> None:
        (child,) = multiprocessing.active_children()
        child.kill()

    queue_the_first(stage.lab, row.cmdlet, kill_child)
    return kill(stage, row)


def let_pass(stage: Stage) -> None:
    """Let an hour pass, so that whatever is queued is carried out."""
    stage.lab.world.advance(3600)
    time.sleep(0.2)


def cmdlets(stage: Stage) -> list[str]:
    return [cmdlet for _, cmdlet, _ in stage.sent()]


@pytest.mark.parametrize("row", [BLOCK, RECYCLE], ids=["a value", "a recycle"])
def test_a_command_that_waits_in_the_servers_queue_is_not_sent_again_by_a_resume(stage: Stage, row: Row) -> None:
    before = stage.reads()
    run_id = kill_while_queued(stage, row)

    report = stage.in_process(resume_run, run_id)

    assert report.status is Status.CHANGED
    let_pass(stage)
    assert cmdlets(stage) == [row.cmdlet]
    stage.in_process(undo_run, run_id)
    assert stage.reads() == before


def test_a_reconcile_waits_for_a_command_in_the_servers_queue(stage: Stage) -> None:
    run_id = kill_while_queued(stage, BLOCK)

    ((_, outcome),) = stage.in_process(reconcile, run_id)

    assert outcome.status is Status.CHANGED
    assert cmdlets(stage) == [BLOCK.cmdlet]


def test_an_undo_waits_for_a_command_in_the_servers_queue(stage: Stage) -> None:
    before = stage.reads()
    run_id = kill_while_queued(stage, BLOCK)

    assert stage.in_process(undo_run, run_id).status is Status.UNDONE

    let_pass(stage)
    assert stage.reads() == before


@pytest.mark.parametrize("row", [BLOCK, RECYCLE], ids=["a value", "a recycle"])
def test_a_resumed_change_that_cannot_be_read_is_unknown_and_stays_open(stage: Stage, row: Row) -> None:
    before = stage.reads()
    run_id = kill(stage, row, "acted")
    stage.lab.world.advance(3600)
    stage.lab.faults.refuse_shells(1000)

    report = stage.in_process(resume_run, run_id)

    assert (report.status, report.exit_code) == (Status.UNKNOWN, 6)
    assert len(show_run(run_id, stage.state).open) == 1
    stage.lab.faults._refusals.clear()
    stage.in_process(undo_run, run_id)
    assert stage.reads() == before
    assert cmdlets(stage).count(row.cmdlet) == (2 if row is BLOCK else 1)


def test_what_a_colleague_did_after_a_run_died_is_not_undone(stage: Stage) -> None:
    run_id = kill(stage, BLOCK, "after-intent")
    with SessionPool() as sessions:
        set_active_sync_enabled(sessions.open(stage.hosts[0], "exchange"), USER, False)
    blocked = stage.reads()

    report = stage.in_process(resume_run, run_id)

    assert [(item.status, item.touched) for item in report.steps[0].items] == [(Status.OK, False)]
    stage.in_process(undo_run, run_id)
    assert stage.reads() == blocked


def test_a_deed_that_may_be_a_colleagues_is_undone_with_a_word_about_it(stage: Stage) -> None:
    run_id = kill(stage, BLOCK, "acted")
    (item,) = stage.in_process(resume_run, run_id).steps[0].items
    assert "somebody else may have done the same" in item.reason

    (step,) = undo(run_id, check=True, state=stage.state).steps

    assert "somebody else may have done the same" in step.items[0].reason


@pytest.mark.parametrize("cmdlet", ["Set-CASMailbox"])
def test_a_command_whose_connection_was_reset_and_that_arrives_late_is_found(rig: Any, cmdlet: str) -> None:
    lab = rig("contacts-storm")
    before = reads(lab.hosts)
    queue_the_first(lab.lab, cmdlet)
    lab.lab.faults.drop("acknowledgement", cmdlet=cmdlet)

    report = block(lab)

    assert report.status is Status.CHANGED
    assert [name for name, _ in lab.sent()] == [cmdlet]
    assert undo(str(report.run_id), state=lab.state, confirm=always).status is Status.UNDONE
    assert reads(lab.hosts) == before


def test_the_command_line_waits_and_ends_with_0_for_a_command_that_was_queued_when_it_was_killed(rig: Any) -> None:
    lab, here, may_go_on = rig("contacts-storm"), threading.Event(), threading.Event()
    perform = lab.lab.world.perform

    def performing(cmdlet: Any, call: Any, *more: Any) -> Any:
        if cmdlet.name == "Set-CASMailbox":
            here.set()
            may_go_on.wait(60)
        return perform(cmdlet, call, *more)

    lab.lab.world.perform = performing
    credentials = ("--inventory", str(lab.lab.inventory))
    with easops(lab.state, "do", "block_user", f"user={USER}", *credentials, "--yes") as child:
        assert here.wait(60)
        child.kill()
    run_id = list_runs(lab.state)[0].run.run_id

    with easops(lab.state, "runs", "resume", run_id, "--yes") as resumed:
        assert resumed.stdout is not None
        waits = next(line for line in resumed.stdout if "waiting until ActiveSync of" in line)
        may_go_on.set()
        assert resumed.wait(60) == 0

    assert "shows what became of the change" in waits
    assert [name for name, _ in lab.sent()] == ["Set-CASMailbox"]


@pytest.mark.parametrize("deleted", [False, True], ids=["in a shell that stays", "when its shell is deleted already"])
def test_a_command_that_a_proxy_forwards_after_it_reset_the_connection_is_found(
    rig: Any, monkeypatch: pytest.MonkeyPatch, deleted: bool
) -> None:
    """Where the shell of the broken session is deleted first, the command is refused, and truly not done."""
    if not deleted:
        monkeypatch.setattr(AbandonedShells, "delete", lambda self, delete: None)
    lab = rig("contacts-storm")
    before = reads(lab.hosts)
    world, write = lab.lab.world, SetActiveSyncEnabled.write

    def wait() -> None:
        ends = world.now().timestamp() + QUEUED_FOR
        while world.now().timestamp() < ends:
            time.sleep(0.005)

    first, *others = lab.hosts
    with late_proxy(first, wait) as (proxy, through):

        def writing(change: SetActiveSyncEnabled, context: Context) -> None:
            if not proxy.held:
                proxy.hold()
            write(change, context)

        monkeypatch.setattr(SetActiveSyncEnabled, "write", writing)
        hosts = (through, *(attrs.evolve(host, exchange=None) for host in others))
        report = do("block_user", hosts, {"user": USER}, confirm=True, state=lab.state)
        undone = undo(str(report.run_id), state=lab.state, confirm=always)

    assert proxy.held == 1
    expected = (Status.FAILED, Status.OK) if deleted else (Status.CHANGED, Status.UNDONE)
    assert (report.status, undone.status) == expected
    assert [name for name, _ in lab.sent()] == ([] if deleted else ["Set-CASMailbox"] * 2)
    assert reads(lab.hosts) == before
