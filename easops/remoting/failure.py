"""What an exception of a remote call means: which error of ours it is, and whether anything was sent.

pypsrp, requests, urllib3 and spnego each raise exceptions of their own. This file decides, from the exception and from
how far the call got, between the errors of ``easops.errors``. It opens no connection and calls no library: of each it
imports only the exceptions.

The rules, in order:

1. An error of ours, before anything was sent, stays what it is.
2. If the call was sent, or may have been: OutcomeUnknown; Abandoned if the deadline is over. Nobody knows whether the
   server did it.
3. If the server refused the logon, the certificate, the account or the address: AccessRefused, with the reason.
4. Anything else: UnreachableHost. Nothing was sent.

``proves_not_started`` decides whether rule 2 applies to an exception that came while the call was being sent.

Source: MS-WSMV (faults), and the notes on pypsrp in docs/explanation/remoting.md.
"""

from __future__ import annotations

import re
from typing import Final

import attrs
import requests.exceptions
import spnego.exceptions
import urllib3.exceptions
from pypsrp.exceptions import AuthenticationError, WinRMTransportError, WSManFaultError

from easops.errors import Abandoned, AccessRefused, EasopsError, OutcomeUnknown, UnreachableHost
from easops.inventory.host import Endpoint
from easops.remoting.session import EndpointName
from easops.remoting.trust import CURRENT_USER

CONFIGURATIONS: Final[dict[EndpointName, str]] = {"exchange": "Microsoft.Exchange", "windows": "Microsoft.PowerShell"}
"""The session configuration that each endpoint opens."""

_RESOURCE_NOT_FOUND: Final = "2150858811"
_ACCESS_DENIED: Final = "5"

_NOT_STARTED: Final = (
    _ACCESS_DENIED,
    _RESOURCE_NOT_FOUND,
    "2150858819",  # this user may not use the configuration
    "2150858843",  # the shell no longer exists
    "2150859173",  # a quota: too many shells of this user, too many operations, …
    "2150859174",
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
    "SSL": "the TLS handshake failed",
}
"""What operating systems (Linux, Windows, macOS) and libraries write for a connection that failed, in our words. The
first that occurs counts."""


class UntrustedAnswer(Exception):
    """The server answered, but the answer cannot be decrypted, or the server did not prove who it is. The message that
    it answers had been received."""


@attrs.frozen
class Target:
    """The endpoint that a call goes to: what the errors name, and what decides their advice."""

    host: str
    endpoint: EndpointName
    settings: Endpoint

    def __str__(self) -> str:
        return f"{self.host} ({self.endpoint} endpoint, {self.settings.address})"

    @property
    def username(self) -> str | None:
        """The user that logs on; None for the current user's ticket."""
        return self.settings.credential.username if self.settings.credential is not None else None

    @property
    def user(self) -> str:
        """The same, in words."""
        return self.username or CURRENT_USER


def explain(error: Exception, target: Target, *, call: str, sent: bool) -> EasopsError:
    """The error of ours that *error* means.

    Args:
        error: what was raised: one of the libraries' exceptions, or an EasopsError.
        target: where the call went to.
        call: the call's name, for the text.
        sent: whether the call was sent, or may have been.
    """
    if sent:
        return _outcome_unknown(error, target, call)
    if isinstance(error, EasopsError):
        return error
    return _access_refused(error, target) or UnreachableHost(
        f"{target} cannot be reached",
        _reason(error),
        "nothing was sent: check the name, the port and the firewall",
    )


def proves_not_started(error: Exception) -> bool:
    """Whether an exception that came while a command was being sent proves that it never started.

    That is so if the server refused it at once, if there was no connection, or if no logon could be made. A time-out
    while waiting for the reply proves nothing: the command may be running.
    """
    if isinstance(error, WSManFaultError):
        # Exchange reports a lost shell by text alone.
        return str(error.code) in _NOT_STARTED or "WSMan-InvalidShellID" in str(error.reason or "")
    if isinstance(error, AuthenticationError | requests.exceptions.ConnectTimeout) or is_logon_error(error):
        return True
    return isinstance(error, requests.exceptions.ConnectionError) and _never_connected(error)


def is_logon_error(error: Exception) -> bool:
    """Whether a logon failed on this side: no ticket, a server that Kerberos does not know, a password that the KDC
    refused."""
    return isinstance(error, spnego.exceptions.SpnegoError) or _is_krb5(error)


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


def _outcome_unknown(error: Exception, target: Target, call: str) -> OutcomeUnknown:
    kind = Abandoned if isinstance(error, _TIMEOUTS) else OutcomeUnknown
    answer = "no trustworthy answer" if isinstance(error, UntrustedAnswer) else "no answer"
    return kind(
        f"{target}: {call} was sent, but {answer} came back",
        _reason(error),
        "it may have run: read the current state before you send it again",
    )


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
    return _refused_by_status(error, target) or _refused_by_fault(error, target)


def _refused_by_status(error: Exception, target: Target) -> AccessRefused | None:
    status = _http_status(error)
    if status == 403:
        return AccessRefused(
            f"{target}: access is forbidden",
            "HTTP 403",
            "allow remote PowerShell for this account: Set-User -RemotePowerShellEnabled $true",
            reason="forbidden",
        )
    if status == 404:
        return AccessRefused(
            f"{target}: there is no PowerShell endpoint at this address",
            "HTTP 404",
            "correct the endpoint's url: https://fqdn/PowerShell for exchange, https://fqdn:5986/wsman for windows",
            reason="endpoint",
        )
    return None


def _refused_by_fault(error: Exception, target: Target) -> AccessRefused | None:
    if not isinstance(error, WSManFaultError):
        return None
    text = str(error.reason or error.provider_fault or "")
    if str(error.code) == _RESOURCE_NOT_FOUND:
        return AccessRefused(
            f"{target}: the endpoint has no configuration {CONFIGURATIONS[target.endpoint]}",
            text or f"WSMan fault {error.code}",
            "check whether the urls of exchange and windows are swapped in the inventory",
            reason="endpoint",
        )
    if "AuthZ-CmdletAccessDenied" in text or "management role" in text or str(error.code) == _ACCESS_DENIED:
        return AccessRefused(
            f"{target}: {target.user} has no role here",
            text or "access is denied",
            "give the account an Exchange management role, or membership of Remote Management Users",
            reason="role",
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


def _http_status(error: Exception) -> int | None:
    """The HTTP status of an error that is not a WSMan fault; None where there is none.

    pypsrp takes every XML body for a fault, also an XHTML page, and such a fault has no code. The status is then in the
    exception that pypsrp was handling.
    """
    if isinstance(error, WSManFaultError) and error.code is None and isinstance(error.__context__, WinRMTransportError):
        return int(error.__context__.code)
    return int(error.code) if isinstance(error, WinRMTransportError) else None


def _reason(error: Exception) -> str:
    """Why, in a few words."""
    if isinstance(error, _TIMEOUTS):
        return "no answer within the deadline"
    if isinstance(error, UntrustedAnswer):
        return str(error)
    status = _http_status(error)
    if status is not None:
        return f"HTTP {status}"
    if isinstance(error, WSManFaultError):
        return str(error.reason or error.provider_fault or f"WSMan fault {error.code}")
    if isinstance(error, requests.exceptions.ConnectionError | OSError):
        text = str(error)
        return next((words for sign, words in _CONNECTION_ERRORS.items() if sign in text), "the connection failed")
    return f"{type(error).__name__}: {error}"


def _certificate_reason(text: str) -> str:
    """OpenSSL's reason: ``certificate has expired``, ``self-signed certificate``, …"""
    _, marker, rest = text.partition("certificate verify failed: ")
    return rest.partition(" (_ssl")[0] if marker else "certificate verify failed"
