"""A session that speaks the real protocol with the lab: what each failure is, and what was sent."""

from __future__ import annotations

import datetime as dt
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import urllib3

from easops.errors import AccessRefused, CommandFailed, OutcomeUnknown, UnreachableHost
from easops.inventory.host import Endpoint, Host
from easops.inventory.load import load_inventory
from easops.lab import server
from easops.lab.wsman.service import Service
from easops.remoting import psrp
from easops.remoting.command import Command, Pipeline
from easops.remoting.pool import SessionPool
from easops.remoting.result import RemoteObject

GET = Command("Get-Mailbox", {"Identity": "laura.brandt@contoso.example"}, reads=True)
NEW = Command("New-ThrottlingPolicy", {"Name": "Mine", "Confirm": False})
RECYCLE = Command("Restart-WebAppPool", {"Name": "MSExchangeSyncAppPool"})


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[server.Lab]:
    with server.start(tmp_path_factory.mktemp("lab"), scenario="contacts-storm", speed=0) as lab:
        yield lab


@pytest.fixture
def host(lab: server.Lab) -> Host:
    return load_inventory(lab.inventory).hosts[0]


@pytest.fixture
def pool() -> Iterator[SessionPool]:
    with SessionPool() as pool:
        yield pool


def sent(lab: server.Lab, cmdlet: str) -> int:
    """How often the lab has run a cmdlet."""
    path = lab.folder / "calls.jsonl"
    return path.read_text(encoding="utf-8").count(f'"{cmdlet}"') if path.exists() else 0


def wait_until_sent(lab: server.Lab, cmdlet: str, times: int) -> None:
    """Wait until the lab has run it that often: the client may see a dropped connection before that."""
    for _ in range(100):
        if sent(lab, cmdlet) >= times:
            return
        threading.Event().wait(0.05)


def elsewhere(host: Host, **changed: Any) -> Host:
    assert host.exchange is not None
    return attrs.evolve(host, exchange=attrs.evolve(host.exchange, **changed))


def test_an_answer_becomes_values(host: Host, pool: SessionPool) -> None:
    (mailbox,) = pool.open(host, "exchange").invoke(GET).objects()
    assert isinstance(mailbox, RemoteObject)
    assert mailbox.get("PrimarySmtpAddress") is not None


def test_a_non_terminating_error_is_a_refusal_too(host: Host, pool: SessionPool) -> None:
    with pytest.raises(CommandFailed) as failed:
        pool.open(host, "exchange").invoke(Command("Get-Mailbox", {"Identity": "nobody"}, reads=True))
    assert failed.value.has_exception("ManagementObjectNotFoundException")


@pytest.mark.parametrize(
    ("command", "fqid"),
    [
        (Command("Get-Nonsense", reads=True), "CommandNotFoundException"),
        (Command("Get-Mailbox", {"Nonsense": 1}, reads=True), "NamedParameterNotFound"),
    ],
)
def test_the_whole_error_record_is_read(host: Host, pool: SessionPool, command: Command, fqid: str) -> None:
    with pytest.raises(CommandFailed) as failed:
        pool.open(host, "exchange").invoke(command)
    assert failed.value.records[0].fqid.startswith(fqid)
    assert failed.value.records[0].terminating


def test_several_statements_are_one_call(host: Host, pool: SessionPool) -> None:
    both = Pipeline.of(
        Command("Import-Module", {"Name": "WebAdministration"}, reads=True), Command("Get-Website", reads=True)
    )
    assert len(pool.open(host, "windows").invoke(both).objects()) == 2


def test_powershell_2_gets_one_statement_at_a_time_and_none_after_one_that_failed(
    tmp_path: Path, pool: SessionPool
) -> None:
    with server.start(tmp_path, scenario="contacts-storm-2010", speed=0) as old:
        host = load_inventory(old.inventory).hosts[0]
        session = pool.open(host, "windows")
        module = Command("Import-Module", {"Name": "WebAdministration"}, reads=True)
        session.invoke(Pipeline.of(module, RECYCLE))
        with pytest.raises(CommandFailed) as failed:
            session.invoke(Pipeline.of(Command("Get-CimInstance", {"ClassName": "Win32_Process"}, reads=True), RECYCLE))
        assert failed.value.lacks("Get-CimInstance")
        assert sent(old, "Restart-WebAppPool") == 1


def test_a_lost_reply_to_a_change_is_an_unknown_outcome_and_it_is_sent_once(
    lab: server.Lab, host: Host, pool: SessionPool
) -> None:
    lab.faults.drop("acknowledgement", cmdlet="New-ThrottlingPolicy")
    before = sent(lab, "New-ThrottlingPolicy")
    with pytest.raises(OutcomeUnknown):
        pool.open(host, "exchange").invoke(NEW)
    wait_until_sent(lab, "New-ThrottlingPolicy", before + 1)
    pool.open(host, "exchange").invoke(GET)
    assert sent(lab, "New-ThrottlingPolicy") == before + 1


def test_a_lost_reply_to_a_read_is_read_again(lab: server.Lab, host: Host, pool: SessionPool) -> None:
    lab.faults.drop("acknowledgement", cmdlet="Get-Mailbox")
    assert len(pool.open(host, "exchange").invoke(GET).objects()) == 1


def test_after_the_server_lost_the_shell_a_new_one_is_opened_and_the_change_sent_once(
    lab: server.Lab, host: Host, pool: SessionPool
) -> None:
    session = pool.open(host, "windows")
    session.invoke(Command("Get-Date", reads=True))
    lab.faults.expire_shells()
    before = sent(lab, "Restart-WebAppPool")
    session.invoke(RECYCLE)
    assert sent(lab, "Restart-WebAppPool") == before + 1


def test_a_change_after_a_pause_gets_a_new_session_and_leaves_no_shell_behind(
    lab: server.Lab, host: Host, pool: SessionPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    verbs: list[str] = []
    answer = Service._answer

    async def noting(service: Service, endpoint: Any, name: str, user: Any, request: Any) -> bytes:
        verbs.append(request.verb)
        return await answer(service, endpoint, name, user, request)

    monkeypatch.setattr(Service, "_answer", noting)
    monkeypatch.setattr(psrp, "_FRESH_FOR", -1.0)
    session = pool.open(host, "windows")
    session.invoke(Command("Get-Date", reads=True))
    session.invoke(RECYCLE)
    assert [verb for verb in verbs if verb in ("Create", "Delete")] == ["Create", "Delete", "Create"]


def test_connections_are_kept_alive_as_a_firewall_forgets_idle_ones(
    host: Host, pool: SessionPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    connect = urllib3.util.connection.create_connection

    def noting(*values: Any, **options: Any) -> Any:
        seen.append(options["socket_options"])
        return connect(*values, **options)

    monkeypatch.setattr(urllib3.util.connection, "create_connection", noting)
    pool.open(host, "windows").invoke(Command("Get-Date", reads=True))
    assert seen
    assert all((socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1) in options for options in seen)


def test_no_call_outlives_its_deadline_by_more_than_the_grace(
    lab: server.Lab, host: Host, pool: SessionPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psrp, "GRACE", 0.5)
    session = pool.open(host, "exchange")
    session.invoke(GET)
    lab.faults.delay("command", 15, cmdlet="Get-CASMailbox")
    began = time.monotonic()
    with pytest.raises(OutcomeUnknown, match="no answer came back"):
        session.invoke(Command("Get-CASMailbox", {"Identity": "laura.brandt@contoso.example"}), deadline=0.5)
    assert time.monotonic() - began < 14  # the server would have taken longer
    assert len(session.invoke(GET).objects()) == 1


def test_a_wrong_password_is_tried_once_for_all_hosts(lab: server.Lab, tmp_path: Path, pool: SessionPool) -> None:
    wrong = tmp_path / "wrong.txt"
    wrong.write_text("guess", encoding="utf-8")
    refused = []
    for host in load_inventory(lab.inventory).hosts:
        assert host.exchange is not None
        assert host.exchange.credential is not None
        credential = attrs.evolve(host.exchange.credential, reference=str(wrong))
        with pytest.raises(AccessRefused) as error:
            pool.open(elsewhere(host, credential=credential), "exchange").invoke(GET)
        refused.append(error.value)
    assert [error.reason for error in refused] == ["logon", "logon"]
    assert "was not tried" in refused[1].what


def test_a_user_without_a_role_is_refused(lab: server.Lab, host: Host, pool: SessionPool) -> None:
    assert host.exchange is not None
    assert host.exchange.credential is not None
    helpdesk = attrs.evolve(host.exchange.credential, username="CONTOSO\\helpdesk")
    with pytest.raises(AccessRefused) as refused:
        pool.open(elsewhere(host, credential=helpdesk), "exchange").invoke(GET)
    assert refused.value.reason == "role"


@pytest.mark.parametrize("path", ["nowhere", "wsman"])
def test_a_wrong_address_is_refused_as_a_wrong_endpoint(host: Host, pool: SessionPool, path: str) -> None:
    assert host.exchange is not None
    url = host.exchange.url.replace("PowerShell", path)
    with pytest.raises(AccessRefused) as refused:
        pool.open(elsewhere(host, url=url), "exchange").invoke(GET)
    assert refused.value.reason == "endpoint"


def test_an_untrusted_certificate_is_refused(host: Host, pool: SessionPool) -> None:
    with pytest.raises(AccessRefused) as refused:
        pool.open(elsewhere(host, ca=None), "exchange").invoke(GET)
    assert refused.value.reason == "certificate"


def test_an_expired_certificate_is_refused_as_expired(
    tmp_path: Path, pool: SessionPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("easops.lab.certificate.LIFETIME", dt.timedelta(minutes=-30))
    with server.start(tmp_path, scenario="calm", speed=0) as expired:
        host = load_inventory(expired.inventory).hosts[0]
        with pytest.raises(AccessRefused, match="not trusted") as refused:
            pool.open(host, "exchange").invoke(GET)
    assert (refused.value.reason, refused.value.why) == ("certificate", "certificate has expired")


def test_if_nothing_listens_nothing_was_sent(host: Host, pool: SessionPool) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    away = elsewhere(host, url=f"https://127.0.0.1:{port}/PowerShell")
    with pytest.raises(UnreachableHost, match="cannot be reached") as error:
        pool.open(away, "exchange").invoke(NEW)
    assert not isinstance(error.value, AccessRefused)


def test_no_error_shows_the_password(lab: server.Lab, host: Host, pool: SessionPool) -> None:
    password = (lab.folder / "password.txt").read_text(encoding="utf-8").strip()
    session = pool.open(host, "exchange")
    with pytest.raises(CommandFailed) as failed:
        session.invoke(Command("Get-Nonsense"))
    assert password not in f"{failed.value!r} {failed.value} {session!r} {Endpoint!r}"
