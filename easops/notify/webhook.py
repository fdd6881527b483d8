"""Sending a message to a webhook: one POST. No redirect is followed, and nothing is sent twice.

The URL of a webhook is usually the key to it, so it appears in no log, error or traceback. urllib3 would log it and put
it into its errors, and ``http.client.HTTPConnection.debuglevel`` would print each header.
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

from easops.authorities import authorities
from easops.errors import AccessRefused, BadInput, CommandFailed, EasopsError, OutcomeUnknown, UnreachableHost
from easops.notify.channel import Reference, Webhook
from easops.notify.transmission import Transmission
from easops.remoting.http_debug import disable_debug_output

_CONNECT: Final = 5.0
"""Seconds that establishing a connection may take."""

_thread = threading.local()


def _is_not_from_post(record: logging.LogRecord) -> bool:
    return not getattr(_thread, "posting", False)


# On each logger: a filter applies to records of its own logger, not to those of the loggers below it.
for _name in ("connectionpool", "connection", "poolmanager", "util.retry"):
    logging.getLogger(f"urllib3.{_name}").addFilter(_is_not_from_post)


def post(webhook: Webhook, body: bytes, transmission: Transmission) -> None:
    """Send *body*, which is JSON.

    Raises UnreachableHost (nothing was sent), CommandFailed (the server refused it), OutcomeUnknown.
    """
    error = _answer(webhook, body, transmission)
    if error is not None:
        raise error  # here, so that the traceback has no frame that holds the URL


def _answer(webhook: Webhook, body: bytes, transmission: Transmission) -> EasopsError | None:
    """What went wrong, as an error that was never raised; None if nothing did."""
    revealed = {purpose: secret.reveal() for purpose, secret in transmission.secrets.items()}
    url = revealed["url"] if isinstance(webhook.url, Reference) else webhook.url
    headers = {
        name: revealed[f"header {name}"] if isinstance(value, Reference) else value
        for name, value in webhook.headers.items()
    }
    server = "the server" if isinstance(webhook.url, Reference) else _server(url)
    _thread.posting = True
    try:
        return _try_post(webhook, url, headers, body, transmission, server)
    finally:
        _thread.posting = False


def _try_post(
    webhook: Webhook, url: str, headers: dict[str, str], body: bytes, transmission: Transmission, server: str
) -> EasopsError | None:
    try:
        trusted = authorities(webhook.ca)
        with requests.Session() as session:
            for scheme in ("https://", "http://"):
                session.mount(scheme, _Silent(transmission))
            response = session.post(
                url,
                data=body,
                headers={"Content-Type": "application/json", "User-Agent": "easops", **headers},
                auth=_no_logon,
                timeout=(transmission.seconds_left(_CONNECT), transmission.seconds_left(60.0)),
                allow_redirects=False,
                stream=True,
                verify=trusted or True,
            )
            return _problem(response.status_code, server)
    except UnreachableHost as too_late:
        return UnreachableHost(too_late.what, too_late.why)
    except BadInput as wrong:
        return BadInput(wrong.what, wrong.why, wrong.next_step)
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as failure:
        if transmission.begun:
            return OutcomeUnknown(f"{server} gave no answer", _cause(failure))
        if isinstance(failure, requests.exceptions.SSLError):
            return AccessRefused(f"{server} is not trusted", _cause(failure), reason="certificate")
        return UnreachableHost(f"{server} cannot be reached", _cause(failure))


def _problem(code: int, server: str) -> EasopsError | None:
    phrase = http.HTTPStatus(code).phrase if code in set(http.HTTPStatus) else ""
    answer = f"{server} answered {code} {phrase}".rstrip()
    if 200 <= code < 300:
        return None
    if 300 <= code < 400:
        return CommandFailed(answer, "redirects are not followed; configure the final url")
    if code < 500:
        return CommandFailed(answer)
    return OutcomeUnknown(answer, "it may have accepted it")


def _server(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}" if parts.port is None else f"{parts.hostname}:{parts.port}"


def _no_logon(request: Any) -> Any:
    """Keeps requests from taking a logon from ~/.netrc."""
    return request


def _cause(error: BaseException) -> str:
    """The innermost cause, in the system's own words: the outer errors contain the URL."""
    seen: list[BaseException] = [error]
    while True:
        last = seen[-1]
        arguments = [argument for argument in last.args if isinstance(argument, BaseException)]
        inner = getattr(last, "reason", None)
        inner = inner if isinstance(inner, BaseException) else next(iter(arguments), None)
        inner = inner or last.__cause__ or last.__context__
        if inner is None or inner in seen:
            break
        seen.append(inner)
    for cause in reversed(seen):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return str(cause.verify_message)
        if isinstance(cause, OSError) and cause.strerror and not isinstance(cause, requests.RequestException):
            return f"{cause.strerror}"
        if isinstance(cause, TimeoutError | requests.Timeout | urllib3.exceptions.TimeoutError):
            return "it took too long"
    return type(seen[-1]).__name__


class _Silent(requests.adapters.HTTPAdapter):
    """Connections that print nothing, and that call ``Transmission.begin`` once they are established: until then
    nothing has reached the server, and after the message was given up nothing does."""

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

        def connect_and_begin() -> None:
            connect()
            self._passing.begin()

        connection.connect = connect_and_begin
