"""The shipped playbook in its own lab: found, cured, proved, undone; and stopped in its middle."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Easops

pytestmark = pytest.mark.slow


def read_until(running: subprocess.Popen[str], beginning: str) -> None:
    """Read the output of a process up to the first line that begins so."""
    assert running.stdout is not None
    lines: list[str] = []
    while not (lines and lines[-1].startswith(beginning)):
        lines.append(running.stdout.readline())
        assert lines[-1], f"the process ended without a line that begins with {beginning!r}: {lines}"


def test_the_playbook_cures_its_lab_and_the_printed_undo_puts_it_back(process: Easops, tmp_path: Path) -> None:
    page = tmp_path / "run.html"
    run = process("run", "contacts-sync-storm", "--lab", "--html", page)
    assert run.code == 0, run.err
    text = page.read_text(encoding="utf-8")
    # What each plot says: the flood was observed before, and its end after.
    plots = re.findall(r"<desc[^>]*>([\d,.]+) a minute .* before the last change, ([\d,.]+) a minute .* after it", text)
    assert [(before > "0", after) for before, after in plots] == [(True, "0")] * 4, plots
    assert "<strong>Cured</strong>" in text
    assert run.out.isascii()
    assert max(map(len, run.out.splitlines())) <= 80
    assert "proved" in run.out
    *_, last, real = run.out.splitlines()
    assert real == "on real servers  easops run contacts-sync-storm --inventory hosts.yml --check"
    undo = last.partition("easops ")[2].split()
    assert undo[0] == "undo"

    check = process(*undo, "--check", "--json")
    assert (check.code, json.loads(check.out)["would_change"]) == (0, True)
    undone = process(*undo, "--json")
    assert (undone.code, json.loads(undone.out)["status"]) == (0, "undone")
    again = process(*undo, "--json")
    assert (again.code, json.loads(again.out)["status"]) == (3, "refused")


def test_with_nothing_wrong_nothing_is_found_and_nothing_changed(process: Easops) -> None:
    answer = process("run", "contacts-sync-storm", "--lab", "--scenario", "calm", "--json")
    document = json.loads(answer.out)
    assert answer.code == 0, answer.err
    assert (document["status"], document["changed"]) == ("ok", False)
    looked = next(step["detection"]["looked"] for step in document["steps"] if step["kind"] == "detect")
    assert all(one["lines"] and one["activesync"] and one["first"] < one["last"] for one in looked), "it has looked"
    assert set(document) == {
        "status", "changed", "would_change", "run_id", "playbook", "kind", "lab", "started", "ended", "exit_code",
        "findings", "steps", "next", "limit", "earlier", "notices", "assessment",
    }  # fmt: skip


def test_under_check_nothing_is_recorded(process: Easops) -> None:
    answer = process("run", "contacts-sync-storm", "--lab", "--check", "--json", "--detailed-exitcode")
    document = json.loads(answer.out)
    assert answer.code == 2, answer.err
    assert (document["run_id"], document["changed"], document["would_change"]) == (None, False, True)
    assert [step["status"] for step in document["steps"]] == [
        "ok", "ok", "would_change", "would_change", "skipped", "skipped",
    ]  # fmt: skip
    assert json.loads(process("runs", "list", "--json").out)["runs"] == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one process")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "sigterm"])
def test_a_run_that_is_stopped_can_be_closed(
    number: int, code: int, process: Easops, state: Path, tmp_path: Path
) -> None:
    page = tmp_path / "run.html"
    command = [sys.executable, "-m", "easops", "run", "contacts-sync-storm", "--lab", "--html", str(page)]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ))
    read_until(running, "* ")  # the first step has ended
    running.send_signal(number)
    _, err = running.communicate(timeout=60)
    assert running.returncode == code
    assert "was stopped" in err
    assert "<strong>Stopped</strong>" in page.read_text(encoding="utf-8")

    (run,) = json.loads(process("runs", "list", "--json").out)["runs"]
    assert run["status"] == "stopped"
    assert f"easops runs resume {run['run_id']}" in err
    closed = process("runs", "abandon", run["run_id"], "--json")
    assert (closed.code, json.loads(closed.out)["status"]) == (0, "ok")
    shown = json.loads(process("runs", "show", run["run_id"], "--json").out)
    assert (shown["status"], shown["closed"]) == (run["status"], "abandoned")


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is needed to kill a run")
def test_a_killed_lab_run_takes_its_lab_with_it_and_blocks_no_later_one(process: Easops, state: Path) -> None:
    command = [sys.executable, "-m", "easops", "run", "contacts-sync-storm", "--lab"]
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=dict(os.environ)
    )
    read_until(running, "+ Limit")  # the users are limited, and the pools not recycled yet
    running.kill()
    running.communicate()
    (killed,) = json.loads(process("runs", "list", "--json").out)["runs"]
    assert killed["status"] == "died"

    later = process("run", "contacts-sync-storm", "--lab", "--scenario", "contacts-storm-stubborn", "--json")
    assert (later.code, json.loads(later.out)["status"]) == (6, "verify_failed")
    resumed = process("runs", "resume", killed["run_id"], "--json")
    document = json.loads(resumed.out)
    assert (resumed.code, document["status"], document["next"]) == (0, "changed", f"easops undo {killed['run_id']}")
    assert process(*document["next"].split()[1:]).code == 0
