"""What a run does when its machine lets it down: a full disk, a state folder that is gone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from easops.playbook.execution.caller import always
from easops.playbook.record.run_view import list_runs, show_run
from easops.playbook.record.state_folder import StateFolder
from easops.playbook.resume import resume
from easops.status import Status

from .gate import Gate
from .processes import BLOCKS, USERS, environment_of

pytestmark = pytest.mark.slow

Start = Callable[..., Any]


def executed(lab: Any, state: StateFolder, program: list[str], gate: Gate) -> tuple[int, str]:
    """The exit code and the output of a run of the blocks, whose second write the gate holds until it has been met."""
    path = lab.lab.folder / "blocks.yml"
    path.write_text(BLOCKS, encoding="utf-8")
    words = ["run", str(path), "--yes", "--input", f"users={','.join(USERS)}", "-i", str(lab.lab.inventory)]
    with subprocess.Popen(
        [sys.executable, *program, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment_of(state),
    ) as child:
        assert gate.reached.wait(60)
        gate.open()
        said = child.communicate()[0]
    return child.returncode, said


def test_on_a_full_disk_a_run_stops_sends_nothing_further_and_can_be_resumed(rig: Start, tmp_path: Path) -> None:
    lab, full = rig("contacts-storm"), tmp_path / "full"
    gate = Gate(lab.lab, number=2, at=full.touch)
    program = [str(Path(__file__).with_name("full_disk_run.py")), str(full)]

    code, said = executed(lab, lab.state, program, gate)

    assert code == 4, said
    assert "database or disk is full" in said
    assert f"free space on the disk of {lab.state.path}" in said
    assert "bug in easops" not in said
    assert gate.users == list(USERS[:2])
    full.unlink()
    (view,) = list_runs(lab.state)
    assert len(show_run(view.run.run_id, lab.state).open) == 1

    assert resume(view.run.run_id, confirm=always, state=lab.state).status is Status.CHANGED
    assert gate.users == list(USERS)


def test_a_run_whose_change_is_never_taken_from_the_queue_stops_too(rig: Start, tmp_path: Path) -> None:
    lab, full = rig("contacts-storm"), tmp_path / "queue"
    full.touch()
    gate = Gate(lab.lab)
    path = lab.lab.folder / "blocks.yml"
    path.write_text(BLOCKS, encoding="utf-8")
    words = ["run", str(path), "--yes", "--input", f"users={','.join(USERS)}", "-i", str(lab.lab.inventory)]
    program = [sys.executable, str(Path(__file__).with_name("full_disk_run.py")), str(full)]

    ended = subprocess.run(
        [*program, *words], capture_output=True, text=True, env=environment_of(lab.state), timeout=60, check=False
    )

    assert ended.returncode == 4, ended.stdout + ended.stderr
    assert "database or disk is full" in ended.stderr
    assert gate.users == []
    (view,) = list_runs(lab.state)
    gate.open()
    assert resume(view.run.run_id, confirm=always, state=lab.state).status is Status.CHANGED


def test_a_state_folder_that_goes_away_stops_the_run_and_is_named(rig: Start, tmp_path: Path) -> None:
    lab = rig("contacts-storm")
    away = tmp_path / "away"
    gate = Gate(lab.lab, number=2, at=lambda: (lab.state.path.rename(away), None)[1])

    code, said = executed(lab, lab.state, ["-m", "easops"], gate)

    assert code == 4, said
    assert f"the state folder {lab.state.path} is gone" in said
    assert "bug in easops" not in said
    assert gate.users == list(USERS[:2])
    away.rename(lab.state.path)
    (view,) = list_runs(lab.state)
    assert resume(view.run.run_id, confirm=always, state=lab.state).status is Status.CHANGED
