"""Each channel gets at most one notification of each end, whichever process dies when."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
import pytest

from easops.errors import UnreachableHost
from easops.inventory.load import load_inventory
from easops.notify import Channel, Notifications
from easops.notify.channel import LogFile, Mail, Webhook
from easops.playbook.assessment.ending import Ending
from easops.playbook.assessment.run_report import report_of
from easops.playbook.record.notice import Notice
from easops.playbook.record.notice_ledger import Moment, NoticeLedger, notices_of
from easops.playbook.record.run import Run
from easops.playbook.record.run_record import RunRecord
from easops.playbook.record.run_view import RunView
from easops.playbook.record.state_folder import StateFolder, open_store
from easops.playbook.run import run
from tests.notify.servers import Hook, mail_server, webhook

from .processes import environment_of

pytestmark = pytest.mark.slow

AT = dt.datetime(2026, 11, 24, 17, 0, tzinfo=dt.UTC)
RUN = Run("20261124-170000-abcd", "run", "Cure a storm", {"source": "cure.yml"}, (), AT, AT, "changed")


@pytest.fixture
def hook() -> Iterator[Hook]:
    with webhook() as hook:
        yield hook


@contextmanager
def recorded(state: StateFolder) -> Iterator[RunRecord]:
    with open_store(state) as (store, _):
        store.add(RUN)
        store.end(RUN.run_id, "changed", dt.datetime.now(dt.UTC), unfinished=False)
        yield store


def ending(moment: Moment = "end", run: Run = RUN) -> Ending:
    return Ending(report_of(RunView(run, False, (), ()), stopped=moment == "stopped"))


def announced(store: RunRecord, hook: Hook, moment: Moment = "end", run: Run = RUN) -> tuple[Notice, ...]:
    notifications = Notifications((Channel("on-call", ("end",), Webhook(hook.url)),))
    return notifications.announce(ending(moment, run), NoticeLedger(store, run, moment), lambda text: None)


def statuses(store: RunRecord) -> list[tuple[str, str]]:
    return [(notice.channel, notice.status) for notice in notices_of(RUN, store)]


def test_an_end_is_told_once_and_what_came_of_it_is_recorded(database: StateFolder, hook: Hook) -> None:
    with recorded(database) as store:
        assert [notice.status for notice in announced(store, hook)] == ["sent"]
        assert announced(store, hook) == ()
        assert statuses(store) == [("on-call", "sent")]
    assert len(hook.got) == 1


def test_of_two_processes_that_end_it_one_tells(database: StateFolder, hook: Hook) -> None:
    with recorded(database) as mine, open_store(database) as (theirs, _):
        ledgers = [NoticeLedger(store, RUN, "end") for store in (mine, theirs)]
        assert [ledger.begin("on-call") for ledger in ledgers] == [True, False]
        assert announced(theirs, hook) == ()
    assert hook.got == []


def test_a_later_attempt_and_each_stop_have_notices_of_their_own(tmp_path: Path, hook: Hook) -> None:
    with recorded(StateFolder(tmp_path)) as store:
        announcements = [
            announced(store, hook, "stopped"),
            announced(store, hook, "stopped"),
            announced(store, hook),
            announced(store, hook, run=attrs.evolve(RUN, attempts=2)),
        ]
        assert [[notice.status for notice in notices] for notices in announcements] == [["sent"]] * 4
    assert [request.json["moment"] for request in hook.got] == ["stopped", "stopped", "end", "end"]


def test_each_end_has_a_mail_of_its_own(tmp_path: Path) -> None:
    """By its Message-ID's part that does not change with the time."""
    moments: tuple[Moment, ...] = ("stopped", "stopped", "end")
    with recorded(StateFolder(tmp_path)) as store, mail_server() as post:
        notifications = Notifications(
            (Channel("night", ("end",), Mail("127.0.0.1", post.port, "none", "a@b.example", ("c@d.example",))),)
        )
        for moment in moments:
            notifications.announce(ending(moment), NoticeLedger(store, RUN, moment), lambda text: None)
    ids = [message["Message-ID"].partition("@")[0].partition(RUN.run_id)[2] for _, message in post.got]
    assert ids == [".stopped-1.night", ".stopped-2.night", ".end.night"]


KILLED = """
import os, signal, sys
from unittest.mock import patch
sys.path.insert(0, sys.argv[1])
from easops.playbook.record.state_folder import open_store
from easops.playbook.record.run_view import RunView
from easops.playbook.record.state_folder import StateFolder
from easops.notify import notifications
from easops.playbook.record.notice_ledger import NoticeLedger
from tests.notify.servers import Hook
from tests.playbook.test_notices import announced

def die(*values, **more):
    os.kill(os.getpid(), signal.SIGKILL)

moment, port = sys.argv[2], int(sys.argv[3])
with open_store(StateFolder.default()) as (record, _):
    print(os.getpid(), flush=True)
    where = {"before-intent": (NoticeLedger, "begin"), "after-intent": (notifications, "deliver"),
             "answered": (NoticeLedger, "record_outcome"), "sent": (NoticeLedger, "no_such")}[moment]
    with patch.object(*where, die, create=True):
        announced(record, Hook(port))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the process is killed by a signal")
@pytest.mark.parametrize(
    ("database", "moment", "got", "afterwards"),
    [
        ("sqlite", "before-intent", 0, "sent"),
        ("sqlite", "after-intent", 0, "unknown"),
        ("postgresql", "after-intent", 0, "unknown"),
        ("sqlite", "sent", 1, "unknown"),
        ("sqlite", "answered", 1, "unknown"),
    ],
    indirect=["database"],
)
def test_a_kill_at_any_moment_has_nothing_told_twice(
    database: StateFolder, moment: str, got: int, afterwards: str, hook: Hook
) -> None:
    """Killed before the intent is recorded, a later process sends it; after that, nobody sends it again."""
    with recorded(database) as store:
        command = [sys.executable, "-c", KILLED, str(Path(__file__).parents[2]), moment, str(hook.port)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment_of(database)) as child:
            if moment == "sent":
                hook.at = child.kill  # it has the message, and nobody hears of that
            child.wait(60)
        assert (child.returncode, len(hook.got)) == (-9, got)
        hook.at = lambda: None

        announced(store, hook)

        assert statuses(store) == [("on-call", afterwards)]
        assert len(hook.got) == max(got, int(afterwards == "sent"))


def test_what_goes_wrong_in_telling_is_told_and_ends_nothing(tmp_path: Path, hook: Hook) -> None:
    said: list[Notice] = []
    channels = (
        Channel("nobody", ("end",), LogFile(tmp_path / "nosuch" / "x")),
        Channel("on-call", ("end",), Webhook(hook.url)),
        Channel("silent", ("approval",), Webhook(hook.url)),
    )
    with recorded(StateFolder(tmp_path)) as store:
        ledger = NoticeLedger(store, RUN, "end")
        notices = Notifications(channels).reporting_to(said.append).announce(ending(), ledger, print)
        assert [(notice.channel, notice.status) for notice in notices] == [("nobody", "failed"), ("on-call", "sent")]
        assert sorted(notice.channel for notice in said) == ["nobody", "on-call"]
        assert sorted(statuses(store)) == [("nobody", "failed"), ("on-call", "sent")]


class Broken:
    """Somebody's own announcer, which does not keep its promise."""

    def recorded(self) -> None: ...

    def announce(self, *values: object) -> tuple[Notice, ...]:
        raise KeyError("a bug of somebody's")


def test_an_announcer_that_raises_does_not_hide_what_kept_a_run_from_its_first_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EASOPS_PASSWORD", "x")
    inventory = tmp_path / "hosts.yml"
    inventory.write_text(
        "easops: 1\ncredentials: {me: {username: me, password: {env: EASOPS_PASSWORD}}}\nhosts:\n"
        "  - {name: EX1, organisation: o, version: 2016, roles: [mailbox], endpoints: {\n"
        "     exchange: {url: 'http://127.0.0.1:9/PowerShell', credential: me, auth: negotiate}}}\n",
        encoding="utf-8",
    )
    hosts = load_inventory(inventory).hosts
    with pytest.raises(UnreachableHost):
        run("contacts-sync-storm", hosts, confirm=True, announcer=Broken(), state=StateFolder(tmp_path / "state"))


@pytest.mark.parametrize("broken", ["Notifications.wanting", "message_of", "deliver"])
def test_a_bug_in_telling_does_not_change_a_runs_end(
    tmp_path: Path, hook: Hook, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def bug(*values: object, **more: object) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(f"easops.notify.notifications.{broken}", bug)
    with recorded(StateFolder(tmp_path)) as store:
        (notice,) = announced(store, hook)
    assert (notice.status, notice.reason) == ("unknown", "a bug in easops: KeyError")
