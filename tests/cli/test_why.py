from __future__ import annotations

import json
from pathlib import Path

from .conftest import Easops

LOOK = """\
easops: 1
name: look
hosts: runs=activesync
steps:
  - {name: look, detect: contact_sync_storm, as: storm}
  - {name: load, detect: sync_pool_cpu, with: {above: 60}}
"""


def test_a_detector_looks_again_and_explains(easops: Easops, lab: Path) -> None:
    answer = easops("why", "contact_sync_storm", "nina.okafor@contoso.example", "-i", lab)

    assert answer.code == 0
    assert answer.out.startswith("contact_sync_storm: nina.okafor@contoso.example is not a finding\n")
    assert "no contacts sent in one request: at most 0 with" in answer.out


def test_of_a_recorded_run_nothing_is_read_again(easops: Easops, lab: Path, tmp_path: Path) -> None:
    playbook = tmp_path / "look.yml"
    playbook.write_text(LOOK)
    run = json.loads(easops("run", playbook, "-i", lab, "--json").out)["run_id"]

    found = json.loads(easops("why", run, "laura.brandt@contoso.example", "--json").out)["explanations"]
    server = json.loads(easops("why", run, "AMS-EX01", "--json").out)["explanations"]

    assert [(one["detector"], one["found"]) for one in found] == [("contact_sync_storm", True)]
    assert [(one["detector"], one["found"]) for one in server] == [
        ("contact_sync_storm", True),
        ("sync_pool_cpu", True),
    ]


def test_what_is_neither_a_run_nor_a_detector_is_named(easops: Easops, lab: Path) -> None:
    answer = easops("why", "contact_sync_strom", "anna", "-i", lab)

    assert answer.code == 1
    assert "there is no detector called 'contact_sync_strom'" in answer.err
    assert easops("why", "no-such-run", "anna").code == 1
