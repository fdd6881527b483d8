"""What an exception of a remote call means: which error of ours it is, and whether anything was sent.

pypsrp, requests, urllib3 and spnego each raise exceptions of their own. This file decides, from the exception and from
how far the call got, between the errors of ``easops.errors``. It opens no connection and calls no library: of each it
imports only the exceptions.

The rules, in order:

1. An error of ours, before anything was sent, stays what it is.
2. If the call was sent, or may have been: OutcomeUnknown; Abandoned if the deadline is over. Nobody knows whether the
   server did it.
3. If the server refused the logon or its certificate is not trusted: AccessRefused, with the reason.
4. If the server answered in another way: what ``easops.remoting.answer`` says of that answer, AccessRefused or
   UnreachableHost. The server was reached.
5. Anything else: UnreachableHost. Nothing was sent. It says that the host cannot be reached only if that is what was
   seen: a server that takes a connection and does not answer was reached.

``proves_not_started`` decides whether rule 2 applies to an exception that came while the call was being sent.

Source: MS-WSMV (faults), and the notes on pypsrp in docs/explanation/remoting.md.
"""

from __future__ import annotations

import re
from typing import Final
from xml.etree import ElementTree

import requests.exceptions
import spnego.exceptions
import urllib3.exceptions
from pypsrp.exceptions import AuthenticationError, WinRMError, WinRMTransportError, WSManFaultError

from easops.errors import Abandoned, AccessRefused, EasopsError, OutcomeUnknown, UnreachableHost
from easops.remoting.answer import (
    ACCESS_DENIED,
    EXCHANGE_DENIED,
    LOAD_QUOTAS,
    OPERATIONS_QUOTA,
    RESOURCE_NOT_FOUND,
    SHELLS_QUOTA,
    Answer,
    meaning_of,
    page_text,
)
from easops.remoting.target import Target

TIMED_OUT: Final = "2150858793"
"""The server did not end an operation in the time that the client gave it; it may go on."""

_FROM_BETWEEN: Final = (200, 500, 502, 504)
"""What a proxy, a portal or a load balancer answers although the server behind it may have got the request."""

_NO_SUCH_SHELL: Final = "2150858843"

_NOT_STARTED: Final = (
    ACCESS_DENIED,
    RESOURCE_NOT_FOUND,
    EXCHANGE_DENIED,
    _NO_SUCH_SHELL,
    SHELLS_QUOTA,
    OPERATIONS_QUOTA,
    *LOAD_QUOTAS,
)
"""The codes of WSMan faults which prove that a command was never started."""

_KDC_REFUSALS: Final = frozenset(
    {
        -1765328353,  # the answer cannot be decrypted with this password
        -1765328360,  # pre-authentication failed
        -1765328361,  # the password has expired
        -1765328366,  # the account is locked or disabled
        -1765328378,  # no such user
    }
)
"""The KDC's errors that mean a wrong user name or password (krb5.h, KRB5KDC_ERR and KRB5KRB_AP_ERR)."""

_TIMEOUTS: Final = (TimeoutError, requests.exceptions.Timeout)

_NO_TLS: Final = "the TLS handshake failed"

_CONNECTION_ERRORS: Final = {
    "Connection refused": "the connection was refused: nothing listens there",
    "Name or service not known": "the name is not known",
    "getaddrinfo failed": "the name is not known",
    "nodename nor servname": "the name is not known",
    "Temporary failure in name resolution": "the name is not known",
    "No route to host": "there is no route to the host",
    "timed out": "no connection within 10 s",
    "RemoteDisconnected": "the server closed the connection",
    "Connection aborted": "the connection was lost",
    "Connection reset": "the connection was reset",
    "SSL": _NO_TLS,
}
"""What operating systems (Linux, Windows, macOS) and libraries write for a connection that failed, in our words. The
first that occurs counts."""

_CONNECTED: Final = ("RemoteDisconnected", "Connection aborted", "Connection reset")
"""Those of them that come only after there was a connection."""


class UntrustedAnswer(Exception):
    """The server answered, but the answer cannot be decrypted, or the server did not prove who it is. The message that
    it answers had been received."""


class Redirected(Exception):
    """A redirect, which is not followed. *status* is that of HTTP, *location* where it leads."""

    def __init__(self, status: int, location: str) -> None:
        super().__init__(f"HTTP {status} to {location}")
        self.status = status
        self.location = location


class NoWSMan(Exception):
    """The answer has a good status, but is no message of WSMan. *body* is the beginning of it."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"HTTP {status} without a message of WSMan")
        self.status = status
        self.body = body


def explain(error: Exception, target: Target, *, call: str, sent: bool, reads: bool = False) -> EasopsError:
    """The error of ours that *error* means.

    Args:
        error: what was raised: one of the libraries' exceptions, or an EasopsError.
        target: where the call went to.
        call: the call's name, for the text.
        sent: whether the call was sent, or may have been.
        reads: whether the call changes nothing.
    """
    if sent:
        return _outcome_unknown(error, target, call, reads)
    if isinstance(error, EasopsError):
        return error
    return _access_refused(error, target) or _answered(error, target) or _not_answered(error, target)


def proves_not_started(error: Exception) -> bool:
    """Whether an exception that came while a command was being sent proves that it never started.

    That is so if the server refused it at once, if there was no connection, or if no logon could be made. A time-out
    while waiting for the reply proves nothing: the command may be running.
    """
    if isinstance(error, WSManFaultError):
        return fault_code(error) in _NOT_STARTED or is_lost_shell(error)
    if isinstance(error, AuthenticationError | requests.exceptions.ConnectTimeout) or is_logon_error(error):
        return True
    return isinstance(error, requests.exceptions.ConnectionError) and _never_connected(error)


def is_lost_shell(error: BaseException) -> bool:
    """Whether the server says that the shell does not exist. Exchange reports it by text alone."""
    if not isinstance(error, WSManFaultError):
        return False
    return fault_code(error) == _NO_SUCH_SHELL or "WSMan-InvalidShellID" in str(error.reason or "")


def may_have_opened(error: Exception) -> bool:
    """Whether the server may have opened a shell although its opening raised *error*: there was no answer, or one of
    something in between. Any other answer is a refusal."""
    if proves_not_started(error) or is_refusal_of_logon(error):
        return False
    answer = answer_of(error)
    if answer is None:
        return True
    return answer.code == TIMED_OUT if answer.is_fault else answer.status in _FROM_BETWEEN


def is_logon_error(error: Exception) -> bool:
    """Whether a logon failed on this side: no ticket, a server that Kerberos does not know, a password that the KDC
    refused."""
    return isinstance(error, spnego.exceptions.SpnegoError) or _is_krb5(error)


def is_refusal_of_logon(error: Exception) -> bool:
    """Whether the server refused a logon (HTTP 401), or offers no authentication that fits."""
    return isinstance(error, AuthenticationError) or _offered_auths(error) is not None


def logon_error_text(error: Exception) -> str:
    """What Kerberos itself reports, without what each layer above it added."""
    text = " ".join(str(error).split())
    minor = re.search(r"Minor \(-?\d+\): (.*?)(?:, Context: |$)", text)
    return minor[1] if minor is not None else text


def is_credential_refused(error: Exception) -> bool:
    """Whether the user name or password is wrong, and so will be on every host: the server says so, or the KDC.

    A SpnegoError is not enough: it may only be about the name of this server. spnego passes on what the library krb5
    raises for an answer of the KDC, and that has the KDC's code.
    """
    if _is_krb5(error):
        return getattr(error, "err_code", None) in _KDC_REFUSALS
    return isinstance(error, AuthenticationError) and _offered_auths(error) is None


def _outcome_unknown(error: Exception, target: Target, call: str, reads: bool) -> OutcomeUnknown:
    kind = Abandoned if isinstance(error, _TIMEOUTS) else OutcomeUnknown
    return kind(
        f"{target}: {call} was sent, but {_came(error)}",
        _reason(error),
        "it only reads, so nothing was changed: try again, or check the server if it goes on"
        if reads
        else "it may have run: read the current state before you send it again",
    )


def _came(error: Exception) -> str:
    """What came in place of an answer to a call that was sent."""
    if isinstance(error, UntrustedAnswer):
        return "no trustworthy answer came back"
    return "no answer came back" if answer_of(error) is None else "the answer does not say what came of it"


def _answered(error: Exception, target: Target) -> UnreachableHost | None:
    """The error for what the server answered; None where it did not answer."""
    if isinstance(error, ElementTree.ParseError) or type(error) is WinRMError:
        return UnreachableHost(
            f"{target}: the server's answer cannot be read",
            _reason(error),
            "nothing was sent: try again; a proxy that changes answers may be in between",
        )
    answer = answer_of(error)
    if answer is None:
        return None
    meaning = meaning_of(answer, target)
    if meaning.reason is None:
        return UnreachableHost(meaning.what, meaning.why, meaning.next_step, wait=meaning.wait)
    return AccessRefused(meaning.what, meaning.why, meaning.next_step, reason=meaning.reason)


def _not_answered(error: Exception, target: Target) -> UnreachableHost:
    """The error where no answer came: whether there was a connection decides what to check."""
    what, advice = f"{target} cannot be reached", "check the name, the port and the firewall"
    if _is_time_out(error):
        what = f"{target} did not answer"
        advice = "check whether the server is overloaded, and whether its name, its port and the firewall are right"
    elif _reason(error) == _NO_TLS:
        what = f"{target}: there is no TLS with the server"
        advice = (
            "check whether the port is one of https; if it is, the server may offer only versions or ciphers of TLS "
            "that are too old"
        )
    elif isinstance(error, requests.exceptions.ConnectionError) and any(sign in str(error) for sign in _CONNECTED):
        what = f"{target} took the connection and ended it without an answer"
        advice = (
            "check whether scheme and port of the url are those of PowerShell, and whether a load balancer or security "
            "software in between ends the connection"
        )
    return UnreachableHost(what, _reason(error), f"nothing was sent: {advice}")


def answer_of(error: Exception) -> Answer | None:
    """What the server answered, where *error* was raised because of an answer.

    pypsrp takes every XML body for a fault, also an XHTML page. What the server sent is then in the exception that
    pypsrp was handling.
    """
    if isinstance(error, Redirected):
        return Answer(error.status, location=error.location)
    if isinstance(error, NoWSMan):
        return Answer(error.status, text=page_text(error.body))
    if isinstance(error, WSManFaultError):
        http = error.__context__
        if error.code is None and isinstance(http, WinRMTransportError) and "Envelope" not in http.response_text:
            return _page(http)
        code = "" if error.code is None else str(error.code)
        return Answer(None, code, _fault_text(error), is_fault=True)
    return _page(error) if isinstance(error, WinRMTransportError) else None


def fault_code(error: BaseException) -> str:
    """The code of a WSMan fault; empty where *error* is none."""
    return str(error.code or "") if isinstance(error, WSManFaultError) else ""


def _page(error: WinRMTransportError) -> Answer:
    return Answer(int(error.code), text=page_text(error.response_text or ""))


def _fault_text(error: WSManFaultError) -> str:
    return " ".join(str(error.reason or error.provider_fault or "").split())


def _access_refused(error: Exception, target: Target) -> AccessRefused | None:
    """The refusal that *error* means; None where it is not one."""
    if (offered := _offered_auths(error)) is not None:
        return AccessRefused(
            f"{target}: the server does not accept {target.settings.auth}",
            f"it offers {offered or 'nothing'}; no password was sent",
            "set auth: to one that it offers, or enable this one on the server",
            reason="endpoint",
        )
    if isinstance(error, AuthenticationError):
        return AccessRefused(
            f"{target}: the logon of {target.user} was refused",
            "HTTP 401; easops does not try it again, here or on another host, because that could lock the account",
            _logon_advice(target),
            reason="logon",
        )
    if is_logon_error(error):
        return AccessRefused(
            f"{target}: {target.user} could not log on",
            logon_error_text(error),
            _logon_advice(target),
            reason="logon",
        )
    if isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return AccessRefused(
            f"{target}: the server's certificate is not trusted",
            _certificate_reason(str(error)),
            "renew the certificate, or name the PEM file of its authority with ca: at the endpoint",
            reason="certificate",
        )
    return None


def _logon_advice(target: Target) -> str:
    auth = target.settings.auth
    if target.username is None:
        return (
            "get a ticket (kinit; klist shows it), or set credential: at the endpoint; "
            "Kerberos needs the server's full name in the url"
        )
    correct = "correct the user name, or the password that the inventory refers to"
    if auth == "kerberos":
        return f"{correct}; Kerberos needs user@DOMAIN.EXAMPLE, and the server's full name in the url"
    if auth != "basic":
        return f"{correct}; write the user as DOMAIN\\user or user@domain"
    if target.endpoint == "exchange":
        enable = "Set-PowerShellVirtualDirectory -BasicAuthentication $true"
        return f"{correct}; an Exchange endpoint accepts Basic only after {enable}"
    enable = "Set-Item WSMan:\\localhost\\Service\\Auth\\Basic $true"
    return f"{correct}; WinRM accepts Basic only for local accounts, after {enable}"


def _offered_auths(error: Exception) -> str | None:
    """What the server offers, if it does not offer the authentication that was asked for. pypsrp says it only in the
    text of its exception."""
    if isinstance(error, AuthenticationError) and " - actual: '" in str(error):
        return str(error).rpartition(" - actual: '")[2].rstrip("'")
    if isinstance(error, ValueError) and str(error).startswith("Server responded with the auth protocol '"):
        return str(error).split("'")[1]
    return None


def _is_krb5(error: Exception) -> bool:
    # By its module's name: the library is installed only with the extra `kerberos`.
    return type(error).__module__.partition(".")[0] == "krb5"


def _never_connected(error: BaseException) -> bool:
    """Whether there was no connection at all, so that nothing can have been sent.

    requests wraps urllib3's exception, and that may wrap the operating system's, as ``reason`` or as first argument.
    """
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, urllib3.exceptions.ConnectTimeoutError):  # NewConnectionError is one of them
            return True
        reason = getattr(inner, "reason", None)
        first = inner.args[0] if inner.args else None
        if isinstance(reason, BaseException):
            inner = reason
        elif isinstance(first, BaseException):
            inner = first
        else:
            return isinstance(inner, ConnectionRefusedError)
    return False


def _is_time_out(error: Exception) -> bool:
    """Whether an answer was waited for in vain; not where there was no connection in time."""
    return isinstance(error, _TIMEOUTS) and not isinstance(error, requests.exceptions.ConnectTimeout)


def _reason(error: Exception) -> str:
    """Why, in a few words."""
    if _is_time_out(error):
        return "no answer within the deadline"
    if isinstance(error, UntrustedAnswer):
        return str(error)
    answer = answer_of(error)
    if answer is not None and answer.is_fault:
        return answer.text or f"WSMan fault {answer.code}".strip()
    if answer is not None:
        return f"HTTP {answer.status}" + (f": {answer.text}" if answer.text else "")
    if isinstance(error, ElementTree.ParseError):
        return "its answer cannot be read"
    if isinstance(error, requests.exceptions.ConnectionError | OSError):
        text = str(error)
        return next((words for sign, words in _CONNECTION_ERRORS.items() if sign in text), "the connection failed")
    return f"{type(error).__name__}: {error}"


def _certificate_reason(text: str) -> str:
    """OpenSSL's reason: ``certificate has expired``, ``self-signed certificate``, …"""
    _, marker, rest = text.partition("certificate verify failed: ")
    return rest.partition(" (_ssl")[0] if marker else "certificate verify failed"
