"""The connection under a session: how it logs on, what it seals, and that it tells nobody the password.

The other half of the door to pypsrp, with its traps of a connection: a new connection goes on sealing with the old
one's context; whole messages and the tokens of a logon are logged; a server that takes another authentication is told
in words alone. Source: MS-WSMV 2.2.9.1 (encrypted messages), RFC 4559 (Negotiate over HTTP).
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import logging
import os
import re
import socket
import traceback
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

import requests
import spnego.exceptions
from pypsrp._pool_manager import DisableNewConnectionsContext, NewConnectionDisabled
from pypsrp.exceptions import AuthenticationError
from pypsrp.wsman import WSMan

from easops.errors import BadInput
from easops.inventory.host import TICKET_AUTHS, Endpoint
from easops.remoting.http_debug import disable_debug_output
from easops.remoting.secret import Secret
from easops.remoting.session import EndpointName

_SERVICES: Final[dict[EndpointName, str]] = {"exchange": "HTTP", "windows": "host"}
"""The service in the Kerberos name of the server. Exchange's is IIS, and a name that servers share has HTTP alone."""

_KDC_REFUSALS: Final = frozenset(
    {
        -1765328353,  # the answer cannot be read with this password
        -1765328360,  # pre-authentication failed
        -1765328361,  # the password has expired
        -1765328366,  # the account is locked or disabled
        -1765328378,  # no such user
    }
)
"""What says that a user name or its password is no good (krb5.h, KRB5KDC_ERR and KRB5KRB_AP_ERR)."""

_KEEP_ALIVE: Final = [
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    *(
        (socket.IPPROTO_TCP, getattr(socket, name), seconds)
        for name, seconds in (("TCP_KEEPIDLE", 60), ("TCP_KEEPALIVE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))
        if hasattr(socket, name)
    ),
]
"""A session that a script keeps may be idle for long: a firewall would forget it without a word, and the next call
would wait for its whole deadline. (TCP_KEEPALIVE is the name of TCP_KEEPIDLE on macOS.)"""

_WINDOWS: Final = os.name == "nt"
"""There Kerberos is built in (SSPI)."""


def _tells_no_message(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING


# pypsrp logs every message whole, and spnego every token of a logon (NTLM's can be cracked at leisure), both at DEBUG.
# A filter holds against a script that sets the root's level, or theirs. It sees what its own logger is told, not what
# comes from below it: so each has one.
for _name in list(logging.root.manager.loggerDict):
    if _name.partition(".")[0] in ("pypsrp", "spnego"):
        logging.getLogger(_name).addFilter(_tells_no_message)
# pypsrp logs time-outs with their traceback; without a handler Python would print them on stderr.
logging.getLogger("pypsrp").addHandler(logging.NullHandler())


class DoubtfulAnswer(Exception):
    """A message was taken and answered, but the answer cannot be unsealed, or the server did not prove who it is."""


def check_usable(host: str, way_in: Endpoint) -> None:
    """What the inventory's reader checks too, for endpoints made in code; and that Kerberos is installed.

    Raises BadInput.
    """
    if way_in.auth == "basic" and urlsplit(way_in.url).scheme != "https":
        raise BadInput(
            f"{host}: Basic needs TLS",
            f"{way_in.url} would carry the password in clear text",
            "use an https URL, or kerberos, negotiate or ntlm",
        )
    if way_in.credential is None and way_in.auth not in TICKET_AUTHS:
        raise BadInput(
            f"{host}: {way_in.auth} needs a credential", "the endpoint names none", "name one with credential:"
        )
    if _WINDOWS or (way_in.credential is not None and way_in.auth != "kerberos"):
        return
    if any(importlib.util.find_spec(name) is None for name in ("gssapi", "krb5")):
        wanted = "auth: kerberos" if way_in.auth == "kerberos" else "an endpoint without a credential"
        raise BadInput(
            f"{host}: {wanted} needs Kerberos, which is not installed",
            "its libraries are those of the extra `kerberos`",
            'install it with: pip install "easops[kerberos]"',
        )


def address_of(way_in: Endpoint) -> tuple[str, int]:
    """The server's name and port."""
    parts = urlsplit(way_in.url)
    return parts.hostname or "", parts.port or (80 if parts.scheme == "http" else 443)


def make_wsman(way_in: Endpoint, endpoint: EndpointName, password: Secret | None, *, connect: int, poll: int) -> WSMan:
    """The connection to an endpoint, not opened yet. Over plain http it seals every message.

    *connect* is how many seconds a connection may take to come about, *poll* how many a Receive waits on the server.
    """
    parts = urlsplit(way_in.url)
    plain = parts.scheme == "http"
    server, port = address_of(way_in)
    wsman = WSMan(
        server,
        port=port,
        ssl=not plain,
        path=parts.path.strip("/"),
        auth=way_in.auth,
        username=way_in.credential.username if way_in.credential is not None else None,
        password=password.reveal() if password is not None else None,
        encryption="always" if plain else "never",
        negotiate_service=_SERVICES[endpoint],
        # handed to requests, which takes a path too
        cert_validation=str(way_in.ca) if way_in.ca is not None else True,  # type: ignore[arg-type]
        connection_timeout=connect,
        read_timeout=poll + 15,
        operation_timeout=poll,
        no_proxy=True,  # as Enter-PSSession has it unless told otherwise
    )
    _hold_seal_to_connection(wsman)
    _hold_connections(wsman)
    _doubt_what_was_answered(wsman)
    return wsman


def _hold_seal_to_connection(wsman: WSMan) -> None:
    """Have a new connection log on anew. A sealing context lives and dies with its connection, and pypsrp would send
    what the old one sealed on the new one; so where it has one, it must not connect again while it sends."""
    transport = wsman.transport
    send = transport.send

    @functools.wraps(send)
    def sending(message: bytes, **options: Any) -> bytes:
        if transport.encryption is not None:
            with contextlib.suppress(NewConnectionDisabled), DisableNewConnectionsContext():
                return send(message, **options)
            transport.encryption = None  # the connection was gone, so nothing was sent
        return send(message, **options)

    transport.send = sending  # type: ignore[method-assign]


def _hold_connections(wsman: WSMan) -> None:
    """Have connections kept alive while nothing is said on them, and print nothing: with Basic one of our headers is
    the password."""
    session = wsman.transport.session = wsman.transport._build_session()

    def keep_alive(connection: Any) -> None:
        connection.socket_options = [*connection.socket_options, *_KEEP_ALIVE]

    for adapter in session.adapters.values():
        assert isinstance(adapter, requests.adapters.HTTPAdapter)
        disable_debug_output(adapter.poolmanager, keep_alive)


def _doubt_what_was_answered(wsman: WSMan) -> None:
    """Have a SpnegoError that comes after an answer be told as a DoubtfulAnswer: the message has been taken by then.

    That is so of an answer that cannot be unsealed, and over TLS of a logon whose last token is no proof, since the
    message goes along with ours. A 401, or an answer to the empty message before the first sealed one, took nothing.
    """
    transport = wsman.transport
    exchange = transport._send_request
    taken = False

    def noting(send: Callable[..., Any]) -> Any:
        def sending(request: requests.PreparedRequest, **options: Any) -> Any:
            nonlocal taken
            response = send(request, **options)
            taken = bool(request.body) and response.status_code != 401
            return response

        return sending

    @functools.wraps(exchange)
    def exchanging(*values: Any, **options: Any) -> bytes:
        nonlocal taken
        taken = False
        try:
            return exchange(*values, **options)
        except Exception as error:
            if taken and no_logon_made(error):
                raise DoubtfulAnswer(f"its answer cannot be trusted: {reason_of_no_logon(error)}") from error
            raise

    assert transport.session is not None
    for adapter in transport.session.adapters.values():
        adapter.send = noting(adapter.send)  # type: ignore[method-assign]
    transport._send_request = exchanging  # type: ignore[method-assign]


def empty_frames(error: BaseException) -> None:
    """Take the local variables and the requests out of an exception and its causes: urllib3's frames hold the headers,
    and whoever shows a traceback with its variables would show the password."""
    seen: BaseException | None = error
    while seen is not None:
        traceback.clear_frames(seen.__traceback__)
        if isinstance(seen, requests.RequestException):
            seen.request = seen.response = None
        seen = seen.__cause__ or seen.__context__


def not_offered(error: Exception) -> str | None:
    """What the server offers where it does not offer what was wanted: pypsrp tells it in words alone."""
    if isinstance(error, AuthenticationError) and " - actual: '" in str(error):
        return str(error).rpartition(" - actual: '")[2].rstrip("'")
    if isinstance(error, ValueError) and str(error).startswith("Server responded with the auth protocol '"):
        return str(error).split("'")[1]
    return None


def no_logon_made(error: Exception) -> bool:
    """Whether a logon failed on this side: no ticket, no such server in Kerberos, a password that its KDC refused."""
    return isinstance(error, spnego.exceptions.SpnegoError) or _is_krb5(error)


def credential_refused(error: Exception) -> bool:
    """Whether the credential is wrong, and so on every host: a server says it, or the KDC (of which spnego passes
    on the exception of the library krb5). A SpnegoError may be about one server's name alone."""
    if _is_krb5(error):
        return getattr(error, "err_code", None) in _KDC_REFUSALS
    return isinstance(error, AuthenticationError) and not_offered(error) is None


def reason_of_no_logon(error: Exception) -> str:
    """What Kerberos itself says, without the layers around it."""
    text = " ".join(str(error).split())
    said = re.search(r"Minor \(-?\d+\): (.*?)(?:, Context: |$)", text)
    return said[1] if said is not None else text


def _is_krb5(error: Exception) -> bool:
    return type(error).__module__.partition(".")[0] == "krb5"
