"""What a person can get wrong: a clear error, the documented exit code, no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Easops

pytestmark = pytest.mark.slow

LOGS = Path(__file__).parent.parent / "data" / "logs"

WRONG: dict[str, tuple[list[str | Path], str, str]] = {
    "action": (["do", "blok_user", "anna"], "there is no action 'blok_user'", "Did you mean 'block_user'?"),
    "detector": (["detect", "contact_storm"], "there is no detector 'contact_storm'", "'contact_sync_storm'"),
    "reading": (["show", "worker-proceses"], "there is no reading 'worker-proceses'", "'worker-processes'"),
    "parameter": (["do", "block_user", "usr=a"], "block_user has no parameter 'usr'", "Did you mean 'user'?"),
    "type": (
        ["detect", "contact_sync_storm", "threshold=many"],
        "the value of threshold is not valid",
        "not a whole number",
    ),
    "missing": (["do", "limit_eas_usage"], "limit_eas_usage: user is missing", "add user="),
    "no reason": (["do", "recycle_app_pool", "--on", "all"], "recycle_app_pool needs a reason", "--because"),
    "no hosts": (["do", "recycle_app_pool", "--because", "x"], "acts on servers", "--on"),
    "inventory": (["show", "servers"], "there is no inventory", "add --lab"),
    "no such inventory": (["show", "servers", "-i", "nosuch.yml"], "there is no such file", "Check the path"),
    "run": (["runs", "show", "2020"], "there is no run '2020'", "easops runs list"),
    "undo": (["undo", "2020", "--check"], "there is no run '2020'", "easops runs list"),
    "playbook": (["run", "contact-sync-storm", "--lab"], "contact-sync-storm:", "contacts-sync-storm"),
    "input": (["run", "contacts-sync-storm", "--lab", "--input", "windw=1h"], "no input 'windw'", "Did you mean"),
    "wait": (
        ["run", "contacts-sync-storm", "--lab", "--wait", "soon"],
        "the value of --wait is not valid",
        "not a valid duration",
    ),
    "lab and inventory": (["run", "contacts-sync-storm", "--lab", "-i", "x.yml"], "exclude each other", "leave"),
    "scenario without lab": (["run", "contacts-sync-storm", "--scenario", "calm"], "--scenario", "add --lab"),
    "scenario": (["run", "contacts-sync-storm", "--lab", "--scenario", "clam"], "no lab scenario 'clam'", "'calm'"),
    "not text": (["do", "block_user", "user=a\udcff"], r"the word 'user=a\udcff' is not text", "Write it in UTF-8"),
    "not a log": (["detect", "contact_sync_storm", "--logs", LOGS / "not-a-log"], "is not a W3C log", "IIS site"),
    "no log": (["detect", "contact_sync_storm", "--logs", LOGS / "nosuch"], "does not exist", "correct the path"),
    "not from logs": (
        ["detect", "sync_pool_cpu", "above=9", "--logs", LOGS / "2010"],
        "it needs a server",
        "contact_sync_storm can",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_word_exits_1_and_says_what_to_write(name: str, easops: Easops) -> None:
    words, what, next_step = WRONG[name]
    answer = easops(*words)
    assert (answer.code, answer.out) == (1, "")
    assert what in answer.err
    assert next_step in answer.err
    assert "Traceback" not in answer.err


def test_an_inventory_with_errors_lists_each_with_its_place(easops: Easops, tmp_path: Path) -> None:
    path = tmp_path / "hosts.yml"
    path.write_text("easops: 1\nhosts:\n  - name: EX1\n    versoin: 2016\n    roles: [mailbx]\n", encoding="utf-8")
    answer = easops("show", "servers", "-i", path)
    assert answer.code == 1
    assert f"{path}:4:5: a host has no key 'versoin'" in answer.err
    assert f"{path}:5:13: a role cannot be 'mailbx'" in answer.err


def test_lint_lists_every_problem_and_exits_1(easops: Easops, tmp_path: Path) -> None:
    path = tmp_path / "mine.yml"
    path.write_text("easops: 1\nname: x\nhosts: all\nsteps:\n  - do: blok_user\n  - detct: y\n", encoding="utf-8")
    answer = easops("lint", "contacts-sync-storm", path)
    assert answer.code == 1
    first, *problems = answer.out.splitlines()
    assert first == "contacts-sync-storm: ok"
    assert len(problems) >= 2
    assert all(line.startswith(f"{path}:") for line in problems)


def test_an_empty_log_is_read_and_said_to_be_empty(easops: Easops) -> None:
    answer = easops("detect", "contact_sync_storm", "--logs", LOGS / "empty")
    assert answer.code == 6
    assert answer.out.startswith("contact_sync_storm: not determined\n")
    assert "empty" in answer.out


@pytest.mark.parametrize("form", ["2010", "2016-back-end"])
def test_logs_are_judged_without_a_server(form: str, easops: Easops) -> None:
    answer = easops("detect", "contact_sync_storm", "--logs", LOGS / form, "--detailed-exitcode")
    assert answer.code == 2
    assert "as logged, not resolved to a mailbox" in answer.out


def changed(inventory: Path, folder: Path, old: str, new: str) -> Path:
    """A copy of a lab's inventory in which *old* is *new*."""
    text = inventory.read_text(encoding="utf-8").replace(old, new)
    copy = folder / "hosts.yml"
    copy.write_text(text, encoding="utf-8")
    return copy


def test_a_wrong_password_is_tried_once_and_exits_5(easops: Easops, calm: Path, tmp_path: Path) -> None:
    (tmp_path / "wrong.txt").write_text("wrong\n", encoding="utf-8")
    hosts = changed(calm, tmp_path, str(calm.parent / "password.txt"), str(tmp_path / "wrong.txt"))
    answer = easops("show", "worker-processes", "-i", hosts)
    assert answer.code == 5
    assert answer.out.count("was not tried") == 1
    assert "Traceback" not in answer.err


def test_a_host_that_is_not_there_is_reported_and_the_others_are_shown(
    easops: Easops, calm: Path, tmp_path: Path
) -> None:
    port = calm.read_text(encoding="utf-8").rpartition("127.0.0.1:")[2].partition("/")[0]
    hosts = changed(calm, tmp_path, f"127.0.0.1:{port}", "127.0.0.1:9")
    answer = easops("show", "app-pools", "-i", hosts)
    assert answer.code == 5
    assert "AMS-EX01  MSExchangeSyncAppPool" in answer.out
    assert "unreachable: AMS-EX02" in answer.out
    assert "next: " in answer.out


def test_a_mailbox_that_is_not_there_is_bad_input(easops: Easops, calm: Path) -> None:
    answer = easops("show", "cas-mailbox", "nobody@contoso.example", "-i", calm)
    assert (answer.code, answer.out) == (1, "")
    assert "nobody@contoso.example" in answer.err


def test_a_selector_that_selects_nothing_is_bad_input(easops: Easops, calm: Path) -> None:
    answer = easops("detect", "sync_pool_cpu", "above=60", "--on", "site=LON", "-i", calm)
    assert answer.code == 1
    assert "no host is selected by 'site=LON'" in answer.err


MISSPELT = {
    "show": ["show", "app-pools", "--on", "AMS-EX1"],
    "a selector": ["show", "app-pools", "--on", "name=AMS-EX1"],
    "detect": ["detect", "sync_pool_cpu", "above=60", "--on", "AMS-EX01,AMS-EX1"],
    "do": ["do", "recycle_app_pool", "--because", "x", "--check", "--on", "AMS-EX1"],
    "limit": ["run", "contacts-sync-storm", "--check", "--limit", "AMS-EX1"],
}


@pytest.mark.parametrize("name", MISSPELT)
def test_a_misspelt_host_is_reported_with_the_one_that_was_meant(name: str, easops: Easops, calm: Path) -> None:
    answer = easops(*MISSPELT[name], "-i", calm)
    assert answer.code == 1
    assert "Did you mean 'AMS-EX01'?" in answer.err


def test_hosts_may_be_named_with_commas(easops: Easops, calm: Path) -> None:
    answer = easops("show", "sites", "-i", calm, "--on", "ams-ex02")
    assert (answer.code, "AMS-EX01" in answer.out, "AMS-EX02" in answer.out) == (0, False, True)


def test_a_labs_inventory_works_wherever_its_text_is_put(easops: Easops, calm: Path, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere.yml"
    copy.write_text(calm.read_text(encoding="utf-8"), encoding="utf-8")
    assert easops("show", "servers", "-i", copy).code == 0
