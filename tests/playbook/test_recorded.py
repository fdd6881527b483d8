"""Runs that an earlier release recorded, by this one: shown, resumed, and undone.

Each folder under ``recorded`` is one release's, written by ``tools/record_runs.py``: a run that ended with changes, and
one that was killed when its second user had just been given his policy and no answer had arrived.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import attrs
import pytest

from easops.errors import Refused
from easops.inventory.load import load_inventory
from easops.lab import server
from easops.playbook.assessment.run_report import report_of
from easops.playbook.execution.caller import always
from easops.playbook.record.run_view import list_runs, show_run
from easops.playbook.record.state_folder import StateFolder
from easops.playbook.resume import resume
from easops.playbook.undo import undo
from easops.report import FILES, FORMATS
from easops.status import Status

from .organisation import Reads, reads

pytestmark = pytest.mark.slow

RELEASES = sorted((Path(__file__).parent / "recorded").iterdir())


@attrs.frozen
class Restored:
    """A state folder as a release left it, the world of each run included; and its two runs."""

    version: str
    state: StateFolder
    ended: str
    dead: str

    def associated(self, run_id: str) -> list[str]:
        """The mailboxes that the run's servers have given a policy, or taken it from, in order."""
        lines = (self.state.lab(run_id) / "changes.jsonl").read_text(encoding="utf-8").splitlines()
        calls = [json.loads(line) for line in lines]
        return [call["parameters"]["Identity"] for call in calls if call["cmdlet"] == "Set-ThrottlingPolicyAssociation"]


@pytest.fixture(params=RELEASES, ids=[folder.name for folder in RELEASES])
def restored(request: Any, tmp_path: Path) -> Restored:
    folder: Path = request.param
    state = StateFolder(tmp_path / "state")
    shutil.copytree(folder / "labs", state.labs)
    with sqlite3.connect(state.path / "easops.sqlite") as database:
        database.executescript((folder / "easops.sql").read_text(encoding="utf-8"))
        runs = dict(database.execute("select ended is null, run_id from easops_runs"))
    database.close()
    return Restored(folder.name, state, ended=runs[0], dead=runs[1])


def world(folder: Path) -> Reads:
    """What can be read of a world that nobody uses now."""
    with server.start(folder, speed=0) as lab:
        return reads(load_inventory(lab.inventory).hosts)


def test_both_runs_are_told(restored: Restored) -> None:
    text = FORMATS["text"].runs(list_runs(restored.state))
    assert restored.ended in text
    assert restored.dead in text
    ended, dead = show_run(restored.ended, restored.state), show_run(restored.dead, restored.state)
    assert (ended.status, len(ended.steps), len(ended.changes), ended.open) == ("changed", 6, 10, ())
    assert (dead.status, len(dead.steps), len(dead.changes), len(dead.open)) == ("died", 2, 4, 1)
    for view in (ended, dead):
        shown = FORMATS["text"].run_view(view, report_of(view), diff=True, verbose=True)
        assert "laura.brandt@contoso.example" in shown
        page = FILES["html"].render(report_of(view))
        assert "laura.brandt@contoso.example" in page


def test_the_dead_one_goes_on_to_its_end_and_sends_nothing_twice(restored: Restored) -> None:
    before = restored.associated(restored.dead)

    report = resume(restored.dead, confirm=always, state=restored.state)

    assert [str(step.status) for step in report.steps] == ["ok", "ok", "changed", "changed", "ok", "ok"]
    assert [item.status for item in report.steps[2].items] == [Status.CHANGED] * 4
    after = restored.associated(restored.dead)
    assert after[: len(before)] == before
    assert len(before) == 2
    assert len(after) == len(set(after)) == 4


def test_an_undo_of_the_one_that_ended_brings_back_the_identical_reads(restored: Restored, tmp_path: Path) -> None:
    untouched = tmp_path / "untouched"
    shutil.copytree(restored.state.lab(restored.ended), untouched)
    (untouched / "changes.jsonl").unlink()
    original = world(untouched)
    assert world(restored.state.lab(restored.ended)) != original

    undone = undo(restored.ended, confirm=always, state=restored.state)

    assert undone.status is Status.UNDONE
    assert world(restored.state.lab(restored.ended)) == original


def test_a_run_of_another_protocol_is_not_gone_on_with_but_undone(restored: Restored) -> None:
    with sqlite3.connect(restored.state.path / "easops.sqlite") as database:
        database.execute("update easops_runs set document = json_set(document, '$.protocol', 0)")
    database.close()

    with pytest.raises(Refused, match="engine protocol 0") as refused:
        resume(restored.dead, confirm=always, state=restored.state)

    assert f"install easops {restored.version}" in refused.value.next_step
    assert undo(restored.dead, confirm=always, state=restored.state).status is Status.UNDONE
