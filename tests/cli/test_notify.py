"""Notices of a run's end, on the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.notify.servers import Hook, mail_server, webhook

from .conftest import Easops

pytestmark = pytest.mark.slow

USER = "laura.brandt@contoso.example"


@pytest.fixture
def hook() -> Iterator[Hook]:
    with webhook() as hook:
        yield hook


@pytest.fixture(autouse=True)
def none_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EASOPS_NOTIFY", raising=False)


@pytest.fixture
def notifications(hook: Hook, tmp_path: Path) -> Path:
    """Of the webhook, of one that nobody listens on, and of a file."""
    path = tmp_path / "notify.yml"
    path.write_text(
        "easops: 1\nnotifications:\n"
        f"  - {{name: on-call, webhook: {{url: '{hook.url}'}}}}\n"
        "  - {name: down, webhook: {url: 'http://127.0.0.1:9/'}}\n"
        "  - {name: log, when: [end], file: runs.jsonl}\n",
        encoding="utf-8",
    )
    return path


def test_a_change_and_its_undo_are_announced_and_a_channel_that_failed_is_a_warning(
    easops: Easops, lab: Path, hook: Hook, notifications: Path, tmp_path: Path
) -> None:
    words = ("do", "block_user", USER, "-i", lab, "--because", "it floods", "--yes")
    answer = easops(*words, "--json", "--notify", notifications)

    document = json.loads(answer.out)
    assert answer.code == 0, answer.err
    assert [(notice["channel"], notice["status"]) for notice in document["notices"]] == [
        ("on-call", "sent"),
        ("down", "failed"),
        ("log", "sent"),
    ]
    assert "easops: down was not notified" in answer.err
    assert "127.0.0.1:9 cannot be reached" in answer.err
    run_id = document["run_id"]
    (posted,) = [request.json for request in hook.got]
    assert (posted["run_id"], posted["event"], posted["next"]) == (run_id, "changed", f"easops undo {run_id}")
    assert posted["text"].splitlines()[-1].split() == ["undo", "easops", "undo", run_id]
    shown = easops("runs", "show", run_id).out
    assert "Notified of its end:" in shown
    assert "    on-call: sent 2" in shown
    again = json.loads(easops("runs", "show", run_id, "--json").out)["notices"]
    assert sorted(notice["channel"] for notice in again) == ["down", "log", "on-call"]

    undone = easops("undo", run_id, "--yes", "--quiet", "-i", lab)

    assert undone.code == 0, undone.err
    assert [(request.json["status"], request.json["kind"]) for request in hook.got] == [
        ("changed", "do"),
        ("undone", "undo"),
    ]
    lines = (tmp_path / "runs.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["status"] for line in lines] == ["changed", "undone"]


def test_notifications_that_cannot_be_read_do_not_prevent_a_rescue(
    easops: Easops, lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("do", "block_user", USER, "-i", lab, "--because", "it floods", "--yes", "--json")
    run_id = json.loads(easops(*words).out)["run_id"]
    monkeypatch.setenv("EASOPS_NOTIFY", str(tmp_path / "gone.yml"))

    resumed = easops("runs", "resume", run_id, "-i", lab)
    checked = easops("undo", run_id, "--check", "-i", lab)

    assert (resumed.code, "has ended and has no unfinished steps" in resumed.err) == (3, True), resumed.err
    assert checked.code == 0, checked.err
    for answer in (resumed, checked):
        assert "easops: nobody will be notified when this run ends\n" in answer.err
        assert "gone.yml" in answer.err

    path = tmp_path / "notify.yml"
    path.write_text(
        "easops: 1\nnotifications:\n"
        "  - {name: on-call, webhook: {url: {env: EASOPS_NO_SUCH_URL}}}\n"
        "  - {name: log, when: [end], file: runs.jsonl}\n",
        encoding="utf-8",
    )
    undone = easops("undo", run_id, "--yes", "--quiet", "-i", lab, "--notify", path)

    assert undone.code == 0, undone.err
    assert "easops: on-call was not notified" in undone.err
    assert "EASOPS_NO_SUCH_URL is not set" in undone.err
    (line,) = (tmp_path / "runs.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["status"] == "undone"


def test_a_check_notifies_nobody_and_names_who_would_be_notified(
    easops: Easops, lab: Path, hook: Hook, notifications: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EASOPS_NOTIFY", str(notifications))
    answer = easops("do", "block_user", USER, "-i", lab, "--because", "x", "--check", "-v")
    assert (answer.code, hook.got) == (0, [])
    assert "easops: a run that ends like this would notify: on-call, down, log" in answer.err


def test_a_run_that_cannot_begin_is_trouble_and_ends_as_it_would(
    process: Easops, hook: Hook, notifications: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EASOPS_PASSWORD", "x")
    hosts = tmp_path / "hosts.yml"
    hosts.write_text(
        "easops: 1\ncredentials: {me: {username: me, password: {env: EASOPS_PASSWORD}}}\nhosts:\n"
        "  - {name: EX1, organisation: o, version: 2016, roles: [mailbox], endpoints: {\n"
        "     exchange: {url: 'http://127.0.0.1:9/PowerShell', credential: me, auth: negotiate},\n"
        "     windows: {url: 'http://127.0.0.1:9/wsman', credential: me}}}\n",
        encoding="utf-8",
    )
    answer = process("run", "contacts-sync-storm", "-i", hosts, "--notify", notifications)
    assert answer.code == 5, answer.err
    (posted,) = [request.json for request in hook.got]
    assert (posted["event"], posted["status"]) == ("trouble", "unreachable")
    assert "nothing listens there" in posted["text"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("easops: 1\nnotifications:\n  - {name: a, fil: x}\n", "notify.yml:3:15: a notification has no key 'fil'"),
        (
            "easops: 1\nnotifications:\n  - {name: a, webhook: {url: {env: EASOPS_NO_SUCH_URL}}}\n",
            "the environment variable EASOPS_NO_SUCH_URL is not set",
        ),
    ],
    ids=["bad file", "no secret"],
)
def test_bad_notifications_are_refused_before_anything_runs(
    easops: Easops, calm: Path, state: Path, tmp_path: Path, text: str, what: str
) -> None:
    path = tmp_path / "notify.yml"
    path.write_text(text, encoding="utf-8")
    answer = easops("run", "contacts-sync-storm", "-i", calm, "--notify", path)
    assert (answer.code, answer.out) == (1, "")
    assert what in answer.err
    assert not state.exists()


def test_a_test_message_goes_to_each_channel_and_each_result_is_shown(
    easops: Easops, hook: Hook, notifications: Path, tmp_path: Path, state: Path
) -> None:
    answer = easops("notify", notifications)
    assert answer.code == 4
    first, second, *_ = answer.out.splitlines()
    assert (first.startswith("on-call: sent"), second.startswith("down: failed")) == (True, True)
    assert hook.got[0].json["event"] == "trial"
    assert not state.exists()

    hook.does = 503
    with mail_server() as post:
        notifications.write_text(
            "easops: 1\nnotifications:\n"
            f"  - {{name: on-call, webhook: {{url: '{hook.url}', body: text}}}}\n"
            f"  - name: mail\n    smtp: {{server: localhost, port: {post.port}, tls: none, from: a@b.example,"
            " to: [c@d.example]}\n",
            encoding="utf-8",
        )
        answer = easops("notify", notifications, "--json")
        ((recipients, message),) = post.got
    assert answer.code == 6
    document = json.loads(answer.out)
    assert (document["status"], [notice["status"] for notice in document["notices"]]) == (
        "unknown",
        ["unknown", "sent"],
    )
    assert (recipients, message["Subject"][:13]) == (["c@d.example"], "[easops] test")
    assert set(hook.got[-1].json) == {"text"}


def test_a_test_without_a_file_is_bad_input(easops: Easops) -> None:
    answer = easops("notify")
    assert answer.code == 1
    assert "EASOPS_NOTIFY" in answer.err
