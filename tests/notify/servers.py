"""Real servers on loopback that take notices, or do not: HTTP and SMTP, plain or with TLS."""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Literal

import attrs
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

Conduct = int | Literal["hang", "drop", "drip"]
"""What a webhook does with a request: a status to answer with, no answer at all, an end of the connection, or an answer
that never comes to its end."""


@attrs.frozen
class Request:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@attrs.define
class Hook:
    """A webhook: what it got, in order, and what it does. *connections* counts those that it took."""

    port: int
    tls: bool = False
    does: Conduct = 200
    got: list[Request] = attrs.field(factory=list)
    connections: int = 0
    at: Callable[[], None] = lambda: None
    released: threading.Event = attrs.field(factory=threading.Event)

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/hook/T0KEN-in-the-path"


@contextmanager
def webhook(context: ssl.SSLContext | None = None) -> Iterator[Hook]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def setup(self) -> None:
            hook.connections += 1
            super().setup()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.got.append(Request(self.path, dict(self.headers.items()), body))
            hook.at()
            if hook.does == "hang":
                hook.released.wait(60)
            elif hook.does == "drop":
                self.connection.shutdown(socket.SHUT_RDWR)
            elif hook.does == "drip":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
                with contextlib.suppress(OSError):
                    while not hook.released.wait(0.1):
                        self.wfile.write(b"x")
            else:
                self.send_response(hook.does)
                if 300 <= hook.does < 400:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()
                self.wfile.write(f"no such hook as {self.path}".encode())

        do_GET = do_POST

        def log_message(self, format: str, *values: Any) -> None: ...

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None: ...

    server = Server(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    hook = Hook(server.server_address[1], context is not None)
    serving = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    serving.start()
    try:
        yield hook
    finally:
        hook.released.set()
        server.shutdown()
        server.server_close()


@attrs.define
class Post:
    """A mail server: what it got and who logged on, in order; *says* is its answer to a mail, *refuses* the recipients
    whom it does not know."""

    port: int = 0
    got: list[tuple[list[str], EmailMessage]] = attrs.field(factory=list)
    logons: list[tuple[str, str, str]] = attrs.field(factory=list)
    says: str = "250 taken"
    refuses: set[str] = attrs.field(factory=set)
    hangs: bool = False
    drops: bool = False

    async def handle_RCPT(self, server: Any, session: Session, envelope: Envelope, address: str, _: Any) -> str:
        if address in self.refuses:
            return f"550 5.1.1 there is no {address}"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.got.append((list(envelope.rcpt_tos), message))
        if self.hangs:
            await asyncio.sleep(60)
        if self.drops:
            server.transport.close()
        return self.says

    def logged_on(self, server: Any, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logons.append((mechanism, data.login.decode(), data.password.decode()))
        return AuthResult(success=not data.password.startswith(b"wr0ng"), handled=False)


@contextmanager
def mail_server(
    context: ssl.SSLContext | None = None,
    *,
    tls: Literal["starttls", "tls", "none"] = "none",
    mechanisms: tuple[str, ...] = ("LOGIN", "PLAIN"),
) -> Iterator[Post]:
    post = Post()
    with socket.create_server(("127.0.0.1", 0)) as free:
        post.port = free.getsockname()[1]
    controller = Controller(
        post,
        hostname="127.0.0.1",
        port=post.port,
        ssl_context=context if tls == "tls" else None,
        tls_context=context if tls == "starttls" else None,
        require_starttls=tls == "starttls",
        authenticator=post.logged_on,
        auth_require_tls=tls == "starttls",
        auth_exclude_mechanism=[each for each in ("LOGIN", "PLAIN") if each not in mechanisms],
    )
    controller.start()
    try:
        yield post
    finally:
        controller.stop()


@contextmanager
def dead_end(*, greets: bytes = b"", closes: bool = False) -> Iterator[int]:
    """The port of a server that takes connections, says *greets*, and nothing more; or ends them."""
    listener = socket.create_server(("127.0.0.1", 0))
    taken: list[socket.socket] = []

    def take() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                taken.append(connection)
                connection.sendall(greets)
                if closes:
                    connection.close()

    threading.Thread(target=take, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()
        for connection in taken:
            connection.close()
