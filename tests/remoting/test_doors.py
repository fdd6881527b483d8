"""Doors: what easops says of servers that answer at logon with something else than a session, through real sockets."""

from __future__ import annotations

import contextlib
import functools
import http.server
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from easops.errors import AccessRefused, BadInput, UnreachableHost
from easops.inventory.host import Credential, Endpoint, Host
from easops.lab.certificate import Certificate, make_certificate
from easops.remoting.command import Command
from easops.remoting.load_quota import wait_out_load_quotas
from easops.remoting.pool import SessionPool

READ = Command("Get-Mailbox", {"Identity": "anna"}, reads=True)


@attrs.define
class Door:
    """A server that gives one answer to every request. *requests* are their methods and Authorization headers."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/html"
    headers: tuple[tuple[str, str], ...] = ()
    port: int = 0
    requests: list[tuple[str, str, str]] = attrs.field(factory=list)

    def wsman_fault(self, code: str, text: str) -> None:
        self.status, self.content_type = 500, "application/soap+xml;charset=UTF-8"
        detail = (
            f'<s:Detail><f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" Code="{code}" '
            f'Machine="ex1"><f:Message>{text}</f:Message></f:WSManFault></s:Detail>'
            if code
            else ""
        )
        self.body = (
            '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header/><s:Body><s:Fault><s:Code>'
            f"<s:Value>s:Receiver</s:Value></s:Code><s:Reason><s:Text>{text}</s:Text></s:Reason>{detail}"
            "</s:Fault></s:Body></s:Envelope>"
        ).encode()


@pytest.fixture(scope="module")
def certificate() -> Certificate:
    return make_certificate()


@pytest.fixture(params=["https", "http"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def door(scheme: str, certificate: Certificate) -> Iterator[Door]:
    door = Door()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            door.requests.append((self.command, self.path, self.headers.get("Authorization", "")))
            self.send_response(door.status)
            for name, value in door.headers:
                self.send_header(name, value)
            self.send_header("Content-Type", door.content_type)
            self.send_header("Content-Length", str(len(door.body)))
            self.end_headers()
            self.wfile.write(door.body)

        do_GET = do_POST = answer

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if scheme == "https":
        listening.socket = certificate.server_context().wrap_socket(listening.socket, server_side=True)
    door.port = listening.server_address[1]
    threading.Thread(target=listening.serve_forever, args=(0.05,), daemon=True).start()
    yield door
    listening.shutdown()
    listening.server_close()


@pytest.fixture
def ask(door: Door, scheme: str, certificate: Certificate, tmp_path: Path) -> Iterator[Callable[..., UnreachableHost]]:
    """Asks the door something, over TLS with Basic, or without TLS with NTLM, and returns the error."""
    (tmp_path / "password.txt").write_text("secret", encoding="utf-8")
    certificate.write_authority(tmp_path / "ca.pem")
    with SessionPool() as pool:

        def asking(*, deadline: float = 20.0) -> UnreachableHost:
            settings = Endpoint(
                f"{scheme}://127.0.0.1:{door.port}/PowerShell",
                "basic" if scheme == "https" else "ntlm",
                Credential("admin", "CONTOSO\\admin", "file", str(tmp_path / "password.txt")),
                ca=tmp_path / "ca.pem",
            )
            host = Host("EX1", "contoso", "2016", frozenset({"mailbox"}), exchange=settings)
            with pytest.raises(UnreachableHost) as error:
                pool.open(host, "exchange").invoke(READ, deadline=deadline)
            return error.value

        yield asking


LONG = b"<HTML><HEAD><TITLE>Bad Request</TITLE></HEAD><BODY><h2>Bad Request - Request Too Long</h2></BODY></HTML>"
TLS = b"<html><body><h3>HTTP Error 403.4 - Forbidden</h3></body></html>"
KERBAUTH = b"<h2>500</h2>Calling LoadLibraryEx on native module &quot;kerbauth&quot; failed"
DOORS = {
    "Request Too Long": (400, LONG, "is too long for the server", "ticket"),
    "403.4": (403, TLS, "accepts only https", "forbidden"),
    "a bare 403": (403, b"", "access is forbidden", "forbidden"),
    "404": (404, b"<p>no</p>", "no PowerShell endpoint", "endpoint"),
    "405": (405, b"", "does not accept PowerShell's requests", "endpoint"),
    "500 of IIS": (500, KERBAUTH, 'LoadLibraryEx on native module "kerbauth" failed', None),
    "502": (502, b"", "a load balancer answers", None),
    "503": (503, b"<h2>Service Unavailable</h2>", "stopped or overloaded", None),
    "504": (504, b"", "a load balancer answers", None),
    "a page": (200, b"<html><body>Welcome to nginx!</body></html>", "Welcome to nginx!", "endpoint"),
    "an XHTML page": (
        200,
        b"<html xmlns='http://www.w3.org/1999/xhtml'><p>Hi</p></html>",
        "not PowerShell",
        "endpoint",
    ),
}


@pytest.mark.parametrize(("status", "body", "says", "reason"), DOORS.values(), ids=DOORS)
def test_a_server_that_answers_was_reached(
    door: Door, ask: Callable[..., UnreachableHost], status: int, body: bytes, says: str, reason: str | None
) -> None:
    door.status, door.body = status, body

    error = ask()

    assert says in str(error)
    assert "cannot be reached" not in str(error)
    assert "firewall" not in error.next_step
    assert getattr(error, "reason", None) == reason
    tries = len([method for method, _, _ in door.requests if method == "POST"])
    assert tries == 1 if reason is not None else tries >= 3


FAULTS = {
    "denied": ("2150858819", "[Server=EX1] Access is denied.", "Exchange denies CONTOSO\\admin access", "role"),
    "18 shells": ("2150859173", "a maximum of 18 concurrent shells", "as many shells open as", None),
    "any fault": ("2150858770", "Something is odd.", "Something is odd.", None),
}


@pytest.mark.parametrize(("code", "text", "says", "reason"), FAULTS.values(), ids=FAULTS)
def test_a_fault_at_logon_was_an_answer(
    door: Door, ask: Callable[..., UnreachableHost], code: str, text: str, says: str, reason: str | None
) -> None:
    door.wsman_fault(code, text)

    error = ask()

    assert says in str(error)
    assert "cannot be reached" not in str(error)
    assert getattr(error, "reason", None) == reason


def test_a_fault_without_any_text_asks_for_kerberos(door: Door, ask: Callable[..., UnreachableHost]) -> None:
    door.wsman_fault("", "")

    error = ask()

    assert "an error that has no text" in str(error)
    assert "auth: kerberos" in error.next_step


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:{port}/PowerShell",
        "/owa/",
        "https://elsewhere.example/x",
        "https://[::1/x",
        "https://ex1:no/x",
    ],
)
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_an_answer_and_is_not_followed(
    door: Door, ask: Callable[..., UnreachableHost], status: int, location: str
) -> None:
    door.status, door.headers = status, (("Location", location.format(port=door.port)),)

    error = ask()

    assert "the server redirects to" in error.what
    assert isinstance(error, AccessRefused)
    assert [(method, path) for method, path, _ in door.requests] == [("POST", "/PowerShell")]


def test_a_load_quota_is_waited_for_as_it_says(
    door: Door, ask: Callable[..., UnreachableHost], monkeypatch: pytest.MonkeyPatch
) -> None:
    door.wsman_fault("2150859175", "The next request will not be approved for at least 1500 milliseconds.")
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        door.wsman_fault("2150858819", "[Server=EX1] Access is denied.")  # the next answer is another one

    waiting = functools.partial(wait_out_load_quotas, sleep=sleep)
    monkeypatch.setattr("easops.remoting.psrp.wait_out_load_quotas", waiting)

    error = ask()

    assert waited == [1.5]
    assert "Access is denied" in str(error)


def test_a_load_quota_longer_than_the_deadline_is_an_error_that_names_it(
    door: Door, ask: Callable[..., UnreachableHost]
) -> None:
    door.wsman_fault("2150859175", "The next request will not be approved for at least 1769808 milliseconds.")

    error = ask()

    assert "no further request of CONTOSO\\admin for 29 minutes" in error.what
    assert "try again after 29 minutes" in error.next_step
    assert len(door.requests) == 1  # asking again before that time would only be refused again


@pytest.fixture
def mute(scheme: str, certificate: Certificate) -> Iterator[Callable[[bytes | None], int]]:
    """Starts a server that takes connections, writes the given bytes to each, reads once and closes it (None: keeps it
    open), and returns its port."""
    listening = socket.create_server(("127.0.0.1", 0))
    kept: list[socket.socket] = []

    def start(writes: bytes | None) -> int:
        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                if writes is None:
                    kept.append(connection)
                    continue
                with contextlib.suppress(OSError):
                    connection.settimeout(5)
                    connection.sendall(writes)
                    connection.recv(1 << 16)  # what is not read would be answered with a reset
                connection.close()

        threading.Thread(target=serve, daemon=True).start()
        return int(listening.getsockname()[1])

    yield start
    listening.close()
    for connection in kept:
        connection.close()


def test_a_server_that_ends_the_connection_was_reached(
    door: Door, mute: Callable[[bytes | None], int], ask: Callable[..., UnreachableHost], scheme: str
) -> None:
    door.port = mute(b"")

    error = ask()

    expected = "there is no TLS with the server" if scheme == "https" else "took the connection and ended it"
    assert expected in error.what
    assert "firewall" not in error.next_step


def test_a_server_that_speaks_something_else_was_reached(
    door: Door, mute: Callable[[bytes | None], int], ask: Callable[..., UnreachableHost], scheme: str
) -> None:
    door.port = mute(b"SSH-2.0-OpenSSH_9.0\r\n")

    error = ask()

    expected = "there is no TLS with the server" if scheme == "https" else "took the connection and ended it"
    assert expected in error.what


def test_a_server_that_never_answers_did_not_answer(
    door: Door,
    mute: Callable[[bytes | None], int],
    ask: Callable[..., UnreachableHost],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("easops.remoting.psrp.GRACE", 0.2)
    door.port = mute(None)

    error = ask(deadline=0.5)

    assert "did not answer" in error.what
    assert "cannot be reached" not in error.what


@pytest.mark.parametrize("scheme", ["https"], indirect=True)
@pytest.mark.parametrize(("user", "password"), [("CONTOSO\\admin", "pass€word"), ("CONTOSO\\админ", "x")])
def test_what_basic_cannot_carry_is_refused_before_anything_is_sent(
    door: Door, tmp_path: Path, user: str, password: str
) -> None:
    (tmp_path / "password.txt").write_text(password, encoding="utf-8")
    credential = Credential("admin", user, "file", str(tmp_path / "password.txt"))
    settings = Endpoint(f"https://127.0.0.1:{door.port}/PowerShell", "basic", credential)
    host = Host("EX1", "contoso", "2016", frozenset({"mailbox"}), exchange=settings)

    with pytest.raises(BadInput, match="cannot be sent with basic") as error, SessionPool() as pool:
        pool.open(host, "exchange").invoke(READ)

    assert error.value.__cause__ is None
    assert error.value.__context__ is None
    assert password not in repr(error.value)
    assert not door.requests
