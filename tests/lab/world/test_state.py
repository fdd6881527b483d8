from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from easops.errors import BadInput
from easops.lab.cmdlets import CMDLETS
from easops.lab.scripts import SCRIPTS
from easops.lab.value import CmdletFailed
from easops.lab.world import World
from easops.lab.world.scenario import read_scenario
from easops.lab.world.state import Beginning, MemoryState
from easops.lab.world.world import Answer
from tests.lab.console import START, Console


def files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*.log"))}


def make_changes(console: Any) -> None:
    """Some life: changes with time between them."""
    console.world.advance(100)
    console("New-ThrottlingPolicy", Name="low", EasMaxBurst="240000")
    console("Set-ThrottlingPolicyAssociation", Identity="Laura Brandt", ThrottlingPolicy="low")
    console.world.advance(33.25)
    console("Restart-WebAppPool", Name="MSExchangeSyncAppPool")
    console.world.advance(400)
    console("Set-CASMailbox", Identity="Marco Ricci", ActiveSyncBlockedDeviceIDs={"Add": ["X1", "X2"]})


def test_a_restart_gives_the_same_bytes_and_the_same_answers(open_world: Any, tmp_path: Path) -> None:
    console = open_world()
    make_changes(console)
    console.world.advance(50)
    policy, process = console("Get-ThrottlingPolicy"), console("Get-CimInstance", ClassName="Win32_Process")
    mailbox = console("Get-CASMailbox", Identity="Marco Ricci")
    console.world.close()
    before = files(tmp_path / "state")

    again = open_world()

    assert files(tmp_path / "state") == before
    assert again("Get-ThrottlingPolicy") == policy
    assert again("Get-CimInstance", ClassName="Win32_Process") == process
    assert again("Get-CASMailbox", Identity="Marco Ricci") == mailbox


def test_a_stopped_clock_stands_still(open_world: Any) -> None:
    console = open_world()
    console.world.advance(1234)
    console.world.close()
    assert open_world().world.now() == console.world.now()


def test_after_a_kill_the_lines_that_are_later_than_the_stored_clock_are_written_again(
    open_world: Any, tmp_path: Path
) -> None:
    console = open_world()
    make_changes(console)
    console.world.advance(600)
    console.world.close()
    whole = files(tmp_path / "state")
    (tmp_path / "state" / "clock.json").unlink()  # as if it had been stored long ago

    again = open_world()

    last = json.loads((tmp_path / "state" / "changes.jsonl").read_text().splitlines()[-1])
    assert again.world.now().timestamp() == last["time"]  # no change is ever in the future
    assert files(tmp_path / "state") != whole
    again.world.advance(600)
    again.world.flush()
    assert files(tmp_path / "state") == whole


def test_a_change_is_on_disk_before_it_is_answered(open_world: Any, tmp_path: Path) -> None:
    console = open_world()
    console("Set-CASMailbox", Identity="Marco Ricci", ActiveSyncEnabled=False)
    (line,) = (tmp_path / "state" / "changes.jsonl").read_text().splitlines()
    assert json.loads(line) == {
        "time": console.world.start,
        "server": "AMS-EX01",
        "user": "CONTOSO\\admin",
        "cmdlet": "Set-CASMailbox",
        "parameters": {"Identity": "Marco Ricci", "ActiveSyncEnabled": False},
    }


def test_a_refused_change_is_not_stored(open_world: Any, tmp_path: Path) -> None:
    console = open_world()
    console.error("Set-CASMailbox", Identity="nobody", ActiveSyncEnabled=False)
    assert not (tmp_path / "state" / "changes.jsonl").exists()
    call = json.loads((tmp_path / "state" / "calls.jsonl").read_text().splitlines()[-1])
    assert "ManagementObjectNotFoundException" in call["outcome"]


def test_an_incomplete_change_after_a_kill_is_dropped(open_world: Any, tmp_path: Path) -> None:
    console = open_world()
    console("Set-CASMailbox", Identity="Marco Ricci", ActiveSyncEnabled=False)
    console.world.close()
    changes = tmp_path / "state" / "changes.jsonl"
    whole = changes.read_bytes()
    changes.write_bytes(whole + b'{"time": 17956')

    again = open_world()

    assert changes.read_bytes() == whole
    assert again("Get-CASMailbox", Identity="Marco Ricci")[0].properties["ActiveSyncEnabled"] is False


def test_a_read_only_world_refuses_changes_and_answers_reads(open_world: Any, tmp_path: Path) -> None:
    console = open_world(read_only=True)
    assert console("Get-CASMailbox", Identity="Marco Ricci")
    with pytest.raises(CmdletFailed) as refused:
        console("Set-CASMailbox", Identity="Marco Ricci", ActiveSyncEnabled=False)
    assert refused.value.error.fqid == "LabReadOnly,Set-CASMailbox"
    assert console("Get-CASMailbox", Identity="Marco Ricci")[0].properties["ActiveSyncEnabled"] is True


def test_a_folder_with_another_world_is_refused(tmp_path: Path) -> None:
    World.open(tmp_path, CMDLETS, scenario="calm", speed=0.0).close()
    with pytest.raises(BadInput, match="contains scenario 'calm' with seed 1"):
        World.open(tmp_path, CMDLETS, scenario="contacts-storm", speed=0.0)
    World.open(tmp_path, CMDLETS, speed=0.0).close()


def test_an_unknown_scenario_is_refused_with_a_suggestion(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as refused:
        World.open(tmp_path, CMDLETS, scenario="contact-storm", speed=0.0)
    assert "contacts-storm" in refused.value.next_step


def in_memory(state: MemoryState) -> Console:
    data = {**read_scenario("contacts-storm"), "mailboxes": 24, "history": 900}
    answers: dict[str, Answer] = {**CMDLETS, **SCRIPTS}
    return Console(World(state, Beginning("contacts-storm", data, 7, START.timestamp(), 0.0), answers, read_only=False))


def test_a_world_in_memory_is_the_same_as_one_in_a_folder(open_world: Any) -> None:
    consoles = [open_world(), in_memory(MemoryState())]
    answers = []
    for console in consoles:
        make_changes(console)
        answers.append(
            (console.log(), console("Get-CimInstance", ClassName="Win32_Process"), console("Get-ThrottlingPolicy"))
        )
    assert answers[0] == answers[1]


def test_a_world_in_memory_is_resumed_with_its_state() -> None:
    state = MemoryState()
    first = in_memory(state)
    make_changes(first)
    log, policies = first.log(), first("Get-ThrottlingPolicy")
    first.world.close()

    again = in_memory(state)

    assert again.world.now() == first.world.now()
    assert (again.log(), again("Get-ThrottlingPolicy")) == (log, policies)
    assert [change["cmdlet"] for change in state.changes][-2:] == ["Restart-WebAppPool", "Set-CASMailbox"]
    assert [call["cmdlet"] for call in state.calls][-1] == "Get-ThrottlingPolicy"
