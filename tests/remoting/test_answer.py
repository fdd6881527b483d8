"""What each answer of a server at logon means, row by row: its words, and whether another try may help."""

from __future__ import annotations

import attrs
import pytest

from easops.inventory.host import Credential, Endpoint
from easops.remoting.answer import Answer, Meaning, meaning_of, page_text, wait_for
from easops.remoting.target import Target

ADMIN = Credential("admin", "CONTOSO\\admin", "file", "/password.txt")
EXCHANGE = Target("EX1", "exchange", Endpoint("https://ex1.contoso.com/PowerShell", "kerberos", ADMIN))
WINDOWS = Target("EX1", "windows", Endpoint("https://ex1.contoso.com:5986/wsman", "negotiate", ADMIN))
NTLM = attrs.evolve(EXCHANGE, settings=attrs.evolve(EXCHANGE.settings, auth="ntlm"))


def fault(code: str, text: str = "") -> Answer:
    return Answer(None, code, text, is_fault=True)


@attrs.frozen
class Row:
    """An answer, and words that are in *what*, *why* and *next_step* of its error, and its *reason*."""

    answer: Answer
    what: str
    why: str
    next_step: str
    reason: str | None
    target: Target = EXCHANGE


LOAD = "The user load quota of 2 requests per 2 seconds has been exceeded. The next request from this user will not be "
ROWS = {
    "a load quota": Row(
        fault("2150859175", LOAD + "approved for at least 1769808 milliseconds."),
        "accepts no further request of CONTOSO\\admin for 29 minutes",
        "load quota",
        "try again after 29 minutes, or raise the quota (PowerShellMaxCmdlets)",
        None,
    ),
    "a load quota in German": Row(
        fault("2150859175", "Die nächste Anforderung wird für mindestens 1769808 Millisekunden nicht genehmigt."),
        "accepts no further request of CONTOSO\\admin for 29 minutes",
        "1769808 Millisekunden",
        "try again after 29 minutes, or raise the quota (winrm/config/Service)",
        None,
        WINDOWS,
    ),
    "a load quota of all users, without a time": Row(
        fault("2150859176", "Das Systemlastkontingent wurde überschritten."),
        "accepts no further request of CONTOSO\\admin for a while",
        "Systemlastkontingent",
        "its text does not say when; or raise the quota (PowerShellMaxCmdlets)",
        None,
    ),
    "15 operations": Row(
        fault("2150859174", "This user is allowed a maximum number of 15 concurrent operations."),
        "has as many operations going on as one account may have",
        "15 concurrent operations",
        "raise MaxConcurrentOperationsPerUser",
        None,
        WINDOWS,
    ),
    "a budget for runspaces": Row(
        fault("2150858819", "Fail to create runspace because the budget is exceeded. Please wait for 30 seconds."),
        "for 30 s",
        "budget",
        "try again after 30 s",
        None,
    ),
    "18 shells": Row(
        fault("2150859173", "This user is allowed a maximum of 18 concurrent shells, which has been exceeded."),
        "has as many shells open as one account may have",
        "18 concurrent shells",
        "MSExchangePowerShellAppPool, or raise PowerShellMaxConcurrency",
        None,
    ),
    "30 shells of Windows": Row(
        fault("2150859173"), "as many shells", "WSMan fault 2150859173", "raise MaxShellsPerUser", None, WINDOWS
    ),
    "no such configuration": Row(
        fault("2150858811", "not found"), "no configuration Microsoft.Exchange", "not found", "swapped", "endpoint"
    ),
    "no role": Row(
        fault("2150858819", "[FailureCategory=AuthZ-CmdletAccessDeniedException] not assigned to any management roles"),
        "has no role here",
        "management roles",
        "management role",
        "role",
    ),
    "denied by Exchange": Row(
        fault("2150858819", "[Server=EX1] Access is denied."),
        "Exchange denies CONTOSO\\admin access",
        "[Server=EX1] Access is denied.",
        "ms-Exch-EPI-Token-Serialization",
        "role",
    ),
    "denied by Windows": Row(fault("5"), "has no role here", "access is denied", "Management Users", "role", WINDOWS),
    "a fault without a text, after NTLM": Row(
        fault("s:Receiver"), "an error that has no text", "s:Receiver", "the server's full name", "endpoint", NTLM
    ),
    "a fault without a text, after Kerberos": Row(
        fault("s:Receiver"), "an error that has no text", "s:Receiver", "the server's full name", None
    ),
    "any other fault": Row(fault("7", "no luck"), "answered with a fault", "no luck", "nothing was sent", None),
    "Request Too Long": Row(
        Answer(400, text="Bad Request - Request Too Long"),
        "is too long for the server",
        "the Kerberos ticket of an account in many groups",
        "MaxFieldLength and MaxRequestBytes",
        "ticket",
    ),
    "any other 400": Row(Answer(400, text="Invalid Hostname"), "not accept", "Invalid Hostname", "url", "endpoint"),
    "403.4": Row(
        Answer(403, text="HTTP Error 403.4 - Forbidden"), "only https", "Require SSL is on", "write https", "forbidden"
    ),
    "403.4 of IIS 6": Row(
        Answer(403, text="The page must be viewed over a secure channel"), "only https", "403.4", "https", "forbidden"
    ),
    "a bare 403": Row(
        Answer(403), "access is forbidden", "several causes", "Set-User -RemotePowerShellEnabled", "forbidden"
    ),
    "a bare 403 of Windows": Row(Answer(403), "forbidden", "several causes", "an IP restriction", "forbidden", WINDOWS),
    "404": Row(Answer(404), "no PowerShell endpoint", "HTTP 404", "correct the endpoint's url", "endpoint"),
    "405": Row(Answer(405), "does not accept PowerShell's requests", "HTTP 405", "correct the endpoint", "endpoint"),
    "407": Row(Answer(407), "a proxy answers", "HTTP 407", "pass the server's address through", "endpoint"),
    "500 of IIS": Row(
        Answer(500, text="LoadLibraryEx on native module kerbauth failed"),
        "an error of its own",
        "HTTP 500: LoadLibraryEx on native module kerbauth failed",
        "event log",
        None,
    ),
    "502": Row(Answer(502), "a proxy or a load balancer answers", "HTTP 502", "the server behind it", None),
    "503": Row(
        Answer(503, text="Service Unavailable"),
        "stopped or overloaded",
        "HTTP 503: Service Unavailable",
        "start MSExchangePowerShellAppPool",
        None,
    ),
    "503 of Windows": Row(Answer(503), "stopped or overloaded", "HTTP 503", "the service WinRM", None, WINDOWS),
    "a redirect without TLS": Row(
        Answer(301, location="http://ex1.contoso.com:81/PowerShell?x=secret"),
        "redirects to http://ex1.contoso.com:81/PowerShell",
        "here even without TLS",
        "switch the redirect off",
        "endpoint",
    ),
    "a redirect to an odd address": Row(
        Answer(302, location="https://admin:secret@[::1/owa"),
        "redirects to an address that is not valid",
        "follows no redirect",
        "switch the redirect off",
        "endpoint",
    ),
    "a redirect to an odd port": Row(
        Answer(302, location="https://ex1:secret/owa"), "that is not valid", "HTTP 302", "switch", "endpoint"
    ),
    "a redirect to /owa": Row(
        Answer(302, location="/owa/"), "redirects to /owa/", "follows no redirect", "Outlook on the web", "endpoint"
    ),
    "a page": Row(
        Answer(200, text="Welcome to nginx"), "it is not PowerShell", "its page says: Welcome", "url", "endpoint"
    ),
    "nothing": Row(Answer(204), "it is not PowerShell", "HTTP 204; its answer is empty", "url", "endpoint"),
    "any other status": Row(Answer(418, text="teapot"), "opens no session", "HTTP 418: teapot", "IIS log", None),
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_each_answer_has_its_meaning(row: Row) -> None:
    meaning = meaning_of(row.answer, row.target)

    assert row.what in meaning.what
    assert row.why in meaning.why
    assert row.next_step in meaning.next_step
    assert meaning.reason == row.reason
    assert "secret" not in f"{meaning}"


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_no_answer_is_a_matter_of_the_firewall(row: Row) -> None:
    meaning: Meaning = meaning_of(row.answer, row.target)

    assert "cannot be reached" not in meaning.what
    assert "firewall" not in meaning.next_step


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (fault("7", "will not be approved for at least 1769808 milliseconds"), 1769.808),
        (fault("2150859175", "ne sera pas approuvée avant au moins 2 millisecondes."), 0.002),
        (fault("2150859176", "не ранее чем через 1500 миллисекунд"), 1.5),
        (fault("2150859175", "少なくとも 1500 ミリ秒間は承認されません。"), 1.5),
        (fault("2150859175", f"for at least {'9' * 5000} milliseconds"), None),
        (fault("7", "15 Millisekunden"), None),
        (fault("2150858819", "Please wait for 30 seconds. Policy: CN=X"), 30.0),
        (fault("2150859173", "This user is allowed a maximum of 18 concurrent shells"), None),
        (fault("2150859175"), None),
        (Answer(500, text="at least 1500 milliseconds"), None),
    ],
)
def test_a_fault_may_name_how_long_to_wait(answer: Answer, seconds: float | None) -> None:
    assert wait_for(answer) == seconds


def test_a_page_is_shown_as_its_text() -> None:
    page = (
        "<html><head><title>IIS 10.0 Detailed Error</title><style>p {color: red}</style></head><body><h3>HTTP Error "
        "500.19 -\n Internal &amp; odd</h3><!-- hidden --></body></html>"
    )

    assert page_text(page) == "HTTP Error 500.19 - Internal & odd"
    assert len(page_text("x" * 1000)) == 300
