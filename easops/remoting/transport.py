"""The connection of a session: how it logs on, what it encrypts, and how it keeps the password out of logs and errors.

The other half of the door to pypsrp, with its pitfalls of a connection: on a new connection it goes on encrypting with
the key of the old one; it logs whole messages, and spnego the tokens of a logon.
A redirect is an answer and is never followed: the logon would go to an address that nobody wrote.
Source: MS-WSMV 2.2.9.1 (encrypted messages), RFC 4559 (Negotiate over HTTP).
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import logging
import os
import socket
import traceback
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from pypsrp._pool_manager import DisableNewConnectionsContext, NewConnectionDisabled
from pypsrp.wsman import WSMan

from easops.authorities import authorities
from easops.errors import BadInput
from easops.inventory.host import TICKET_AUTHS, Endpoint
from easops.remoting.failure import NoWSMan, Redirected, UntrustedAnswer, is_logon_error, logon_error_text
from easops.remoting.http_debug import disable_debug_output
from easops.remoting.secret import Secret
from easops.remoting.session import EndpointName

_SERVICES: Final[dict[EndpointName, str]] = {"exchange": "HTTP", "windows": "host"}
"""The service in the Kerberos name of the server (SPN). Exchange's endpoint is served by IIS, and a name that several
servers share is registered for HTTP only."""

_KEEP_ALIVE: Final = [
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    *(
        (socket.IPPROTO_TCP, getattr(socket, name), seconds)
        for name, seconds in (("TCP_KEEPIDLE", 60), ("TCP_KEEPALIVE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))
        if hasattr(socket, name)
    ),
]
"""A script may keep a session idle for long. A firewall would then silently forget the connection, and the next call
would wait until its deadline. (TCP_KEEPALIVE is the name of TCP_KEEPIDLE on macOS.)"""

_PAGE: Final = 20000
"""Bytes of a page that are looked at for what it says."""

_WINDOWS: Final = os.name == "nt"
"""Kerberos is built in on Windows (SSPI)."""


def _is_warning(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING


# At DEBUG pypsrp logs every message, and spnego every token of a logon (NTLM's can be cracked offline). A filter,
# unlike a level, still works if a script sets the level of these loggers or of the root logger. A logger's filter does
# not apply to the loggers below it, so each gets its own.
for _name in list(logging.root.manager.loggerDict):
    if _name.partition(".")[0] in ("pypsrp", "spnego"):
        logging.getLogger(_name).addFilter(_is_warning)
# pypsrp logs time-outs with a traceback, which Python prints on stderr if no handler is set.
logging.getLogger("pypsrp").addHandler(logging.NullHandler())


def check_usable(host: str, settings: Endpoint) -> None:
    """Raise BadInput for an endpoint that cannot be used: what the inventory's loader checks too, for endpoints made in
    code, and whether Kerberos is installed."""
    if settings.auth == "basic" and urlsplit(settings.url).scheme != "https":
        raise BadInput(
            f"{host}: Basic needs TLS",
            f"{settings.url} would carry the password in clear text",
            "use an https URL, or kerberos, negotiate or ntlm",
        )
    if settings.credential is None and settings.auth not in TICKET_AUTHS:
        raise BadInput(
            f"{host}: {settings.auth} needs a credential", "the endpoint has none", "name one with credential:"
        )
    if _WINDOWS or (settings.credential is not None and settings.auth != "kerberos"):
        return
    if any(importlib.util.find_spec(name) is None for name in ("gssapi", "krb5")):
        wanted = "auth: kerberos" if settings.auth == "kerberos" else "an endpoint without a credential"
        raise BadInput(
            f"{host}: {wanted} needs Kerberos, which is not installed",
            "its libraries come with the extra `kerberos`",
            'install it with: pip install "easops[kerberos]"',
        )


def check_password(host: str, settings: Endpoint, password: Secret) -> None:
    """Raise BadInput for a user name or a password that cannot be sent. Whoever found that out by trying to encode it
    would have it in their error."""
    credential, basic = settings.credential, settings.auth == "basic"
    assert credential is not None
    unsuitable = None
    if _has_unsuitable(credential.username, basic):
        unsuitable = "user name"
    elif _has_unsuitable(password.reveal(), basic):
        unsuitable = "password"
    if unsuitable is not None:
        raise BadInput(
            f"{host}: the {unsuitable} of credential {credential.name!r} cannot be sent with {settings.auth}",
            f"it contains a character beyond {'Latin-1' if basic else 'Unicode'}",
            "use kerberos, negotiate or ntlm, which take every character" if basic else "write it as UTF-8",
        )


def _has_unsuitable(text: str, basic: bool) -> bool:
    """Whether a character of *text* cannot be sent: with Basic one beyond Latin-1, otherwise half a character."""
    return any(ord(character) > 0xFF if basic else "\ud800" <= character <= "\udfff" for character in text)


def address_of(settings: Endpoint) -> tuple[str, int]:
    """The name and the port of the server."""
    parts = urlsplit(settings.url)
    return parts.hostname or "", parts.port or (80 if parts.scheme == "http" else 443)


def make_wsman(
    settings: Endpoint,
    endpoint: EndpointName,
    password: Secret | None,
    *,
    connect: int,
    poll: int,
    on_answer: Callable[[Mapping[str, str]], None] = lambda headers: None,
) -> WSMan:
    """The connection to an endpoint, not opened yet. With an ``http`` url it encrypts every message.

    *connect* is how many seconds to wait for a connection, *poll* how many seconds a Receive waits on the server.
    *on_answer* is called with the headers of each answer.
    """
    parts = urlsplit(settings.url)
    plain = parts.scheme == "http"
    server, port = address_of(settings)
    wsman = WSMan(
        server,
        port=port,
        ssl=not plain,
        path=parts.path.strip("/") + (f"?{parts.query}" if parts.query else ""),
        auth=settings.auth,
        username=settings.credential.username if settings.credential is not None else None,
        password=password.reveal() if password is not None else None,
        encryption="always" if plain else "never",
        negotiate_service=_SERVICES[endpoint],
        # pypsrp passes it to requests, which accepts a path too
        cert_validation=(not plain and authorities(settings.ca)) or True,  # type: ignore[arg-type]
        connection_timeout=connect,
        read_timeout=poll + 15,
        operation_timeout=poll,
        no_proxy=True,  # the default of Enter-PSSession, too
    )
    _log_on_again_on_new_connections(wsman)
    _prepare_connections(wsman)
    _check_answers(wsman, on_answer)
    return wsman


def _log_on_again_on_new_connections(wsman: WSMan) -> None:
    """Make a new connection log on again.

    The encryption key belongs to the connection. When an idle connection was dropped, pypsrp would connect again and
    send the message that it had encrypted with the old key. So while it has a key it must not connect; if it tries, the
    key is forgotten and the message sent again, on a connection that starts with a logon.
    """
    transport = wsman.transport
    send = transport.send

    @functools.wraps(send)
    def sending(message: bytes, **options: Any) -> bytes:
        if transport.encryption is not None:
            with contextlib.suppress(NewConnectionDisabled), DisableNewConnectionsContext():
                return send(message, **options)
            transport.encryption = None  # there was no connection any more, so nothing was sent
        return send(message, **options)

    transport.send = sending  # type: ignore[method-assign]


def _prepare_connections(wsman: WSMan) -> None:
    """Keep idle connections alive, and let none print its headers: with Basic one of them is the password."""
    session = wsman.transport.session = wsman.transport._build_session()
    # The environment's certificates are in it by now, and proxies are not used; requests would look for one at each
    # message, through all variables.
    session.trust_env = False

    def keep_alive(connection: Any) -> None:
        connection.socket_options = [*connection.socket_options, *_KEEP_ALIVE]

    for adapter in session.adapters.values():
        assert isinstance(adapter, requests.adapters.HTTPAdapter)
        disable_debug_output(adapter.poolmanager, keep_alive)


def _check_answers(wsman: WSMan, on_answer: Callable[[Mapping[str, str]], None]) -> None:
    """Raise for an answer that is no message of WSMan, and for one that cannot be trusted.

    A SpnegoError that comes after an answer becomes an UntrustedAnswer: the server has received the message by then.
    That happens when an answer cannot be decrypted, and, over TLS, when the last token of a logon is not valid, since
    our last token is sent together with the message. It has not received the message if it answered 401, or if it
    answered the empty message that is sent before the first encrypted one.
    """
    transport = wsman.transport
    session, send_request = transport.session, transport._send_request
    assert session is not None
    received = False
    status = 0

    def noting(send: Callable[..., Any]) -> Any:
        def sending(request: requests.PreparedRequest, **options: Any) -> Any:
            nonlocal received, status
            response = send(request, **options)
            status = response.status_code
            on_answer(response.headers)
            if 300 <= status < 400:
                raise Redirected(status, response.headers.get("Location", ""))
            received = bool(request.body) and response.status_code != 401
            return response

        return sending

    def sending_request(request: requests.PreparedRequest, **options: Any) -> bytes:
        nonlocal received
        received = False
        try:
            body = send_request(request, **options)
            # A logon answers the empty message with nothing; without a logon, something else than a server did.
            logged_on = not request.body and not body and bool(getattr(session.auth, "contexts", True))
            if not logged_on and b"Envelope" not in body:
                raise NoWSMan(status, body[:_PAGE].decode("utf-8", "replace"))
            return body
        except Exception as error:
            if received and is_logon_error(error):
                raise UntrustedAnswer(f"its answer cannot be trusted: {logon_error_text(error)}") from error
            raise

    for adapter in session.adapters.values():
        adapter.send = noting(adapter.send)  # type: ignore[method-assign]
    transport._send_request = sending_request  # type: ignore[method-assign, assignment]


def empty_frames(error: BaseException) -> None:
    """Remove the local variables, the requests and the texts that were encoded from an exception and its causes. The
    headers are among them, so a tool that shows a traceback with its variables would show the password."""
    left: list[BaseException | None] = [error]
    seen: set[int] = set()
    while left:
        cause = left.pop()
        if cause is None or id(cause) in seen:
            continue
        seen.add(id(cause))
        traceback.clear_frames(cause.__traceback__)
        if isinstance(cause, requests.RequestException):
            cause.request = cause.response = None
        if isinstance(cause, UnicodeEncodeError):
            cause.args, cause.object = (), ""
        left += [cause.__cause__, cause.__context__]
