"""The example scripts, run as their readers run them."""

from __future__ import annotations

import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from easops import SessionPool, find_playbook, load_inventory, undo
from easops.exchange import get_cas_mailbox, require_mailbox
from easops.playbook.record.run_view import list_runs
from easops.playbook.record.state_folder import StateFolder
from tests.conftest import standing_lab

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parent.parent / "examples"
NINA = "nina.okafor@contoso.example"
POOL = "MSExchangeSyncAppPool"


def command(name: str, *arguments: str | Path) -> list[str]:
    return [sys.executable, str(EXAMPLES / name), *map(str, arguments)]


@pytest.fixture
def example(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, commands: Path
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs an example to its end."""
    monkeypatch.setenv("EASOPS_STATE", str(tmp_path / "state"))

    def run(name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        words = [str(commands / "easops"), "--script", str(EXAMPLES / name), *map(str, arguments)]
        return subprocess.run(words, capture_output=True, text=True, check=False, timeout=180)

    return run


def active_sync(inventory: Path, user: str) -> tuple[bool, str | None]:
    """Whether the user has ActiveSync, and the user's policy."""
    with SessionPool() as sessions:
        session = sessions.open(load_inventory(inventory).hosts[0], "exchange")
        return get_cas_mailbox(session, user).active_sync_enabled, require_mailbox(session, user).throttling_policy


def run_id_in(text: str) -> str:
    """The run of the undo command in a script's output."""
    return text.partition("easops undo ")[2].split()[0]


Example = Callable[..., subprocess.CompletedProcess[str]]


def test_a_user_is_blocked_and_unblocked(lab: Path, example: Example) -> None:
    before = active_sync(lab, NINA)
    blocked = example("block_user.py", lab, NINA, "test")
    first, second = blocked.stdout.splitlines()
    assert (blocked.returncode, first[:12], second[: len(NINA) + 9]) == (0, "to unblock: ", f"{NINA}: changed"), blocked
    assert active_sync(lab, NINA) == (False, before[1])

    unblocked = example("unblock_user.py", run_id_in(first))
    assert (unblocked.returncode, unblocked.stdout) == (0, f"ActiveSync of {NINA}: undone\n"), unblocked
    assert active_sync(lab, NINA) == before


def test_an_error_is_printed_without_a_traceback(example: Example) -> None:
    nobody = example("unblock_user.py", "20200101-000000-0000")
    assert nobody.returncode == 1
    assert nobody.stderr.startswith("there is no run")
    assert "Traceback" not in nobody.stderr


def test_a_limit_ends_when_its_time_is_over(lab: Path, example: Example) -> None:
    before = active_sync(lab, NINA)
    done = example("limit_for_a_time.py", lab, NINA, "0.01")
    assert done.returncode == 0, done
    assert done.stdout.splitlines()[1].startswith(f"{NINA}: changed")
    assert done.stdout.splitlines()[2] == f"{NINA}: undone"
    assert active_sync(lab, NINA) == before


def test_a_limit_whose_script_was_killed_is_ended_by_the_command_that_it_had_printed(
    lab: Path, example: Example
) -> None:
    before = active_sync(lab, NINA)
    with subprocess.Popen(
        command("limit_for_a_time.py", lab, NINA, "600"), stdout=subprocess.PIPE, text=True
    ) as script:
        assert script.stdout is not None
        printed, limited = script.stdout.readline(), script.stdout.readline()
        script.kill()
    assert limited.startswith(f"{NINA}: changed")
    assert active_sync(lab, NINA) != before

    words = printed.partition("easops undo ")[2].split()
    subprocess.run([sys.executable, "-m", "easops", "undo", *words, "--yes"], check=True, capture_output=True)
    assert active_sync(lab, NINA) == before


def test_the_worker_processes_of_all_servers_are_listed_even_if_one_server_is_unreachable(
    lab: Path, example: Example, tmp_path: Path
) -> None:
    done = example("list_worker_processes.py", lab)
    assert (done.returncode, done.stderr) == (0, "")
    assert {line.split()[0] for line in done.stdout.splitlines() if POOL in line} == {"AMS-EX01", "AMS-EX02"}

    second = load_inventory(lab).hosts[1].windows
    assert second is not None
    text = lab.read_text(encoding="utf-8").replace(second.url, "https://127.0.0.1:9/wsman")
    away = lab.with_name("one-away.yml")
    away.write_text(text, encoding="utf-8")
    less = example("list_worker_processes.py", away)
    assert less.returncode == 1
    assert {line.split()[0] for line in less.stdout.splitlines()} == {"AMS-EX01"}
    assert less.stderr.startswith("AMS-EX02: AMS-EX02 (windows endpoint, 127.0.0.1:9) cannot be reached")


def test_a_pool_is_recycled_and_the_new_worker_process_is_shown(lab: Path, example: Example) -> None:
    done = example("recycle_pool.py", lab, "AMS-EX02", POOL, "test")
    assert done.returncode == 0, done
    assert done.stdout.startswith("AMS-EX02: changed; {'workers': [")
    assert "old worker process" in done.stderr


def test_the_playbook_cures_servers_of_an_inventory_and_undo_puts_it_back(example: Example, tmp_path: Path) -> None:
    with standing_lab(tmp_path / "lab", "contacts-storm") as own, own.clock.installed():
        cure_and_undo(own.inventory, example, tmp_path)


def cure_and_undo(lab: Path, example: Example, tmp_path: Path) -> None:
    done = example("run_playbook.py", lab)
    assert done.returncode == 0, done
    state = StateFolder(tmp_path / "state")
    (view,) = list_runs(state)
    assert done.stdout.splitlines()[-1] == f"cured; to put it back: easops undo {view.run.run_id}"
    assert view.run.playbook == find_playbook("contacts-sync-storm").name
    assert "step 1 of 6: " in done.stderr
    assert undo(view.run.run_id, confirm=True, state=state).status == "undone"


def test_the_playbook_finds_nothing_to_do_on_calm_servers(calm: Path, example: Example) -> None:
    done = example("run_playbook.py", calm)
    assert (done.returncode, done.stdout) == (0, "nothing to do\n"), done


def test_a_log_is_read_from_files_and_from_servers(lab: Path, example: Example) -> None:
    (log,) = sorted(lab.parent.rglob("W3SVC2/*.log"))[-1:]
    files = example("read_log.py", log)
    assert files.returncode == 0, files
    assert "RPC" in files.stdout.splitlines()[0]

    servers = example("read_server_logs.py", lab, "30")
    assert (servers.returncode, servers.stderr) == (0, ""), servers
    assert {line.split()[0] for line in servers.stdout.splitlines()} == {"AMS-EX01", "AMS-EX02"}


def test_a_pool_is_watched(calm: Path, example: Example) -> None:
    done = example("watch_pool.py", calm, "pool_memory", "100", "2", "0.1")
    assert (done.returncode, done.stderr) == (0, ""), done
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["AMS-EX01", "AMS-EX02"] * 2


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_an_example_fits_on_a_screen_and_says_how_to_call_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 48
    monkeypatch.setattr(sys, "argv", [path.name])
    with pytest.raises(SystemExit) as left:
        runpy.run_path(str(path), run_name="__main__")
    assert f"python {path.name} " in str(left.value)
