"""Logging on with NTLM, Negotiate and Kerberos: what is encrypted, and what a refusal means for other hosts."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import spnego
from spnego.exceptions import BadMICError, ErrorCode, SpnegoError

from easops.errors import AccessRefused, BadInput, OutcomeUnknown
from easops.inventory.host import Auth, Credential, Endpoint, Host
from easops.inventory.load import load_inventory
from easops.lab import server
from easops.remoting.command import Command
from easops.remoting.pool import SessionPool
from easops.remoting.secret import Secret
from easops.remoting.session import EndpointName
from easops.remoting.transport import empty_frames, make_wsman
from tests.shown import everything_in

DATE = Command("Get-Date", reads=True)
RECYCLE = Command("Restart-WebAppPool", {"Name": "MSExchangeSyncAppPool"})
ADMIN = Credential("admin", "CONTOSO\\admin", "file", "/password.txt")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[server.Lab]:
    folder = tmp_path_factory.mktemp("lab")
    with server.start(folder, scenario="calm", speed=0, auth="negotiate") as lab:
        yield lab


@pytest.fixture
def hosts(lab: server.Lab) -> tuple[Host, ...]:
    return load_inventory(lab.inventory).hosts


@pytest.fixture
def pool() -> Iterator[SessionPool]:
    with SessionPool() as pool:
        yield pool


def windows(host: Host, **changes: Any) -> Host:
    assert host.windows is not None
    return attrs.evolve(host, windows=attrs.evolve(host.windows, **changes))


def through(host: Host, relay: Any, **changes: Any) -> Host:
    return windows(host, url=f"http://127.0.0.1:{relay.port}/wsman", **changes)


def wrong(tmp_path: Path) -> Credential:
    (tmp_path / "wrong.txt").write_text("guess", encoding="utf-8")
    return attrs.evolve(ADMIN, reference=str(tmp_path / "wrong.txt"))


@pytest.mark.parametrize("auth", ["ntlm", "negotiate"])
def test_over_http_every_message_is_encrypted(
    lab: server.Lab, hosts: tuple[Host, ...], pool: SessionPool, relay_before: Callable[[int], Any], auth: Auth
) -> None:
    relay = relay_before(lab.plain_ports["AMS-EX01"])

    found = pool.open(through(hosts[0], relay, auth=auth), "windows").invoke(DATE)

    assert len(found.output) == 1
    assert b"POST /wsman" in relay.traffic
    for readable in (b"Get-Date", b"Envelope", b"schemas", b"guess", lab.users["CONTOSO\\admin"].password.encode()):
        assert readable not in relay.traffic


def test_a_wrong_password_is_sent_once_and_to_one_host(
    lab: server.Lab, hosts: tuple[Host, ...], pool: SessionPool, relay_before: Callable[[int], Any], tmp_path: Path
) -> None:
    relays = [relay_before(lab.plain_ports[host.name]) for host in hosts]
    refused = []
    for host, relay in zip(hosts, relays, strict=True):
        for endpoint in ("windows", "exchange"):
            credential = wrong(tmp_path)
            assert host.exchange is not None
            host = attrs.evolve(host, exchange=attrs.evolve(host.exchange, credential=credential))
            with pytest.raises(AccessRefused) as error:
                pool.open(through(host, relay, auth="ntlm", credential=credential), endpoint).invoke(DATE)
            refused.append(error.value)

    assert [error.reason for error in refused] == ["logon"] * 4
    assert ["was not tried" in error.what for error in refused] == [False, True, True, True]
    assert [relay.traffic.count(b"Authorization: Negotiate") for relay in relays] == [2, 0]  # one logon is two messages


@pytest.mark.parametrize("call", [DATE, RECYCLE], ids=["a reading", "a change"])
def test_after_an_idle_connection_was_cut_the_next_call_logs_on_again(
    lab: server.Lab, hosts: tuple[Host, ...], pool: SessionPool, relay_before: Callable[[int], Any], call: Command
) -> None:
    relay = relay_before(lab.plain_ports["AMS-EX01"])
    session = pool.open(through(hosts[0], relay), "windows")
    session.invoke(DATE)
    before = len(recycled(lab))

    relay.cut()
    session.invoke(call)

    assert len(recycled(lab)) - before == (call is RECYCLE)


def test_a_change_whose_answer_cannot_be_decrypted_has_an_unknown_outcome(
    lab: server.Lab, hosts: tuple[Host, ...], pool: SessionPool, relay_before: Callable[[int], Any]
) -> None:
    relay = relay_before(lab.plain_ports["AMS-EX01"])
    session = pool.open(through(hosts[0], relay, auth="ntlm"), "windows")
    session.invoke(DATE)
    before = len(recycled(lab))

    relay.spoils = True
    with pytest.raises(OutcomeUnknown, match="its answer cannot be trusted") as unknown:
        session.invoke(RECYCLE)

    assert "read the current state" in unknown.value.next_step
    session.invoke(DATE)
    assert len(recycled(lab)) == before + 1


def test_a_change_that_a_server_received_before_it_failed_to_prove_itself_has_an_unknown_outcome(
    lab: server.Lab,
    hosts: tuple[Host, ...],
    pool: SessionPool,
    relay_before: Callable[[int], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Over TLS the last message of a logon carries the call itself."""
    assert hosts[0].exchange is not None
    relay = relay_before(lab.ports["AMS-EX01"])
    over_tls = windows(hosts[0], url=f"https://127.0.0.1:{relay.port}/wsman", ca=hosts[0].exchange.ca)
    session = pool.open(over_tls, "windows")
    session.invoke(DATE)
    before = len(recycled(lab))

    class Doubting:
        """A context that does not accept the server's last token."""

        def __init__(self, *arguments: Any, **options: Any) -> None:
            self._context = client(*arguments, **options)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._context, name)

        def step(self, *token: Any, **options: Any) -> Any:
            out = self._context.step(*token, **options)
            if self._context.complete and out is None:
                raise BadMICError(context_msg="the server's last token")
            return out

    client = spnego.client
    monkeypatch.setattr("spnego.client", Doubting)
    relay.cut()
    with pytest.raises(OutcomeUnknown, match="its answer cannot be trusted"):
        session.invoke(RECYCLE)

    monkeypatch.undo()
    session.invoke(DATE)
    assert len(recycled(lab)) == before + 1


def recycled(lab: server.Lab) -> list[str]:
    lines = (lab.folder / "calls.jsonl").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if "Restart-WebAppPool" in line]


def test_an_authentication_that_the_server_does_not_accept_leaves_the_credential_usable(
    hosts: tuple[Host, ...], pool: SessionPool
) -> None:
    host = hosts[0]
    assert host.exchange is not None

    with pytest.raises(AccessRefused, match="does not accept ntlm") as refused:
        pool.open(attrs.evolve(host, name="X", exchange=attrs.evolve(host.exchange, auth="ntlm")), "exchange").invoke(
            DATE
        )

    assert (refused.value.reason, refused.value.why) == ("endpoint", "it offers Kerberos; no password was sent")
    assert pool.open(host, "windows").invoke(DATE).output


@pytest.mark.parametrize(
    ("url", "auth", "endpoint", "expected"),
    [
        ("http://ex1/PowerShell", "kerberos", "exchange", ("kerberos", False, 80, "PowerShell", True, "HTTP")),
        ("https://ex1/PowerShell", "kerberos", "exchange", ("kerberos", True, 443, "PowerShell", False, "HTTP")),
        ("http://ex1:5985/wsman", "negotiate", "windows", ("negotiate", False, 5985, "wsman", True, "host")),
        ("https://ex1:5986/wsman", "ntlm", "windows", ("ntlm", True, 5986, "wsman", False, "host")),
    ],
)
def test_messages_are_encrypted_over_http_and_not_a_second_time_over_tls(
    url: str, auth: Auth, endpoint: EndpointName, expected: tuple[object, ...]
) -> None:
    made = make_wsman(Endpoint(url, auth, ADMIN), endpoint, Secret("pw"), connect=1, poll=1).transport

    assert (
        made.auth,
        made.ssl,
        made.port,
        made.path,
        made.wrap_required,
        made.negotiate_service,  # type: ignore[attr-defined]
    ) == expected


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (Endpoint("http://a/PowerShell", "basic", ADMIN), "Basic needs TLS"),
        (Endpoint("https://a/PowerShell", "basic", None), "basic needs a credential"),
        (Endpoint("http://a/PowerShell", "ntlm", None), "ntlm needs a credential"),
        (Endpoint("http://a/PowerShell", "kerberos", None), "auth: kerberos needs Kerberos, which is not installed"),
        (Endpoint("http://a/PowerShell", "negotiate", None), "an endpoint without a credential needs Kerberos"),
    ],
)
def test_an_endpoint_that_cannot_log_on_is_refused_before_anything_is_sent(
    hosts: tuple[Host, ...], pool: SessionPool, settings: Endpoint, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "gssapi", None)
    monkeypatch.setattr("easops.remoting.transport._WINDOWS", False)
    monkeypatch.setattr("easops.remoting.pool.read_secret", lambda credential: Secret("pw"))

    with pytest.raises(BadInput, match=expected) as refused:
        pool.open(attrs.evolve(hosts[0], exchange=settings), "exchange")

    assert ("easops[kerberos]" in refused.value.next_step) == ("not installed" in str(refused.value))


class Krb5Error(Exception):
    """As the library krb5 raises it; spnego passes it on."""

    __module__ = "krb5._exceptions"

    def __init__(self, text: str, err_code: int) -> None:
        super().__init__(text)
        self.err_code = err_code


def no_credentials(minor: str) -> SpnegoError:
    """As spnego raises it, with a layer for each library."""
    layers = f"SpnegoError (7): Major (458752): No credentials were supplied, Minor (2529639053): {minor}"
    return SpnegoError(ErrorCode.failure, Exception(layers), "Processing security token")


@pytest.mark.parametrize(
    ("error", "credential", "others"),
    [
        (no_credentials("No Kerberos credentials available"), None, "could not log on"),
        (no_credentials("Server not found in Kerberos database"), ADMIN, "could not log on"),
        (Krb5Error("Configuration file does not specify default realm", -1765328160), ADMIN, "could not log on"),
        (Krb5Error("Preauthentication failed", -1765328360), ADMIN, "was not tried"),
    ],
    ids=["no ticket", "no such server", "no realm", "wrong password"],
)
def test_a_logon_that_fails_on_this_side_affects_one_host_unless_the_password_is_wrong(
    hosts: tuple[Host, ...],
    pool: SessionPool,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    credential: Credential | None,
    others: str,
) -> None:
    def no_context(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr("easops.remoting.transport._WINDOWS", True)  # Kerberos is built in
    monkeypatch.setattr("easops.remoting.pool.read_secret", lambda credential: Secret("pw"))
    monkeypatch.setattr("pypsrp.negotiate.spnego.client", no_context)
    refused = []
    for host in hosts[:2]:
        with pytest.raises(AccessRefused) as caught:
            pool.open(windows(host, auth="kerberos", credential=credential), "windows").invoke(DATE)
        refused.append(caught.value)

    assert [error.reason for error in refused] == ["logon", "logon"]
    assert refused[0].why in (str(error), "No Kerberos credentials available", "Server not found in Kerberos database")
    assert ("kinit" in refused[0].next_step) == (credential is None)
    assert others in refused[1].what


UNSUITABLE = ["s3cret€", "s3cretпароль", "s3cret\udc80"]


def refused_before_anything_is_sent(host: Host, credential: Credential, relay: Any) -> BadInput:
    with SessionPool() as pool, pytest.raises(BadInput, match="cannot be sent") as refused:
        pool.open(windows(host, credential=credential), "windows").invoke(DATE)
    assert not relay.traffic
    return refused.value


@pytest.mark.parametrize("password", UNSUITABLE)
def test_a_password_that_basic_cannot_carry_is_refused_and_shown_nowhere(
    password: str, hosts: tuple[Host, ...], lab: server.Lab, relay_before: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay = relay_before(next(iter(lab.ports.values())))
    monkeypatch.setenv("EASOPS_TEST_PW", password)
    host = windows(hosts[0], url=f"https://localhost:{relay.port}/wsman", auth="basic")
    error = refused_before_anything_is_sent(host, attrs.evolve(ADMIN, source="env", reference="EASOPS_TEST_PW"), relay)
    assert "s3cret" not in everything_in(error)
    assert password[-1] not in everything_in(error)


def test_a_user_name_that_basic_cannot_carry_is_refused_too(
    hosts: tuple[Host, ...], lab: server.Lab, relay_before: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay = relay_before(next(iter(lab.ports.values())))
    monkeypatch.setenv("EASOPS_TEST_PW", "s3cret")
    host = windows(hosts[0], url=f"https://localhost:{relay.port}/wsman", auth="basic")
    credential = attrs.evolve(ADMIN, source="env", reference="EASOPS_TEST_PW", username="администратор")
    assert "user name" in str(refused_before_anything_is_sent(host, credential, relay))


def test_a_password_that_is_not_text_is_refused_for_ntlm(
    hosts: tuple[Host, ...], lab: server.Lab, relay_before: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay = relay_before(next(iter(lab.plain_ports.values())))
    monkeypatch.setenv("EASOPS_TEST_PW", "s3cret\udc80")
    host = through(hosts[0], relay, auth="ntlm")
    error = refused_before_anything_is_sent(host, attrs.evolve(ADMIN, source="env", reference="EASOPS_TEST_PW"), relay)
    assert "s3cret" not in everything_in(error)


def test_an_error_that_a_library_encodes_the_password_in_is_emptied() -> None:
    def log_on() -> None:
        try:
            "s3cret€".encode("latin-1")
        except UnicodeEncodeError as error:
            raise ValueError("outer") from error

    with pytest.raises(ValueError, match="outer") as caught:
        log_on()
    empty_frames(caught.value)
    assert "s3cret" not in everything_in(caught.value)
