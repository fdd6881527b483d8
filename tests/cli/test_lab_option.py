"""``--lab`` of detect, show and do: one can try a thing without a second terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Easops

pytestmark = pytest.mark.slow

USER = "laura.brandt@contoso.example"


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files of the commands of a test."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def test_detect_finds_the_fault_of_a_lab_that_is_gone_afterwards(process: Easops, state: Path, temporary: Path) -> None:
    answer = process("detect", "contact_sync_storm", "--lab", "--json")
    document = json.loads(answer.out)
    assert (answer.code, document["found"]) == (0, True)
    assert USER in [user["user"] for user in document["users"]]
    assert answer.err.startswith("easops: starting the lab\n")
    assert not state.exists()
    assert list(temporary.iterdir()) == []


def test_detect_looks_at_the_scenario_that_is_named(process: Easops) -> None:
    words = ("detect", "contact_sync_storm", "--lab", "--scenario", "calm", "--json")
    answer = process(*words)
    document = json.loads(answer.out)
    assert (answer.code, document["found"], document["lab"]) == (0, False, "calm")
    text = process(*words[:-1])
    assert text.out.startswith("in the lab, scenario calm; times are by the clock of the lab\n")


def test_a_seed_makes_another_variant_of_the_scenario(process: Easops) -> None:
    def devices(*seed: str) -> list[str]:
        answer = process("detect", "contact_sync_storm", "--lab", *seed, "--json")
        found = json.loads(answer.out)["users"]
        return sorted(device["device_id"] for user in found for device in user["devices"])

    assert devices("--seed", "7") != devices()
    assert devices("--seed", "1") == devices()
    refused = process("detect", "contact_sync_storm", "--seed", "7", "-i", "hosts.yml")
    assert (refused.code, "--seed needs --lab" in refused.err) == (1, True)


def test_a_run_that_leaves_what_it_found_ends_with_2_where_asked_for_it(process: Easops, tmp_path: Path) -> None:
    looking = tmp_path / "look.yml"
    looking.write_text(
        "easops: 1\nname: Look\nhosts: runs=activesync\nsteps:\n"
        "  - {name: Find them, detect: contact_sync_storm, as: storm}\n",
        encoding="utf-8",
    )
    words = ("run", str(looking), "--lab", "--scenario", "contacts-storm", "--seed", "7", "--json")
    found = process(*words, "--detailed-exitcode")
    assert (found.code, json.loads(found.out)["exit_code"], json.loads(found.out)["status"]) == (2, 2, "ok")
    calm = process("run", str(looking), "--lab", "--scenario", "calm", "--detailed-exitcode")
    assert calm.code == 0


def test_floods_of_each_kind_can_be_rehearsed(process: Easops) -> None:
    answer = process("detect", "contact_sync_storm", "--lab", "--scenario", "contacts-storm-kinds", "--json")
    found = json.loads(answer.out)
    assert {user["user"] for user in found["users"]} == {USER, "marco.ricci@contoso.example"}
    kinds = {(flood["user"], flood["kind"]) for flood in found["floods"]}
    assert kinds == {
        ("victoria.chen@contoso.example", "calendar syncs"),
        ("CONTOSO\\tnovak", "full syncs of the contacts"),
        ("CONTOSO\\hstrand", "meeting responses"),
    }


def test_a_user_with_an_account_of_another_forest_is_found_and_can_be_cured(process: Easops) -> None:
    words = ("run", "contacts-sync-storm", "--lab", "--scenario", "contacts-storm-accounts", "--json")
    document = json.loads(process(*words).out)
    assert (document["status"], document["exit_code"]) == ("changed", 0)
    assert USER in [item["item"] for item in document["steps"][2]["items"]]


def test_a_night_with_a_server_that_goes_down_can_be_rehearsed(process: Easops) -> None:
    words = ("run", "contacts-sync-storm", "--lab", "--scenario", "contacts-storm-outage", "--json")
    document = json.loads(process(*words).out)
    assert (document["status"], document["exit_code"]) == ("unreachable", 5)
    recycled = {item["target"]: item["status"] for item in document["steps"][3]["items"]}
    assert sorted(recycled.values()) == ["changed", "unreachable"]
    assert document["next"].startswith("easops runs resume ")


def test_a_detector_that_waits_does_so_by_the_clock_of_the_lab(process: Easops) -> None:
    answer = process("detect", "stranded_pings", "--lab", "--scenario", "stranded-pings", "--json")
    assert (answer.code, json.loads(answer.out)["found"]) == (0, True)


def test_show_reads_the_servers_of_a_lab(process: Easops, state: Path, temporary: Path) -> None:
    answer = process("show", "servers", "--lab", "--json")
    document = json.loads(answer.out)
    assert [row["name"] for row in document["rows"]] == ["AMS-EX01", "AMS-EX02"]
    assert document["lab"] == "contacts-storm"
    assert (answer.code, state.exists(), list(temporary.iterdir())) == (0, False, [])


def test_what_was_done_in_a_lab_is_undone_as_it_is_printed(process: Easops) -> None:
    done = process("do", "block_user", USER, "--lab")
    assert done.code == 0, done
    assert "in the lab, scenario contacts-storm" in done.out
    *_, last = done.out.splitlines()
    words = last.partition("easops ")[2].split()
    assert (last.split()[0], words[0]) == ("undo", "undo")

    undone = process(*words, "--json")
    document = json.loads(undone.out)
    assert (undone.code, document["status"], document["lab"]) == (0, "undone", "contacts-storm")


def test_an_action_on_servers_of_a_lab_takes_their_names(process: Easops) -> None:
    words = ("do", "recycle_app_pool", "pool=MSExchangeSyncAppPool", "--because", "a test", "--lab", "--check")
    answer = process(*words, "--on", "AMS-EX02", "--json")
    (step,) = json.loads(answer.out)["steps"]
    assert (answer.code, step["hosts"], step["status"]) == (0, ["AMS-EX02"], "would_change")
    wrong = process(*words, "--on", "AMS-EX03")
    assert (wrong.code, wrong.out) == (1, "")
    assert "there is no host 'AMS-EX03'" in wrong.err


@pytest.mark.parametrize(
    "command", [("detect", "sync_pool_cpu", "above=60"), ("show", "servers"), ("do", "block_user", USER)]
)
@pytest.mark.parametrize(
    ("options", "what", "next_step"),
    [
        (("--lab", "-i", "hosts.yml"), "--lab and --inventory exclude each other", "leave one out"),
        (("--scenario", "calm"), "--scenario needs --lab", "add --lab"),
        (("--lab", "--scenario", "clam"), "no lab scenario 'clam'", "'calm'"),
    ],
    ids=["with an inventory", "scenario alone", "no such scenario"],
)
def test_wrong_words_about_the_lab_exit_1(
    command: tuple[str, ...], options: tuple[str, ...], what: str, next_step: str, easops: Easops
) -> None:
    answer = easops(*command, *options)
    assert (answer.code, answer.out) == (1, "")
    assert what in answer.err
    assert next_step in answer.err


def test_logs_are_read_without_a_lab(easops: Easops) -> None:
    answer = easops("detect", "contact_sync_storm", "--logs", "nosuch", "--lab")
    assert answer.code == 1
    assert "--logs excludes --inventory, --on and --lab" in answer.err
