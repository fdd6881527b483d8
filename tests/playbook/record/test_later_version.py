"""A record that a later version of easops has written into."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from easops.cli.app import main
from easops.playbook.record.run import Run
from easops.playbook.record.run_store import RunStore
from easops.playbook.record.state_folder import StateFolder
from easops.playbook.steps.codec import Json, to_json
from easops.playbook.steps.step_result import StepResult
from easops.status import Status

NOW = dt.datetime(2026, 11, 24, 17, tzinfo=dt.UTC)
STEP = to_json(StepResult(1, "Block her", "do", "block_user", Status.OK, "done"))
CHANGE = {"change": {"kind": "freeze_user", "target": "organisation contoso"}}

UNKNOWN = {
    "the status of the run": ("paused", STEP, None, "'paused'"),
    "the status of a step": ("ok", {**STEP, "status": "deferred"}, None, "'deferred'"),
    "the kind of a change": ("ok", STEP, CHANGE, "freeze_user"),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_this_version_does_not_know_is_said_to_be_of_a_later_one(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EASOPS_STATE", str(tmp_path))
    status, step, change, word = UNKNOWN[name]
    recorded(StateFolder(tmp_path), status, step, change)

    with pytest.raises(SystemExit) as ended:
        main(["runs", "show", "R", "--json"])

    told = json.loads(capsys.readouterr().out)["error"]
    assert ended.value.code == 4
    assert word in told["why"]
    assert "a later version may have written it" in told["why"]
    assert told["next"] == "use the version of easops that executed the run, or a later one"


def recorded(state: StateFolder, status: str, step: Json, change: Json) -> None:
    store = RunStore(state.prepared().database_url)
    store.add(Run("R", "run", "cure", {"protocol": 1}, (), NOW))
    store.end("R", status, NOW, unfinished=False)
    store.write("R", "step", "1", step)
    if change is not None:
        store.write("R", "intent", "1", change)
    store.close()
