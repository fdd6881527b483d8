"""What a server answers in place of a session, and what that means: a table.

A server that answers has been reached, so none of these answers is a matter of its name, its port or the firewall. Each
row says whether another try may help, and which next step cures it.

Source: MS-WSMV (faults); IIS's status codes (Microsoft Learn, HTTP status codes in IIS); the pages named at the rows.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import attrs

from easops.remoting.target import CONFIGURATIONS, Target

RESOURCE_NOT_FOUND: Final = "2150858811"
ACCESS_DENIED: Final = "5"
EXCHANGE_DENIED: Final = "2150858819"
SHELLS_QUOTA: Final = "2150859173"
"""Too many shells of this user (ERROR_WSMAN_QUOTA_MAX_SHELLS)."""
OPERATIONS_QUOTA: Final = "2150859174"
"""Too many operations of this user at the same time (ERROR_WSMAN_QUOTA_MAX_OPERATIONS)."""
LOAD_QUOTAS: Final = ("2150859175", "2150859176")
"""Too many requests in a time, of this user or of all (ERROR_WSMAN_QUOTA_USER, ERROR_WSMAN_QUOTA_SYSTEM)."""

_QUOTAS: Final = (SHELLS_QUOTA, OPERATIONS_QUOTA, *LOAD_QUOTAS)

_LENGTH: Final = 300
"""Characters of a server's own text that an error shows."""

_MILLISECONDS: Final = re.compile(r"(?i)(?<!\d)(\d{1,12})\s*(?:milli|mili|миллисек|мс|ミリ秒|毫秒|밀리초)")
"""A time in the text of a quota, in whatever language the server has."""


@attrs.frozen
class Answer:
    """One answer. *status* is that of HTTP, *code* that of a WSMan fault (empty for any other answer), *text* what the
    body says to a person, *location* where a redirect leads. *is_fault* says that the body is a SOAP fault."""

    status: int | None = None
    code: str = ""
    text: str = ""
    location: str = ""
    is_fault: bool = False


@attrs.frozen
class Meaning:
    """What an answer means: the texts of its error, and *reason*, that of AccessRefused. It is None if another try may
    help, but not before *wait* seconds have passed."""

    what: str
    why: str
    next_step: str
    reason: str | None = None
    wait: float = 0.0


def meaning_of(answer: Answer, target: Target) -> Meaning:
    """The meaning of *answer* by the first row of the table that fits it."""
    return next(mean(answer, target) for fits, mean in _TABLE if fits(answer))


def wait_for(answer: Answer) -> float | None:
    """The seconds to wait before the next request, where *answer*, a fault, names a time. None where it names none.

    Source: ``will not be approved for at least 1769808 milliseconds`` (the load quotas of WSMan; their code shows what
    the number is where the text is in another language), and ``Please wait for 30 seconds`` (Exchange's budget to
    create runspaces).
    """
    if not answer.is_fault:
        return None
    if match := re.search(r"at least (\d{1,12}) milliseconds", answer.text):
        return int(match[1]) / 1000
    if answer.code in _QUOTAS and (match := _MILLISECONDS.search(answer.text)):
        return int(match[1]) / 1000
    match = re.search(r"wait for (\d{1,9}) seconds", answer.text)
    return float(match[1]) if match else None


def page_text(body: str) -> str:
    """What a page says to a person, in one line. IIS's detailed pages begin with ``HTTP Error``."""
    text = re.sub(r"(?is)<(style|script)\b.*?</\1>|<!--.*?-->", " ", body)
    text = " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split())
    start = text.find("HTTP Error")
    text = text[max(start, 0) :]
    return text if len(text) <= _LENGTH else text[: _LENGTH - 1] + "…"


# -- what fits -------------------------------------------------------------------------------------------------------


def _fault(*codes: str, text: str = "") -> Callable[[Answer], bool]:
    """A fault with one of these codes, or with *text*, a regular expression."""

    def fits(answer: Answer) -> bool:
        return answer.is_fault and (answer.code in codes or bool(text and re.search(text, answer.text, re.I)))

    return fits


def _status(*statuses: int, text: str = "") -> Callable[[Answer], bool]:
    """An answer of HTTP with one of these statuses, and with *text*, a regular expression."""

    def fits(answer: Answer) -> bool:
        return not answer.is_fault and answer.status in statuses and bool(re.search(text, answer.text, re.I))

    return fits


def _other_fault(answer: Answer) -> bool:
    return answer.is_fault


def _other(_: Answer) -> bool:
    return True


# -- what it means ---------------------------------------------------------------------------------------------------


def _asked_to_wait(answer: Answer, target: Target) -> Meaning:
    seconds = wait_for(answer) or 0.0
    return Meaning(
        f"{target}: the server accepts no further request of {target.user} for {_duration(seconds)}",
        answer.text,
        f"try again after {_duration(seconds)}, or raise {_load_quota(target)} for this account",
        wait=seconds,
    )


def _too_much_load(answer: Answer, target: Target) -> Meaning:
    return Meaning(
        f"{target}: the server accepts no further request of {target.user} for a while",
        answer.text or f"WSMan fault {answer.code}",
        f"try again later: its text does not say when; or raise {_load_quota(target)} for this account",
    )


def _load_quota(target: Target) -> str:
    return f"the quota ({'PowerShellMaxCmdlets' if target.endpoint == 'exchange' else 'winrm/config/Service'})"


def _too_many_operations(answer: Answer, target: Target) -> Meaning:
    return Meaning(
        f"{target}: {target.user} has as many operations going on as one account may have",
        answer.text or f"WSMan fault {answer.code}",
        "wait until other sessions of this account have ended, or raise MaxConcurrentOperationsPerUser "
        "(winrm/config/Service)",
    )


def _too_many_shells(answer: Answer, target: Target) -> Meaning:
    limit = (
        "on the server recycle MSExchangePowerShellAppPool, or raise PowerShellMaxConcurrency in the account's "
        "throttling policy"
        if target.endpoint == "exchange"
        else "raise MaxShellsPerUser (winrm/config/winrs)"
    )
    return Meaning(
        f"{target}: {target.user} has as many shells open as one account may have",
        answer.text or f"WSMan fault {answer.code}",
        f"close other PowerShell sessions of this account, or wait until they end by themselves; or {limit}",
    )


def _no_configuration(answer: Answer, target: Target) -> Meaning:
    return Meaning(
        f"{target}: the endpoint has no configuration {CONFIGURATIONS[target.endpoint]}",
        answer.text or f"WSMan fault {answer.code}",
        "check whether the urls of exchange and windows are swapped in the inventory",
        "endpoint",
    )


def _no_role(answer: Answer, target: Target) -> Meaning:
    return Meaning(
        f"{target}: {target.user} has no role here",
        answer.text or "access is denied",
        "give the account an Exchange management role, or membership of Remote Management Users",
        "role",
    )


def _denied_by_exchange(answer: Answer, target: Target) -> Meaning:
    """Source: KB 2898571 (a server without the right to serialize tokens)."""
    if target.endpoint != "exchange":
        return _no_role(answer, target)
    return Meaning(
        f"{target}: Exchange denies {target.user} access",
        answer.text or f"WSMan fault {answer.code}",
        "give the account an Exchange management role; if it has one, check on the server whether a group policy or a "
        "deny entry keeps it from serializing tokens (ms-Exch-EPI-Token-Serialization, KB 2898571)",
        "role",
    )


def _silent_fault(answer: Answer, target: Target) -> Meaning:
    """Exchange answers so to a client whose logon it cannot pass on, as with NTLM."""
    if target.endpoint == "exchange":
        advice = "Exchange needs Kerberos: set auth: kerberos at the endpoint, and the server's full name in its url"
        final = target.settings.auth != "kerberos"
    else:
        advice, final = "look in the server's event log Microsoft-Windows-WinRM/Operational", False
    return Meaning(
        f"{target}: the server answered with an error that has no text",
        f"WSMan fault {answer.code or 'without a code'}",
        advice,
        "endpoint" if final else None,
    )


def _any_fault(answer: Answer, target: Target) -> Meaning:
    return Meaning(
        f"{target}: the server answered with a fault and opened no session",
        answer.text,
        "nothing was sent; the text of the server says what it needs",
    )


def _redirect(answer: Answer, target: Target) -> Meaning:
    scheme, path, shown = _location(answer.location)
    why = f"HTTP {answer.status}; easops follows no redirect, as the logon would go to an address nobody wrote"
    if scheme == "http" and target.settings.url.lower().startswith("https:"):
        why += ", here even without TLS"
    if path.lower().startswith(("/owa", "/ecp")):
        advice = "a redirect of the whole site to Outlook on the web applies to /PowerShell too: switch it off there"
    else:
        advice = "switch the redirect off for this directory (IIS, HTTP Redirect)"
    return Meaning(
        f"{target}: the server redirects to {shown or 'an address that it does not name'}",
        why,
        f"{advice}, or write the address of the server itself into the url",
        "endpoint",
    )


def _location(text: str) -> tuple[str, str, str]:
    """The scheme, the path, and what is shown of an address that a server wrote: never its user, password or query."""
    try:
        to = urlsplit(text)
        port = f":{to.port}" if to.port else ""
    except ValueError:
        return "", "", "an address that is not valid"
    return to.scheme, to.path, f"{to.scheme}://{to.hostname or ''}{port}{to.path}" if to.netloc else to.path


def _ticket_too_large(answer: Answer, target: Target) -> Meaning:
    """Source: http.sys answers so, before IIS, to a header above MaxFieldLength (KB 2020943)."""
    return Meaning(
        f"{target}: the request of {target.user} is too long for the server",
        f"HTTP 400, {answer.text or 'Request Too Long'}: the Kerberos ticket of an account in many groups is large",
        "use an account that is a member of fewer groups, or raise MaxFieldLength and MaxRequestBytes of http.sys on "
        "the server and restart it",
        "ticket",
    )


def _bad_request(answer: Answer, target: Target) -> Meaning:
    return Meaning(
        f"{target}: the server does not accept the request",
        _why(answer),
        "check the url: http and https may be swapped, or the name may be one that the site does not know",
        "endpoint",
    )


def _needs_tls(answer: Answer, target: Target) -> Meaning:
    return Meaning(
        f"{target}: the address accepts only https",
        "HTTP 403.4: Require SSL is on at this directory",
        "write https into the url, or switch Require SSL off at the PowerShell directory (IIS, SSL Settings)",
        "forbidden",
    )


def _forbidden(answer: Answer, target: Target) -> Meaning:
    exchange = (
        "the account may lack remote PowerShell (Set-User -RemotePowerShellEnabled $true), the directory may require "
        "https, "
    )
    return Meaning(
        f"{target}: access is forbidden",
        "HTTP 403; it has several causes, and the answer does not say which one it is",
        f"{exchange if target.endpoint == 'exchange' else ''}an IP restriction or a proxy may refuse this machine: "
        "the server's IIS log or httperr log has the cause (sc-substatus)",
        "forbidden",
    )


def _not_found(answer: Answer, target: Target) -> Meaning:
    return Meaning(
        f"{target}: there is no PowerShell endpoint at this address",
        "HTTP 404",
        "correct the endpoint's url: https://fqdn/PowerShell for exchange, https://fqdn:5986/wsman for windows",
        "endpoint",
    )


def _no_post(answer: Answer, target: Target) -> Meaning:
    return Meaning(
        f"{target}: what answers at this address does not accept PowerShell's requests",
        "HTTP 405: the method POST is not allowed",
        "correct the endpoint's url: https://fqdn/PowerShell for exchange, https://fqdn:5986/wsman for windows; on the "
        "server check the handler of the PowerShell directory",
        "endpoint",
    )


def _stopped(answer: Answer, target: Target) -> Meaning:
    if target.endpoint == "exchange":
        advice = (
            "on the server start MSExchangePowerShellAppPool, and on 2013 and later MSExchangePowerShellFrontEndAppPool"
            " (appcmd start apppool); behind a load balancer, check that it has a server left"
        )
    else:
        advice = "on the server check the service WinRM, and the application pool if the endpoint is served by IIS"
    return Meaning(
        f"{target}: the server answers, but the service behind this address is stopped or overloaded",
        _why(answer),
        advice,
    )


def _gateway(answer: Answer, target: Target) -> Meaning:
    return Meaning(
        f"{target}: a proxy or a load balancer answers, but the server behind it does not",
        _why(answer),
        "check the server behind it, or write the server's own name into the url",
    )


def _proxy_logon(answer: Answer, target: Target) -> Meaning:
    return Meaning(
        f"{target}: a proxy answers, and wants a logon of its own",
        "HTTP 407; easops uses no proxy, so this one is in between",
        "have the proxy pass the server's address through, or run easops where no proxy is in between",
        "endpoint",
    )


def _own_error(answer: Answer, target: Target) -> Meaning:
    return Meaning(
        f"{target}: the web server answers with an error of its own, not with PowerShell",
        _why(answer),
        "its text says what it needs; if it has none, look in the server's Application event log and IIS log",
    )


def _no_wsman(answer: Answer, target: Target) -> Meaning:
    page = f"its page says: {answer.text}" if answer.text else "its answer is empty"
    return Meaning(
        f"{target}: something answers at this address, but it is not PowerShell",
        f"HTTP {answer.status}; {page}",
        "correct the endpoint's url; a proxy, a portal or a load balancer may answer in place of the server",
        "endpoint",
    )


def _any_status(answer: Answer, target: Target) -> Meaning:
    return Meaning(
        f"{target}: the server answers, but opens no session",
        _why(answer),
        "nothing was sent; the server's IIS log and httperr log have the cause",
    )


def _why(answer: Answer) -> str:
    return f"HTTP {answer.status}" + (f": {answer.text}" if answer.text else "")


def _duration(seconds: float) -> str:
    if seconds >= 120:
        return f"{seconds / 60:.0f} minutes"
    return f"{max(1, round(seconds))} s"


def _names_a_wait(answer: Answer) -> bool:
    return wait_for(answer) is not None


_TABLE: Final[tuple[tuple[Callable[[Answer], bool], Callable[[Answer, Target], Meaning]], ...]] = (
    (_names_a_wait, _asked_to_wait),
    (_fault(*LOAD_QUOTAS), _too_much_load),
    (_fault(SHELLS_QUOTA, text="concurrent shells"), _too_many_shells),
    (_fault(OPERATIONS_QUOTA, text="concurrent operations"), _too_many_operations),
    (_fault(RESOURCE_NOT_FOUND), _no_configuration),
    (_fault(ACCESS_DENIED, text="AuthZ-CmdletAccessDenied|management role"), _no_role),
    (_fault(EXCHANGE_DENIED), _denied_by_exchange),
    (lambda answer: answer.is_fault and not answer.text, _silent_fault),
    (_other_fault, _any_fault),
    (_status(301, 302, 303, 307, 308), _redirect),
    (_status(400, text="Too Long"), _ticket_too_large),
    (_status(431), _ticket_too_large),
    (_status(400), _bad_request),
    (_status(403, text=r"403\.4\b|Secure Sockets Layer|secure channel|SSL is required"), _needs_tls),
    (_status(403), _forbidden),
    (_status(404), _not_found),
    (_status(405), _no_post),
    (_status(407), _proxy_logon),
    (_status(502, 504), _gateway),
    (_status(503), _stopped),
    (_status(500), _own_error),
    (_status(*range(200, 300)), _no_wsman),
    (_other, _any_status),
)
"""What fits an answer, and what it then means. The first row that fits counts."""
