"""The shells of broken sessions: none stays on the server after the next call."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from pypsrp.exceptions import WSManFaultError

from easops.errors import EasopsError, OutcomeUnknown, UnreachableHost
from easops.inventory.host import Host
from easops.inventory.load import load_inventory
from easops.lab import server
from easops.lab.faults import Break, Reply, Verb
from easops.lab.wsman.shell import Shell
from easops.remoting.command import Command
from easops.remoting.failure import NoWSMan
from easops.remoting.pool import SessionPool
from easops.remoting.shell import AbandonedShells

READ = Command("Get-Mailbox", {"Identity": "laura.brandt@contoso.example"}, reads=True)
WRITE = Command("Set-CASMailbox", {"Identity": "laura.brandt@contoso.example", "ActiveSyncEnabled": True})


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[server.Lab]:
    with server.start(tmp_path_factory.mktemp("lab"), scenario="contacts-storm", speed=0) as lab:
        yield lab


@pytest.fixture
def lab(started: server.Lab) -> Iterator[server.Lab]:
    yield started
    started.faults.clear()
    assert set(started.open_shells().values()) == {0}


@pytest.fixture
def host(lab: server.Lab) -> Host:
    return load_inventory(lab.inventory).hosts[0]


def shells(lab: server.Lab) -> int:
    return sum(lab.open_shells().values())


BROKEN: list[tuple[Verb, Break]] = [
    ("Receive", "reset"), ("Command", "close"), ("Receive", Reply(502)), ("Receive", Reply(200, "<html>hello</html>")),
]  # fmt: skip


@pytest.mark.parametrize(("verb", "what"), BROKEN)
def test_many_broken_reads_leave_no_shell_after_the_next_call(
    lab: server.Lab, host: Host, verb: Verb, what: Break
) -> None:
    with SessionPool() as pool:
        session = pool.open(host, "exchange")
        for _ in range(7):
            lab.faults.at_message(verb, what, effect=True, times=3)
            with pytest.raises((OutcomeUnknown, UnreachableHost)):
                session.invoke(READ)
            lab.faults.clear()

        session.invoke(READ)

        assert shells(lab) == 1  # that of the session itself


def test_a_shell_whose_creation_was_not_answered_is_deleted_too(lab: server.Lab, host: Host) -> None:
    with SessionPool() as pool:
        lab.faults.at_message("Create", "reset", effect=True, times=2)
        pool.open(host, "exchange").invoke(READ)
        assert shells(lab) == 1


def test_a_session_that_ends_broken_leaves_no_shell(lab: server.Lab, host: Host) -> None:
    pool = SessionPool()
    lab.faults.at_message("Receive", Reply(504), effect=True, skip=1)
    with pytest.raises(OutcomeUnknown):
        pool.open(host, "exchange").invoke(WRITE)
    assert shells(lab) == 1

    pool.close()

    assert shells(lab) == 0


def test_a_deletion_without_an_answer_is_tried_again(lab: server.Lab, host: Host) -> None:
    with SessionPool() as pool:
        session = pool.open(host, "exchange")
        session.invoke(READ)
        lab.faults.at_message("Delete", "reset", effect=False)
        session.close()
        session.invoke(READ)
        assert shells(lab) == 1


def test_a_call_that_is_given_up_leaves_no_shell(lab: server.Lab, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("easops.remoting.psrp.GRACE", 0.2)
    with SessionPool() as pool:
        session = pool.open(host, "exchange")
        session.invoke(READ)
        lab.faults.delay("command", 3, cmdlet="Get-Mailbox")
        with pytest.raises(EasopsError):
            session.invoke(READ, deadline=0.5)
        monkeypatch.setattr("easops.remoting.psrp.GRACE", 5.0)
        session.invoke(READ)
        time.sleep(3)
        assert shells(lab) == 1


def test_the_server_is_asked_to_delete_an_idle_shell_after_two_minutes(
    lab: server.Lab, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []
    init = Shell.__init__

    def noting(self: Shell, *arguments: object, **options: object) -> None:
        init(self, *arguments, **options)  # type: ignore[arg-type]
        asked.append(self.idle)

    monkeypatch.setattr(Shell, "__init__", noting)
    with SessionPool() as pool:
        pool.open(host, "exchange").connect()
        pool.open(host, "windows").connect()
    assert asked == [120.0, 120.0]


def test_a_server_that_refuses_the_idle_time_gets_its_own(lab: server.Lab, host: Host) -> None:
    lab.faults.refuse_idle_times()
    with SessionPool() as pool:
        pool.open(host, "exchange").invoke(READ)
        assert shells(lab) == 1


def test_a_deletion_that_is_never_answered_is_given_up() -> None:
    shells = AbandonedShells()
    shells.add("1")
    tried: list[str] = []

    def delete(shell_id: str) -> None:
        tried.append(shell_id)
        raise NoWSMan(200, "")

    for _ in range(9):
        shells.delete(delete)

    assert tried == ["1"] * 4
    assert not shells


def test_a_shell_that_the_server_may_still_open_is_looked_for_again() -> None:
    shells = AbandonedShells()
    shells.add("answered")
    shells.add("not answered", answered=False)
    tried: list[str] = []

    def delete(shell_id: str) -> None:
        tried.append(shell_id)
        raise WSManFaultError(2150858843, "ex1", "the shell was not found on the server", None, None, None)

    shells.delete(delete)
    shells.delete(delete)

    assert tried == ["answered", "not answered", "not answered"]
