"""Ctrl-C and SIGTERM in the middle of a run."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from easops.playbook.record.run_view import list_runs, show_run
from easops.playbook.record.state_folder import StateFolder
from easops.playbook.resume import resume
from easops.status import Status

from .gate import Gate
from .processes import BLOCKS, USERS, easops, environment_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="the processes are stopped by signal"),
]

Start = Callable[..., Any]


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """The command line that blocks all users, but for the inventory's name."""
    path = tmp_path / "blocks.yml"
    path.write_text(BLOCKS, encoding="utf-8")
    return ["run", str(path), "--yes", "--quiet", "--input", f"users={','.join(USERS)}", "-i"]


@pytest.mark.parametrize(
    ("database", "number", "code"),
    [("sqlite", signal.SIGINT, 130), ("postgresql", signal.SIGTERM, 143)],
    indirect=["database"],
)
def test_the_write_in_flight_is_finished_and_read_back_and_nothing_further_starts(
    rig: Start, database: StateFolder, words: list[str], number: int, code: int
) -> None:
    lab = rig("contacts-storm", state=database)
    gate = Gate(lab.lab, number=2)
    with easops(database, *words, str(lab.lab.inventory)) as child:
        assert gate.reached.wait(60)
        child.send_signal(number)
        assert child.stdout is not None
        assert any("stopping" in line for line in child.stdout)
        gate.open()
        said = child.communicate()[0]
    (view,) = list_runs(database)
    run_id = view.run.run_id
    assert child.returncode == code, said
    assert f"easops runs resume {run_id}" in said
    assert "was finished and recorded" in said
    assert view.status == "stopped"
    changes = show_run(run_id, database).changes
    assert [outcome and outcome.status for _, outcome in changes] == [Status.CHANGED, Status.CHANGED]
    assert gate.users == list(USERS[:2])

    report = resume(run_id, confirm=lambda preview: True, state=database)

    assert [item.status for item in report.steps[0].items] == [Status.CHANGED] * len(USERS)
    assert gate.users == list(USERS)


def test_what_was_intended_and_not_sent_when_it_stopped_is_told_as_not_sent(rig: Start, words: list[str]) -> None:
    lab = rig("contacts-storm")
    planned = len(USERS)
    reads = Gate(lab.lab, number=planned + 1, cmdlet="Get-CASMailbox")  # the look before the first write
    writes = Gate(lab.lab)
    with easops(lab.state, *words, str(lab.lab.inventory)) as child:
        assert reads.reached.wait(60)
        child.send_signal(signal.SIGINT)
        assert child.stdout is not None
        assert any("stopping" in line for line in child.stdout)
        reads.open()
        said = child.communicate()[0]
    (view,) = list_runs(lab.state)
    shown = show_run(view.run.run_id, lab.state)
    assert "was finished and recorded" in said
    assert [(outcome and outcome.status, outcome and outcome.reason) for _, outcome in shown.changes] == [
        (Status.NOT_STARTED, "not sent: the run was stopped before it")
    ]
    assert not shown.open
    assert writes.users == []

    report = resume(view.run.run_id, confirm=lambda preview: True, state=lab.state)

    assert [item.status for item in report.steps[0].items] == [Status.CHANGED] * len(USERS)
    assert writes.users == list(USERS)


def test_a_write_that_outlasts_the_stop_is_left_to_a_read(rig: Start, words: list[str]) -> None:
    lab = rig("contacts-storm")
    gate = Gate(lab.lab, number=2)
    script = Path(__file__).parent / "stopped_run.py"
    command = [sys.executable, str(script), "0.2", *words, str(lab.lab.inventory)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment_of(lab.state)
    ) as child:
        assert gate.reached.wait(60)
        child.send_signal(signal.SIGINT)
        said = child.communicate()[0]  # it ends although the answer is still held
    gate.open()
    (view,) = list_runs(lab.state)
    assert child.returncode == 130, said
    assert "the outcome of the last operation is unknown" in said
    assert len(show_run(view.run.run_id, lab.state).open) == 1

    report = resume(view.run.run_id, confirm=lambda preview: True, state=lab.state)

    assert report.status is Status.CHANGED
    assert gate.users == list(USERS)


def test_a_second_ctrl_c_ends_it_at_once(rig: Start, words: list[str]) -> None:
    lab = rig("contacts-storm")
    gate = Gate(lab.lab, number=1)
    with easops(lab.state, *words, str(lab.lab.inventory)) as child:
        assert gate.reached.wait(60)
        child.send_signal(signal.SIGINT)
        assert child.stdout is not None
        assert any("stopping" in line for line in child.stdout)
        child.send_signal(signal.SIGINT)
        assert child.wait(60) == 130
    gate.open()
    assert len(show_run(list_runs(lab.state)[0].run.run_id, lab.state).open) == 1


def test_a_database_that_somebody_holds_does_not_keep_whoever_stops_a_run_and_it_says_what_is_not_recorded(
    rig: Start, words: list[str], tmp_path: Path
) -> None:
    lab = rig("contacts-storm")
    gate = Gate(lab.lab, number=2)
    (tmp_path / "notify.yml").write_text(
        "easops: 1\nnotifications:\n  - {name: log, file: told.jsonl}\n", encoding="utf-8"
    )
    script = Path(__file__).parent / "stopped_run.py"
    more = ["--notify", str(tmp_path / "notify.yml"), "--html", str(tmp_path / "run.html")]
    command = [sys.executable, str(script), "0.2", *words, str(lab.lab.inventory), *more]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment_of(lab.state)
    ) as child:
        assert gate.reached.wait(60)
        somebody = sqlite3.connect(lab.state.database_url.removeprefix("sqlite:///"), timeout=60, isolation_level=None)
        somebody.execute("BEGIN EXCLUSIVE")
        child.send_signal(signal.SIGINT)
        said = " ".join(child.communicate()[0].split())
    somebody.close()
    gate.open()
    (view,) = list_runs(lab.state)
    assert child.returncode == 130, said
    assert "the stop could not be recorded, so the run is listed as died, and nobody is notified" in said
    assert "did not record it within 0.2 s" in said
    assert "the run was not written to a file" in said
    assert f"easops runs resume {view.run.run_id}" in said
    assert view.status == "died"
    assert not (tmp_path / "told.jsonl").exists()
