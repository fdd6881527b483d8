"""Commands against a lab, as a person types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Easops

pytestmark = pytest.mark.slow

USER = "laura.brandt@contoso.example"


def enabled(easops: Easops, lab: Path) -> bool:
    answer = easops("show", "cas-mailbox", USER, "-i", lab, "--json")
    return bool(json.loads(answer.out)["rows"][0]["active_sync_enabled"])


def test_a_reading_of_servers_shows_each_host(easops: Easops, calm: Path) -> None:
    answer = easops("show", "worker-processes", "pool=MSExchangeSyncAppPool", "-i", calm)
    assert answer.code == 0
    head, *rows = answer.out.splitlines()
    assert head.split()[:3] == ["host", "app", "pool"]
    assert [row.split()[:2] for row in rows] == [
        ["AMS-EX01", "MSExchangeSyncAppPool"],
        ["AMS-EX02", "MSExchangeSyncAppPool"],
    ]


def test_the_inventory_may_come_from_the_environment(
    easops: Easops, calm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EASOPS_INVENTORY", str(calm))
    document = json.loads(easops("show", "servers", "--json").out)
    assert [row["name"] for row in document["rows"]] == ["AMS-EX01", "AMS-EX02"]


def test_a_verbose_command_says_every_cmdlet_it_sends(process: Easops, calm: Path) -> None:
    answer = process("show", "servers", "-v", "-i", calm)
    assert "  > AMS-EX01, exchange: Get-ExchangeServer" in answer.err
    assert ">" not in answer.out


DETECT = ("detect", "sync_pool_cpu", "above=60", "--on", "name=AMS-EX01", "--json", "--detailed-exitcode")


def test_a_finding_of_detect_exits_2_where_it_is_asked_to(easops: Easops, lab: Path) -> None:
    found = easops(*DETECT, "-i", lab)
    assert (found.code, json.loads(found.out)["hosts"]) == (2, ["AMS-EX01"])


def test_where_detect_finds_nothing_it_exits_0(easops: Easops, calm: Path) -> None:
    quiet = easops(*DETECT, "-i", calm)
    assert (quiet.code, json.loads(quiet.out)["found"]) == (0, False)


def test_off_a_terminal_nothing_is_changed_without_yes(process: Easops, lab: Path) -> None:
    answer = process("do", "block_user", USER, "-i", lab)
    assert answer.code == 3
    assert "add --yes" in answer.err


def test_a_block_is_done_shown_and_undone(process: Easops, easops: Easops, lab: Path) -> None:
    check = process("do", "block_user", USER, "-i", lab, "--check", "--detailed-exitcode")
    assert check.code == 2
    assert "active sync enabled on -> off" in check.out
    done = process("do", "block_user", USER, "-i", lab, "--yes", "--json")
    document = json.loads(done.out)
    assert (done.code, document["status"], document["changed"]) == (0, "changed", True)
    assert document["next"] == f"easops undo {document['run_id']}"
    assert not enabled(easops, lab)
    again = process("do", "block_user", USER, "-i", lab, "--yes", "--json")
    assert (again.code, json.loads(again.out)["status"]) == (0, "ok")
    shown = easops("runs", "show", document["run_id"])
    assert f"ActiveSync of {USER}: changed" in shown.out
    undone = process(*document["next"].split()[1:], "--yes", "-i", lab)
    assert undone.code == 0
    assert enabled(easops, lab)
    listed = json.loads(easops("runs", "list", "--json").out)["runs"]
    assert sorted((run["status"], run["closed"].partition(" by ")[0]) for run in listed) == [
        ("changed", "undone"),
        ("ok", ""),
        ("undone", ""),
    ]


def test_a_protected_user_is_refused(process: Easops, lab: Path) -> None:
    answer = process("do", "block_user", USER, "--protect", USER, "-i", lab, "--yes")
    assert answer.code == 3
    assert f"{USER}: refused (protected)" in answer.out


def test_a_server_that_refuses_a_change_makes_the_run_fail(process: Easops, calm: Path) -> None:
    answer = process("do", "block_user", USER, "-i", calm, "--yes")
    assert answer.code == 4
    assert f"{USER}: failed" in answer.out


def test_words_of_the_command_line_are_no_expressions(process: Easops, calm: Path) -> None:
    answer = process("do", "block_user", "user={{ 7 * 7 }}", "-i", calm, "--check")
    assert "{{ 7 * 7 }}" in answer.out
    assert "49" not in answer.out
