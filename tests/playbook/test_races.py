"""Many processes on one database that want one target, on either database."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from easops.playbook.language.find import find_playbook
from easops.playbook.record.run_view import list_runs, show_run
from easops.playbook.record.state_folder import StateFolder
from easops.playbook.run import submit

from .gate import Gate
from .processes import BLOCKS, USERS, easops, wait_until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="the processes are killed by signal"),
]

Start = Callable[..., Any]

RACERS = 4


@pytest.fixture
def playbook(tmp_path: Path) -> Path:
    path = tmp_path / "blocks.yml"
    path.write_text(BLOCKS, encoding="utf-8")
    return path


def test_no_two_of_their_writes_overlap(rig: Start, database: StateFolder, playbook: Path) -> None:
    lab = rig("contacts-storm", state=database)
    gate = Gate(lab.lab)
    users = [mailbox.smtp for mailbox in lab.lab.world.directory.mailboxes if not mailbox.monitoring][: 2 * RACERS]
    with ExitStack() as stack:
        words = ["run", str(playbook), "-i", str(lab.lab.inventory), "--yes", "--quiet"]
        racers = [
            stack.enter_context(easops(database, *words, "--input", f"users={users[n]},{users[n + RACERS]}"))
            for n in range(RACERS)
        ]
        ends = [racer.communicate()[0] for racer in racers]
    assert [racer.returncode for racer in racers] == [0] * RACERS, ends
    assert sorted(gate.users) == sorted(users)
    assert gate.spans == ["begin", "end"] * len(users)
    assert {view.status for view in list_runs(database)} == {"changed"}


def test_a_live_holder_is_waited_for_and_a_dead_one_refused_with_what_to_type(
    rig: Start, database: StateFolder, playbook: Path
) -> None:
    lab = rig("contacts-storm", state=database)
    gate = Gate(lab.lab, number=1)
    words = ["run", str(playbook), "-i", str(lab.lab.inventory), "--yes", "--input"]
    with easops(database, *words, f"users={USERS[0]}") as holder:
        assert gate.reached.wait(60)
        block_another = ["do", "block_user", USERS[1], "-i", str(lab.lab.inventory), "--yes", "--json"]
        with easops(database, *block_another) as other:
            assert other.stdout is not None
            waits = next(line for line in other.stdout if "waiting for run" in line)
            holder.send_signal(signal.SIGKILL)
            refused = json.loads("{" + other.communicate()[0].partition("{")[2])
            assert other.returncode == 3
        gate.open()
    (died,) = (view.run.run_id for view in list_runs(database) if view.status == "died")
    assert f"waiting for run {died}" in waits
    reason = refused["steps"][0]["items"][0]["reason"]
    assert all(f"easops {way} {died}" in reason for way in ("runs resume", "undo", "runs abandon"))
    assert gate.users == [USERS[0]]


@pytest.mark.parametrize(
    ("database", "killed"), [("sqlite", "the worker"), ("postgresql", "its machine")], indirect=["database"]
)
def test_a_run_whose_worker_was_killed_goes_on_at_another_which_tells_whom_the_record_names(
    rig: Start, database: StateFolder, playbook: Path, killed: str, tmp_path: Path
) -> None:
    lab = rig("contacts-storm", state=database)
    gate = Gate(lab.lab, number=2)
    notifications, log = tmp_path / "notify.yml", tmp_path / "runs.jsonl"
    notifications.write_text(f"easops: 1\nnotifications: [{{name: log, file: '{log}'}}]\n", encoding="utf-8")
    words = ["run", str(playbook), "-i", str(lab.lab.inventory), "--yes", "--submit", "--json"]
    words += ["--notify", str(notifications)]
    with easops(database, *words, "--input", f"users={','.join(USERS)}") as submitter:
        run_id = json.loads(submitter.communicate()[0])["run_id"]
    assert show_run(run_id, database).status == "waiting"
    assert gate.users == []

    with easops(database, "worker", run_id, new_group=True) as first:
        assert gate.reached.wait(60)
        assert show_run(run_id, database).status == "running"
        if killed == "the worker":
            first.kill()
        else:
            os.killpg(first.pid, signal.SIGKILL)
        gate.open()
        assert wait_until(lambda: show_run(run_id, database).status in ("died", "stopped"))
    assert gate.users == list(USERS[:2])

    with easops(database, "worker", run_id, "--json") as second:
        said = second.communicate()[0]
    served = json.loads("{" + said.partition("\n{")[2])
    assert (second.returncode, served["exit_code"], served["status"]) == (0, 0, "changed"), said
    assert [change["status"] for change in served["runs"][0]["changes"]] == ["changed"] * len(USERS)
    assert gate.users == list(USERS)
    notices = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    # Without its worker a process stops of itself, and can say so.
    stopped = [("stopped", "trouble")] if killed == "the worker" else []
    assert [(notice["moment"], notice["event"]) for notice in notices] == [*stopped, ("end", "changed")]


@pytest.mark.parametrize(
    ("database", "number", "code"),
    [("postgresql", signal.SIGINT, 130), ("sqlite", signal.SIGTERM, 143)],
    indirect=["database"],
)
def test_a_worker_that_is_stopped_lets_its_runs_finish_what_is_under_way(
    rig: Start, database: StateFolder, playbook: Path, number: int, code: int
) -> None:
    lab = rig("contacts-storm", state=database)
    gate = Gate(lab.lab, number=2)
    run_id = submit(find_playbook(playbook), lab.hosts, {"users": USERS}, state=database)
    with easops(database, "worker", run_id, "--json", new_group=True) as worker:
        assert gate.reached.wait(60)
        os.killpg(worker.pid, number)  # as a terminal and a service manager do: to its children, too
        assert worker.stdout is not None
        assert any("stopping" in line for line in worker.stdout)
        gate.open()
        said = worker.communicate()[0]
    served = json.loads("{" + said.partition("\n{")[2])
    assert (worker.returncode, served["exit_code"]) == (code, code), said
    assert [change["status"] for change in served["runs"][0]["changes"]] == ["changed", "changed"]
    assert gate.users == list(USERS[:2])
    assert show_run(run_id, database).status == "stopped"


def test_two_cures_that_are_started_together_recycle_each_server_once(rig: Start) -> None:
    lab = rig("stranded-pings")
    words = ["run", "stranded-pings", "-i", str(lab.lab.inventory), "--yes", "--json", "--anew"]
    with ExitStack() as stack:
        runs = [stack.enter_context(easops(lab.state, *words)) for _ in range(2)]
        told = [run.communicate()[0] for run in runs]
    # Two servers of the scenario have stranded Pings.
    assert lab.sent() == [("Restart-WebAppPool", {"Name": "MSExchangeSyncAppPool"})] * 2, told
    assert [run.returncode for run in runs] == [0, 0], told
