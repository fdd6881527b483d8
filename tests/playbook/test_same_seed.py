"""The same playbook, scenario and seed give the same run in the lab, whatever else this machine has to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("playbook", ["contacts-sync-storm", "stranded-pings"])
def test_two_runs_of_the_same_seed_are_the_same_to_the_byte(playbook: str, tmp_path: Path) -> None:
    runs = [started(playbook, tmp_path / str(number), number) for number in (1, 2)]  # beside each other
    (first, errors), (second, more) = (run.communicate(timeout=300) for run in runs)
    assert (errors, more) == ("", "")
    assert first == second
    (report, at) = json.JSONDecoder().raw_decode(first)
    assert (report["status"], report["run_id"], report["started"]) == ("changed", "RUN", "2026-11-24T17:00:00+00:00")
    (undone, _) = json.JSONDecoder().raw_decode(first[at:].lstrip())
    assert undone["status"] in ("undone", "skipped")  # a recycle cannot be undone
    assert undone["started"] >= report["ended"]


def started(playbook: str, folder: Path, hash_seed: int) -> subprocess.Popen[str]:
    script = Path(__file__).parent / "seeded_run.py"
    return subprocess.Popen(
        [sys.executable, str(script), playbook, str(folder)],
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
