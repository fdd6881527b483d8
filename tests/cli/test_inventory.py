"""``easops inventory from-ansible``."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from easops.inventory.load import load_inventory

from .conftest import Easops

LISTED = json.dumps(
    {
        "_meta": {
            "hostvars": {
                "EX1": {
                    "ansible_connection": "psrp",
                    "easops_organisation": "contoso",
                    "easops_version": "SE",
                    "easops_roles": "mailbox",
                }
            }
        }
    }
)


def test_the_inventory_is_on_stdout_and_what_was_left_out_on_stderr(
    easops: Easops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(LISTED.encode())))
    answer = easops("inventory", "from-ansible")
    assert answer.code == 0
    path = tmp_path / "hosts.yml"
    path.write_text(answer.out, encoding="utf-8")
    assert [host.name for host in load_inventory(path).hosts] == ["EX1"]
    assert (
        answer.err.splitlines()[0]
        == "easops: no ansible_user: the user who runs easops logs on to EX1 with a Kerberos ticket"
    )


def test_it_may_come_from_a_file_and_go_to_one(easops: Easops, tmp_path: Path) -> None:
    listed, written = tmp_path / "listed.json", tmp_path / "hosts.yml"
    listed.write_text(LISTED, encoding="utf-8")
    assert easops("inventory", "from-ansible", listed, "--output", written).out == ""
    assert [host.name for host in load_inventory(written).hosts] == ["EX1"]

    answer = easops("inventory", "from-ansible", listed, "--output", tmp_path)
    assert (answer.code, answer.out) == (1, "")
    assert "cannot be written" in answer.err


def test_every_problem_is_a_line(easops: Easops, tmp_path: Path) -> None:
    listed = tmp_path / "listed.json"
    listed.write_text(LISTED.replace("SE", "2020").replace("mailbox", "cas"), encoding="utf-8")
    answer = easops("inventory", "from-ansible", listed)
    assert (answer.code, answer.out) == (1, "")
    assert [line.partition("; ")[0] for line in answer.err.splitlines()] == [
        f"{listed}: EX1: there is no Exchange version '2020'",
        f"{listed}: EX1: a role cannot be 'cas'",
    ]
