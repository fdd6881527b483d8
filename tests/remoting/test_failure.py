"""What each exception of a remote call means: which error it becomes, what it says, and whether anything was sent.

The exceptions are made as the libraries make them (pypsrp 0.9, requests 2, urllib3 2, pyspnego 0.11).
"""

from __future__ import annotations

from xml.etree import ElementTree

import attrs
import pytest
import urllib3
from pypsrp.exceptions import AuthenticationError, WinRMError, WinRMTransportError, WSManFaultError
from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import ConnectTimeout, ReadTimeout, SSLError
from spnego.exceptions import ErrorCode, NoCredentialError, SpnegoError

from easops.errors import (
    Abandoned,
    AccessRefused,
    BadInput,
    EasopsError,
    OutcomeUnknown,
    UnexpectedAnswer,
    UnreachableHost,
)
from easops.inventory.host import Credential, Endpoint
from easops.remoting import failure
from easops.remoting.failure import (
    NoWSMan,
    Redirected,
    UntrustedAnswer,
    explain,
    is_credential_refused,
    is_logon_error,
    proves_not_started,
)
from easops.remoting.target import Target

ADMIN = Credential("admin", "CONTOSO\\admin", "file", "/password.txt")
EXCHANGE = Target("EX1", "exchange", Endpoint("http://ex1.contoso.com/PowerShell", "kerberos", ADMIN))
WINDOWS = Target("EX1", "windows", Endpoint("http://ex1.contoso.com:5985/wsman", "negotiate", ADMIN))
WHERE = "EX1 (exchange endpoint, ex1.contoso.com)"


class Krb5Error(Exception):
    """As the library krb5 raises it. The library is not installed everywhere, so it is known by its module's name."""

    __module__ = "krb5._exceptions"

    def __init__(self, err_code: int) -> None:
        super().__init__(f"krb5 {err_code}")
        self.err_code = err_code


def fault(code: object = None, reason: str | None = None, provider_fault: str | None = None) -> WSManFaultError:
    return WSManFaultError(code, "ex1", reason, None, None, provider_fault)


def spnego_error(minor: str) -> SpnegoError:
    """With the layers that spnego and GSSAPI put around the reason of Kerberos."""
    layers = f"SpnegoError (7): Major (458752): No credentials were supplied, Minor (2529639053): {minor}"
    return SpnegoError(ErrorCode.failure, Exception(layers), "Processing security token")


def http(status: int) -> WinRMTransportError:
    return WinRMTransportError("http", status, "<html>")


def xhtml_page(status: int) -> WSManFaultError:
    """An error page that is XML: pypsrp takes it for a fault."""
    try:
        try:
            raise http(status)
        except WinRMTransportError:
            raise fault() from None
    except WSManFaultError as error:
        return error


def connection_error(inner: Exception) -> RequestsConnectionError:
    """As requests raises it: around urllib3's MaxRetryError, whose reason is what went wrong."""
    return RequestsConnectionError(urllib3.exceptions.MaxRetryError(None, "/wsman", inner))  # type: ignore[arg-type]


def new_connection_error(text: str) -> RequestsConnectionError:
    return connection_error(urllib3.exceptions.NewConnectionError(None, text))  # type: ignore[arg-type]


def protocol_error(inner: Exception) -> RequestsConnectionError:
    """As requests raises it for a connection that was lost."""
    return RequestsConnectionError(urllib3.exceptions.ProtocolError("Connection aborted.", inner))


EXPIRED = "certificate verify failed: certificate has expired (_ssl.c:992)"


@attrs.frozen
class Case:
    """An exception, and the error that it means: *what* after the name of the endpoint, *why*, and AccessRefused's
    *reason*."""

    error: Exception
    what: str
    why: str
    reason: str | None = None


NOT_SENT = {
    "401": Case(
        AuthenticationError("Failed to authenticate the user CONTOSO\\admin with kerberos"),
        ": the logon of CONTOSO\\admin was refused",
        "HTTP 401; easops does not try it again, here or on another host, because that could lock the account",
        "logon",
    ),
    "another authentication is offered": Case(
        AuthenticationError("The server did not response with one of the following auth methods - actual: 'Basic'"),
        ": the server does not accept kerberos",
        "it offers Basic; no password was sent",
        "endpoint",
    ),
    "no authentication is offered": Case(
        AuthenticationError("The server did not response with one of the following auth methods - actual: ''"),
        ": the server does not accept kerberos",
        "it offers nothing; no password was sent",
        "endpoint",
    ),
    "another authentication is answered": Case(
        ValueError("Server responded with the auth protocol 'NTLM' which is incorrect"),
        ": the server does not accept kerberos",
        "it offers NTLM; no password was sent",
        "endpoint",
    ),
    "no ticket": Case(
        spnego_error("No Kerberos credentials available"),
        ": CONTOSO\\admin could not log on",
        "No Kerberos credentials available",
        "logon",
    ),
    "no ticket, with a context": Case(
        spnego_error("No Kerberos credentials available, Context: Unable to negotiate common mechanism"),
        ": CONTOSO\\admin could not log on",
        "No Kerberos credentials available",
        "logon",
    ),
    "no logon without a minor error": Case(
        NoCredentialError(context_msg="no\n  cache"),
        ": CONTOSO\\admin could not log on",
        " ".join(str(NoCredentialError(context_msg="no cache")).split()),
        "logon",
    ),
    "the KDC refuses": Case(Krb5Error(-1765328360), ": CONTOSO\\admin could not log on", "krb5 -1765328360", "logon"),
    "an expired certificate": Case(
        SSLError(f"[SSL: CERTIFICATE_VERIFY_FAILED] {EXPIRED}"),
        ": the server's certificate is not trusted",
        "certificate has expired",
        "certificate",
    ),
    "a certificate without a reason": Case(
        SSLError("[SSL: CERTIFICATE_VERIFY_FAILED]"),
        ": the server's certificate is not trusted",
        "certificate verify failed",
        "certificate",
    ),
    "403": Case(
        http(403),
        ": access is forbidden",
        "HTTP 403; it has several causes, and the answer does not say which one it is",
        "forbidden",
    ),
    "404": Case(http(404), ": there is no PowerShell endpoint at this address", "HTTP 404", "endpoint"),
    "404 as an XHTML page": Case(
        xhtml_page(404), ": there is no PowerShell endpoint at this address", "HTTP 404", "endpoint"
    ),
    "no such configuration": Case(
        fault("2150858811", "The resource URI was not found"),
        ": the endpoint has no configuration Microsoft.Exchange",
        "The resource URI was not found",
        "endpoint",
    ),
    "no such configuration, without a text": Case(
        fault(2150858811),
        ": the endpoint has no configuration Microsoft.Exchange",
        "WSMan fault 2150858811",
        "endpoint",
    ),
    "access denied": Case(fault("5"), ": CONTOSO\\admin has no role here", "access is denied", "role"),
    "no role, by its category": Case(
        fault("1", "[FailureCategory=AuthZ-CmdletAccessDeniedException] no"),
        ": CONTOSO\\admin has no role here",
        "[FailureCategory=AuthZ-CmdletAccessDeniedException] no",
        "role",
    ),
    "no role, by its text": Case(
        fault("1", None, "The user isn't assigned to any management roles."),
        ": CONTOSO\\admin has no role here",
        "The user isn't assigned to any management roles.",
        "role",
    ),
    "500": Case(http(500), ": the web server answers with an error of its own, not with PowerShell", "HTTP 500"),
    "503 as an XHTML page": Case(
        xhtml_page(503),
        ": the server answers, but the service behind this address is stopped or overloaded",
        "HTTP 503",
    ),
    "a redirect": Case(
        Redirected(302, "https://mail.contoso.com/owa/?user=anna"),
        ": the server redirects to https://mail.contoso.com/owa/",
        "HTTP 302; easops follows no redirect, as the logon would go to an address nobody wrote",
        "endpoint",
    ),
    "a page": Case(
        NoWSMan(200, "<title>Welcome</title>"),
        ": something answers at this address, but it is not PowerShell",
        "HTTP 200; its page says: Welcome",
        "endpoint",
    ),
    "an answer that is no XML": Case(
        ElementTree.ParseError("not well-formed"), ": the server's answer cannot be read", "its answer cannot be read"
    ),
    "an answer to another message": Case(
        WinRMError("Received related id"), ": the server's answer cannot be read", "WinRMError: Received related id"
    ),
    "a fault": Case(
        fault("7", "the shell is odd"), ": the server answered with a fault and opened no session", "the shell is odd"
    ),
    "a fault of the provider": Case(
        fault("7", None, "its own fault"), ": the server answered with a fault and opened no session", "its own fault"
    ),
    "a fault without a text": Case(fault("7"), ": the server answered with an error that has no text", "WSMan fault 7"),
    "our deadline": Case(TimeoutError(), " did not answer", "no answer within the deadline"),
    "requests' time-out": Case(ReadTimeout("read timed out"), " did not answer", "no answer within the deadline"),
    "no connection in time": Case(ConnectTimeout("timed out"), " cannot be reached", "no connection within 10 s"),
    "no TLS": Case(
        SSLError("[SSL: WRONG_VERSION_NUMBER] wrong version number"),
        ": there is no TLS with the server",
        "the TLS handshake failed",
    ),
    "any other error of the connection": Case(
        OSError("no buffer space"), " cannot be reached", "the connection failed"
    ),
    "any other exception": Case(RuntimeError("odd"), " cannot be reached", "RuntimeError: odd"),
    **{
        sign: Case(new_connection_error(f"[Errno 1] {sign}"), " cannot be reached", words)
        for sign, words in {
            "Connection refused": "the connection was refused: nothing listens there",
            "Name or service not known": "the name is not known",
            "getaddrinfo failed": "the name is not known",
            "nodename nor servname provided": "the name is not known",
            "Temporary failure in name resolution": "the name is not known",
            "No route to host": "there is no route to the host",
            "timed out": "no connection within 10 s",
        }.items()
    },
    **{
        text: Case(RequestsConnectionError(text), " took the connection and ended it without an answer", words)
        for text, words in {
            "RemoteDisconnected('Remote end closed connection')": "the server closed the connection",
            "('Connection aborted.', BadStatusLine(''))": "the connection was lost",
            "[Errno 104] Connection reset by peer": "the connection was reset",
        }.items()
    },
}


def test_only_what_was_not_connected_is_a_matter_of_the_firewall() -> None:
    lost = explain(protocol_error(ConnectionResetError(104, "reset")), EXCHANGE, call="x", sent=False)
    away = explain(new_connection_error("Connection refused"), EXCHANGE, call="x", sent=False)

    assert "firewall" not in lost.next_step
    assert "firewall" in away.next_step


def test_a_refusal_for_a_time_says_how_long_it_lasts() -> None:
    refused = explain(
        fault("2150859175", "not be approved for at least 90000 milliseconds"), EXCHANGE, call="x", sent=False
    )

    assert isinstance(refused, UnreachableHost)
    assert refused.wait == 90.0


@pytest.mark.parametrize("case", NOT_SENT.values(), ids=NOT_SENT)
def test_before_a_call_is_sent_an_exception_is_a_refusal_or_an_unreachable_host(case: Case) -> None:
    explained = explain(case.error, EXCHANGE, call="Get-Mailbox", sent=False)

    assert (type(explained), explained.what, explained.why) == (
        UnreachableHost if case.reason is None else AccessRefused,
        f"{WHERE}{case.what}",
        case.why,
    )
    assert getattr(explained, "reason", None) == case.reason
    assert explained.next_step


def test_before_a_call_is_sent_an_error_of_ours_stays_what_it_is() -> None:
    error = BadInput("no password")

    assert explain(error, EXCHANGE, call="Get-Mailbox", sent=False) is error


_LOST = "no answer came back"
_UNCLEAR = "the answer does not say what came of it"
SENT: dict[str, tuple[Exception, type[EasopsError], str, str]] = {
    "our deadline": (TimeoutError(), Abandoned, _LOST, "no answer within the deadline"),
    "requests' time-out": (ReadTimeout("timed out"), Abandoned, _LOST, "no answer within the deadline"),
    "a lost connection": (
        RequestsConnectionError("Connection reset by peer"), OutcomeUnknown, _LOST, "the connection was reset",
    ),
    "a refusal in the middle": (
        http(403), OutcomeUnknown, _UNCLEAR, "HTTP 403",
    ),
    "a fault": (
        fault("7", "the server is busy"), OutcomeUnknown, _UNCLEAR, "the server is busy",
    ),
    "an answer that cannot be decrypted": (
        UntrustedAnswer("its answer cannot be trusted: bad MIC"),
        OutcomeUnknown,
        "no trustworthy answer came back",
        "its answer cannot be trusted: bad MIC",
    ),
    "an answer that cannot be read": (
        UnexpectedAnswer("an object cannot be read"),
        OutcomeUnknown,
        _LOST,
        "UnexpectedAnswer: an object cannot be read",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("error", "kind", "answer", "why"), SENT.values(), ids=SENT)
def test_after_a_call_was_sent_every_exception_is_an_unknown_outcome(
    error: Exception, kind: type[EasopsError], answer: str, why: str
) -> None:
    explained = explain(error, EXCHANGE, call="Set-CASMailbox", sent=True)

    assert (type(explained), explained.what, explained.why) == (
        kind,
        f"{WHERE}: Set-CASMailbox was sent, but {answer}",
        why,
    )
    assert "read the current state" in explained.next_step


@pytest.mark.parametrize(("error", "kind"), [(TimeoutError(), Abandoned), (http(502), OutcomeUnknown)])
def test_a_read_without_an_answer_never_may_have_happened(error: Exception, kind: type[EasopsError]) -> None:
    explained = explain(error, EXCHANGE, call="Get-Mailbox", sent=True, reads=True)

    assert type(explained) is kind
    assert "it only reads, so nothing was changed" in explained.next_step


@pytest.mark.parametrize(
    ("endpoint", "auth", "credential", "advice"),
    [
        ("exchange", "kerberos", None, "get a ticket"),
        ("exchange", "kerberos", ADMIN, "Kerberos needs user@DOMAIN.EXAMPLE"),
        ("windows", "negotiate", ADMIN, "write the user as DOMAIN\\user"),
        ("windows", "ntlm", ADMIN, "write the user as DOMAIN\\user"),
        ("exchange", "basic", ADMIN, "Set-PowerShellVirtualDirectory -BasicAuthentication"),
        ("windows", "basic", ADMIN, "Service\\Auth\\Basic"),
    ],
)
def test_the_advice_after_a_refused_logon_fits_the_authentication(
    endpoint: str, auth: str, credential: Credential | None, advice: str
) -> None:
    settings = Endpoint("https://ex1/wsman", auth, credential)  # type: ignore[arg-type]
    target = Target("EX1", endpoint, settings)  # type: ignore[arg-type]

    refused = explain(AuthenticationError("no"), target, call="Get-Date", sent=False)

    assert advice in refused.next_step
    assert ("the logon of the current user" in refused.what) == (credential is None)


def test_a_missing_configuration_is_named_by_its_endpoint() -> None:
    assert "no configuration Microsoft.PowerShell" in explain(fault("2150858811"), WINDOWS, call="x", sent=False).what


REFUSED_AT_ONCE = ["5", "2150858811", "2150858819", "2150858843", "2150859173", "2150859174"]
REFUSED_AT_ONCE += ["2150859175", "2150859176"]

NOT_STARTED: dict[str, tuple[Exception, bool]] = {
    **{f"fault {code}": (fault(code), True) for code in REFUSED_AT_ONCE},
    "fault 5 as a number": (fault(5), True),
    "a lost shell of Exchange": (fault("1", "[FailureCategory=WSMan-InvalidShellID] not found"), True),
    "any other fault": (fault("7", "busy"), False),
    "a fault without a code": (fault(), False),
    "401": (AuthenticationError("no"), True),
    "no ticket": (spnego_error("no"), True),
    "the KDC refuses": (Krb5Error(-1765328360), True),
    "no connection in time": (ConnectTimeout("timed out"), True),
    "nothing listens": (new_connection_error("[Errno 111] Connection refused"), True),
    "urllib3's time-out of a connection": (connection_error(urllib3.exceptions.ConnectTimeoutError("timed out")), True),
    "the operating system refuses": (protocol_error(ConnectionRefusedError(111, "Connection refused")), False),
    "refused, as the innermost": (RequestsConnectionError(ConnectionRefusedError(111, "Connection refused")), True),
    "a lost connection": (protocol_error(ConnectionResetError(104, "reset")), False),
    "a lost connection, as the innermost": (RequestsConnectionError(ConnectionResetError(104, "reset")), False),
    "a connection error without a cause": (RequestsConnectionError(), False),
    "no reply in time": (ReadTimeout("read timed out"), False),
    "our deadline": (TimeoutError(), False),
    "500": (http(500), False),
    "403": (http(403), False),
    "an answer that cannot be trusted": (UntrustedAnswer("x"), False),
    "refused outside requests": (ConnectionRefusedError(111, "Connection refused"), False),
}


@pytest.mark.parametrize(("error", "proven"), NOT_STARTED.values(), ids=NOT_STARTED)
def test_only_a_refusal_or_a_missing_connection_proves_that_a_command_never_started(
    error: Exception, proven: bool
) -> None:
    assert proves_not_started(error) is proven


WRONG_CREDENTIAL = [-1765328353, -1765328360, -1765328361, -1765328366, -1765328378]


@pytest.mark.parametrize(
    ("error", "refused"),
    [
        *((Krb5Error(code), True) for code in WRONG_CREDENTIAL),
        (Krb5Error(-1765328377), False),
        (AuthenticationError("Failed to authenticate the user"), True),
        (AuthenticationError("… - actual: 'Kerberos'"), False),
        (spnego_error("Server not found in Kerberos database"), False),
        (http(403), False),
    ],
    ids=[*map(str, WRONG_CREDENTIAL), "no such server", "401", "not offered", "spnego", "403"],
)
def test_a_credential_is_wrong_everywhere_only_if_a_server_or_the_kdc_says_so(error: Exception, refused: bool) -> None:
    assert is_credential_refused(error) is refused


def test_each_code_of_the_tables_has_its_case() -> None:
    assert set(failure._NOT_STARTED) == set(REFUSED_AT_ONCE)
    assert set(failure._KDC_REFUSALS) == set(WRONG_CREDENTIAL)
    tried = {sign for sign in failure._CONNECTION_ERRORS for case in NOT_SENT.values() if sign in str(case.error)}
    assert tried == set(failure._CONNECTION_ERRORS)


@pytest.mark.parametrize(
    ("error", "expected"),
    [(spnego_error("x"), True), (Krb5Error(1), True), (AuthenticationError("401"), False), (OSError(), False)],
    ids=["spnego", "krb5", "401", "OSError"],
)
def test_a_logon_fails_on_this_side_with_an_exception_of_spnego_or_krb5(error: Exception, expected: bool) -> None:
    assert is_logon_error(error) is expected
