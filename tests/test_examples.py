"""The example scripts, run as their readers run them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from easops import SessionPool, find_playbook, load_inventory, undo
from easops.exchange import get_cas_mailbox, set_active_sync_enabled
from easops.playbook.executing import always
from easops.playbook.runs import list_runs
from easops.playbook.state import StateFolder

EXAMPLES = Path(__file__).parent.parent / "examples"
USER = "nina.okafor@contoso.example"


def example(name: str, *arguments: str | Path, state: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(EXAMPLES / name), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "EASOPS_STATE": str(state)},
        timeout=180,
    )


def test_list_worker_processes(lab: Path, tmp_path: Path) -> None:
    done = example("list_worker_processes.py", lab, state=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {line.split()[0] for line in done.stdout.splitlines()} == {"AMS-EX01", "AMS-EX02"}
    assert "MSExchangeSyncAppPool" in done.stdout


def test_block_user(lab: Path, tmp_path: Path) -> None:
    done = example("block_user.py", lab, USER, state=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"{USER}: ActiveSync is off\n"), done.stderr
    with SessionPool() as sessions:
        session = sessions.open(load_inventory(lab).hosts[0], "exchange")
        assert not get_cas_mailbox(session, USER).active_sync_enabled
        set_active_sync_enabled(session, USER, enabled=True)


def test_run_playbook(calm: Path, tmp_path: Path) -> None:
    done = example("run_playbook.py", calm, state=tmp_path)
    assert (done.returncode, done.stdout) == (0, "ok: nothing to undo\n"), done.stderr


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_an_example_is_a_handful_of_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 30


def test_the_playbook_cures_servers_of_an_inventory_and_undo_puts_it_back(lab: Path, tmp_path: Path) -> None:
    done = example("run_playbook.py", lab, state=tmp_path)
    assert done.returncode == 0, done.stderr
    state = StateFolder(tmp_path)
    (view,) = list_runs(state)
    assert done.stdout.splitlines()[-1] == f"changed: easops undo {view.run.run_id}"
    assert view.run.playbook == find_playbook("contacts-sync-storm").name
    assert undo(view.run.run_id, confirm=always, state=state).status == "undone"
