"""A proxy that resets a connection, and forwards late what it had received."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import attrs

from easops.inventory.host import Host


@attrs.define
class LateProxy:
    """A proxy for the exchange endpoint of one host.

    The first message after ``hold`` is called is kept, its connection reset, and the message forwarded when *wait*
    returns.
    """

    wait: Callable[[], None]
    listener: socket.socket
    server: tuple[str, int]
    held: int = 0
    _hold: bool = False

    def hold(self) -> None:
        self._hold = True

    def serve(self) -> None:
        with suppress(OSError):  # the listener is closed
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(self.server)
                threading.Thread(target=self._forward, args=(client, server), daemon=True).start()
                threading.Thread(target=self._answer, args=(server, client), daemon=True).start()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                if self._hold:
                    self._hold = False
                    self.held += 1
                    client.settimeout(0.2)
                    with suppress(TimeoutError):
                        while more := client.recv(65536):
                            data += more
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    client.shutdown(socket.SHUT_RD)
                    client.close()
                    self.wait()
                    server.sendall(data)
                    return
                server.sendall(data)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                client.sendall(data)
        with suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)


@contextmanager
def late_proxy(host: Host, wait: Callable[[], None]) -> Iterator[tuple[LateProxy, Host]]:
    """A proxy before the exchange endpoint of *host*, and the host that is reached through it."""
    assert host.exchange is not None
    parts = urlsplit(host.exchange.url)
    assert parts.hostname is not None
    assert parts.port is not None
    with socket.create_server((parts.hostname, 0)) as listener:
        proxy = LateProxy(wait, listener, (parts.hostname, parts.port))
        threading.Thread(target=proxy.serve, daemon=True).start()
        netloc = f"{parts.hostname}:{listener.getsockname()[1]}"
        url = parts._replace(netloc=netloc).geturl()
        yield proxy, attrs.evolve(host, exchange=attrs.evolve(host.exchange, url=url))
