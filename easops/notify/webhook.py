"""A message to a webhook: one POST. No redirect is followed, and nothing is sent twice.

The address of a webhook is mostly the key to it, so it is in no log, error or traceback: urllib3 logs each address, its
errors have it, and ``http.client.HTTPConnection.debuglevel`` prints each header.
"""

from __future__ import annotations

import http
import logging
import ssl
import threading
from typing import Any, Final
from urllib.parse import urlsplit

import requests
import requests.adapters
import urllib3.exceptions

from easops.errors import AccessRefused, CommandFailed, EasopsError, OutcomeUnknown, UnreachableHost
from easops.notify.channel import Reference, Webhook
from easops.notify.transmission import Transmission
from easops.remoting.http_debug import disable_debug_output

_CONNECT: Final = 5.0
"""Seconds that a connection may take to come about."""

_here = threading.local()


def _not_of_ours(record: logging.LogRecord) -> bool:
    return not getattr(_here, "posting", False)


# On each logger: a filter sees what its own logger is told, not what comes from below it.
for _name in ("connectionpool", "connection", "poolmanager", "util.retry"):
    logging.getLogger(f"urllib3.{_name}").addFilter(_not_of_ours)


def post(webhook: Webhook, body: bytes, transmission: Transmission) -> None:
    """Send *body*, which is JSON. Raises UnreachableHost (nothing was sent), CommandFailed (it was not taken),
    OutcomeUnknown."""
    revealed = {what: secret.reveal() for what, secret in transmission.secrets.items()}
    url = revealed["url"] if isinstance(webhook.url, Reference) else webhook.url
    headers = {
        name: revealed[f"header {name}"] if isinstance(held, Reference) else held
        for name, held in webhook.headers.items()
    }
    server = "its server" if isinstance(webhook.url, Reference) else _server(url)
    error: EasopsError | None
    _here.posting = True
    try:
        error = _posted(webhook, url, headers, body, transmission, server)
    finally:
        _here.posting = False
    if error is not None:
        raise error  # here, out of the frames that hold the address


def _posted(
    webhook: Webhook, url: str, headers: dict[str, str], body: bytes, transmission: Transmission, server: str
) -> EasopsError | None:
    try:
        with requests.Session() as session:
            for scheme in ("https://", "http://"):
                session.mount(scheme, _Silent(transmission))
            response = session.post(
                url,
                data=body,
                headers={"Content-Type": "application/json", "User-Agent": "easops", **headers},
                auth=_as_it_is,
                timeout=(transmission.left(_CONNECT), transmission.left(60.0)),
                allow_redirects=False,
                stream=True,
                verify=True if webhook.ca is None else str(webhook.ca),
            )
            return _verdict(response.status_code, server)
    except UnreachableHost as late:
        return late
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as failure:
        if transmission.begun:
            return OutcomeUnknown(f"{server} gave no answer", _why(failure))
        if isinstance(failure, requests.exceptions.SSLError):
            return AccessRefused(f"{server} is not trusted", _why(failure), reason="certificate")
        return UnreachableHost(f"{server} cannot be reached", _why(failure))


def _verdict(code: int, server: str) -> EasopsError | None:
    said = http.HTTPStatus(code).phrase if code in set(http.HTTPStatus) else ""
    answer = f"{server} answered {code} {said}".rstrip()
    if 200 <= code < 300:
        return None
    if 300 <= code < 400:
        return CommandFailed(answer, "redirects are not followed: the url is to be the last one")
    if code < 500:
        return CommandFailed(answer)
    return OutcomeUnknown(answer, "it may have taken it")


def _server(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}" if parts.port is None else f"{parts.hostname}:{parts.port}"


def _as_it_is(request: Any) -> Any:
    """No logon of requests' own: it would take one from ~/.netrc."""
    return request


def _why(error: BaseException) -> str:
    """The innermost cause, in the system's own words: the outer ones have the address."""
    seen: list[BaseException] = [error]
    while True:
        last = seen[-1]
        arguments = [held for held in last.args if isinstance(held, BaseException)]
        inner = getattr(last, "reason", None)
        inner = inner if isinstance(inner, BaseException) else next(iter(arguments), None)
        inner = inner or last.__cause__ or last.__context__
        if inner is None or inner in seen:
            break
        seen.append(inner)
    for held in reversed(seen):
        if isinstance(held, ssl.SSLCertVerificationError):
            return str(held.verify_message)
        if isinstance(held, OSError) and held.strerror and not isinstance(held, requests.RequestException):
            return f"{held.strerror}"
        if isinstance(held, TimeoutError | requests.Timeout | urllib3.exceptions.TimeoutError):
            return "it took too long"
    return type(seen[-1]).__name__


class _Silent(requests.adapters.HTTPAdapter):
    """Connections that print nothing, and tell when they have come about: nothing has come to the server before, nor
    does anything once the message has been given up."""

    def __init__(self, transmission: Transmission) -> None:
        self._passing = transmission
        super().__init__()

    def init_poolmanager(self, *values: Any, **more: Any) -> None:
        super().init_poolmanager(*values, **more)
        disable_debug_output(self.poolmanager, self._watch)

    def proxy_manager_for(self, *values: Any, **more: Any) -> Any:
        manager = super().proxy_manager_for(*values, **more)
        disable_debug_output(manager, self._watch)
        return manager

    def _watch(self, connection: Any) -> None:
        connect = connection.connect

        def connecting() -> None:
            connect()
            self._passing.begins()

        connection.connect = connecting
