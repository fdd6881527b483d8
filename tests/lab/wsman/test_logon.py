"""Negotiate and NTLM as an unmodified pypsrp client meets them, and what WinRM refuses."""

from __future__ import annotations

import base64
import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import spnego
from pypsrp.exceptions import AuthenticationError, WinRMTransportError
from pypsrp.negotiate import HTTPNegotiateAuth

if TYPE_CHECKING:
    from tests.lab.wsman.conftest import RunningFront

PASSWORD = "correct horse"
ASK = ("Get-CimInstance", {"ClassName": "Win32_Process"})
BIG = ("Get-Content", {"Path": "C:\\x"})


@pytest.mark.parametrize("auth", ["ntlm", "negotiate"])
@pytest.mark.parametrize(
    "transport",
    [{"ssl": False}, {"ssl": True}, {"ssl": True, "encryption": "always"}],
    ids=["encrypted", "TLS", "both"],
)
def test_the_windows_endpoint_takes_ntlm_and_negotiate(
    front: RunningFront, auth: str, transport: dict[str, Any]
) -> None:
    with front.windows(auth=auth, **transport) as pool:
        powershell = front.ask(pool, ASK)

    assert len(powershell.output) == 1
    assert front.world.calls[-1][2:4] == ("LAB\\admin", "Get-CimInstance")


def test_megabytes_arrive_whole_when_encrypted(front: RunningFront) -> None:
    with front.windows(auth="negotiate", ssl=False) as pool:
        assert [len(block) for block in front.ask(pool, BIG).output] == [200_000] * 20


@pytest.mark.parametrize("auth", ["ntlm", "negotiate"])
@pytest.mark.parametrize("ssl", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize(
    "wrong",
    [{"password": "guess"}, {"username": "LAB\\who"}, {"username": "admin"}],
    ids=["password", "user", "domain"],
)
def test_a_wrong_user_or_password_is_refused(front: RunningFront, auth: str, ssl: bool, wrong: dict[str, str]) -> None:
    with pytest.raises(AuthenticationError), front.windows(auth=auth, ssl=ssl, **wrong):
        pass
    assert front.world.calls == []


def test_the_exchange_endpoint_does_not_accept_ntlm(front: RunningFront) -> None:
    with pytest.raises(ValueError, match="'Kerberos' which is incompatible"), front.pool(auth="ntlm"):
        pass


def test_basic_is_not_accepted_over_plain_http(front: RunningFront) -> None:
    with pytest.raises(AuthenticationError), front.windows(auth="basic", ssl=False, encryption="never"):
        pass


def test_a_message_that_is_not_encrypted_is_refused_over_plain_http(front: RunningFront) -> None:
    with (
        pytest.raises(WinRMTransportError, match="500"),
        front.windows(auth="negotiate", ssl=False, encryption="never"),
    ):
        pass
    assert front.world.calls == []


def test_a_logon_with_the_binding_of_another_channel_is_refused(
    front: RunningFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HTTPNegotiateAuth, "_get_certificate_hash", staticmethod(lambda der: b"somebody's between"))

    with pytest.raises(AuthenticationError), front.windows(auth="ntlm", ssl=True):
        pass


class RawConnection:
    """One connection to the plain port, without pypsrp."""

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self._connection = connection

    def post(self, body: bytes = b"", **headers: str) -> tuple[int, list[str]]:
        """The status, and each WWW-Authenticate."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request("POST", "/wsman", body, sent)
        answer = self._connection.getresponse()
        answer.read()
        return answer.status, answer.headers.get_all("WWW-Authenticate") or []

    def log_on(self, scheme: str) -> tuple[int, list[str]]:
        """The last answer of a handshake."""
        context = spnego.client("LAB\\admin", PASSWORD, protocol=scheme.lower())
        token, answer = context.step(), (0, [""])
        while token:
            answer = self.post(Authorization=f"{scheme} {base64.b64encode(token).decode()}")
            server_token = answer[1][0].removeprefix(scheme) if answer[1] else ""
            token = context.step(base64.b64decode(server_token)) if server_token and not context.complete else None
        return answer


@pytest.fixture
def raw(front: RunningFront) -> Iterator[RawConnection]:
    with plain(front) as connection:
        yield connection


@contextmanager
def plain(front: RunningFront) -> Iterator[RawConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", front.front.plain_ports["EX1"], timeout=10)
    try:
        yield RawConnection(connection)
    finally:
        connection.close()


def test_the_endpoint_names_the_schemes_that_it_accepts(front: RunningFront, raw: RawConnection) -> None:
    assert raw.post() == (401, ["Negotiate", "NTLM"])


def test_an_invalid_token_is_refused_and_the_connection_stays_open(raw: RawConnection) -> None:
    for token in ("Negotiate", "Negotiate !", "NTLM AAAA", "Kerberos AAAA", "Digest x"):
        assert raw.post(Authorization=token) == (401, ["Negotiate", "NTLM"])
    assert raw.post() == (401, ["Negotiate", "NTLM"])


@pytest.mark.parametrize("scheme", ["Negotiate", "NTLM"])
def test_a_logon_is_valid_for_its_own_connection_only(front: RunningFront, raw: RawConnection, scheme: str) -> None:
    status, _ = raw.log_on(scheme)

    with plain(front) as another:
        assert (status, raw.post()[0], another.post()[0]) == (200, 200, 401)


def test_a_refused_logon_ends_the_logon_before_it(raw: RawConnection) -> None:
    raw.log_on("NTLM")

    assert [raw.post(Authorization="NTLM AAAA")[0], raw.post()[0], raw.log_on("NTLM")[0]] == [401, 401, 200]


@pytest.mark.parametrize("body", [b"<s:Envelope/>", b"", b"--Encrypted Boundary--\r\n"], ids=["soap", "none", "end"])
def test_a_body_that_is_wrongly_called_encrypted_is_a_bad_request(raw: RawConnection, body: bytes) -> None:
    raw.log_on("NTLM")

    status, _ = raw.post(body, Content_Type='multipart/encrypted;boundary="Encrypted Boundary"')

    assert status == (400 if body else 200)
