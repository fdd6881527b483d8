"""Sessions per host and endpoint, opened when first used and closed together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from typing import Final, Protocol, TypeVar

from easops.errors import BadInput, EasopsError
from easops.inventory.host import Credential, Endpoint, Host
from easops.remoting.secret import ask_passwords, read_secret
from easops.remoting.session import EndpointName, Session
from easops.remoting.trust import CURRENT_USER, Trust

T = TypeVar("T")

AT_ONCE: Final = 16
"""How many hosts are read at once."""


class Sessions(Protocol):
    """Gives sessions to endpoints of hosts."""

    def open(self, host: Host, endpoint: EndpointName) -> Session:
        """The session to that endpoint; connects at its first call. Any thread may use it.

        Raises BadInput where the inventory names no such endpoint for the host.
        """
        ...

    def close(self) -> None: ...


class SessionPool:
    """The sessions to any number of hosts: one for each endpoint, opened at its first use and kept until ``close``.

    ``detect``, ``read_hosts``, ``run``, ``do``, ``resume`` and ``undo`` open sessions of their own and close them at
    their end, unless they are given a pool: a script that calls them again and again then logs on once to each
    endpoint. A session that broke is opened anew by the next call. Any thread may use the pool; the calls of one
    session are made one after another.

    A credential's first use is alone, and once a server has refused its logon the pool sends it nowhere any more.

    It is a context manager, which closes the pool at its end.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sessions: dict[tuple[str, EndpointName, Endpoint], Session] = {}
        self._trust: dict[tuple[str, str], Trust] = {}

    def open(self, host: Host, endpoint: EndpointName) -> Session:
        """The session to the ``exchange`` or ``windows`` endpoint of *host*, whose password is read now. It connects at
        its first call. Raises BadInput where the inventory names no such endpoint, or its password is not found."""
        way_in = host.exchange if endpoint == "exchange" else host.windows
        if way_in is None:
            raise BadInput(
                f"{host.name} has no {endpoint} endpoint",
                "the inventory names none",
                f"add endpoints: {{{endpoint}: {{url: …}}}} to {host.name}",
            )
        with self._lock:
            key = (host.name, endpoint, way_in)  # a lab that is started again has its hosts at other ports
            if key not in self._sessions:
                from easops.remoting.psrp import PsrpSession  # pypsrp costs a quarter of a second

                credential = way_in.credential
                password = read_secret(credential) if credential is not None else None
                # A ticket is refused by one host, for its own reasons, and locks nobody out.
                trust = self._trusted(credential) if credential is not None else Trust(CURRENT_USER)
                self._sessions[key] = PsrpSession(host.name, endpoint, way_in, password, trust)
            return self._sessions[key]

    def _trusted(self, credential: Credential) -> Trust:
        key = (credential.username.lower(), credential.reference)
        return self._trust.setdefault(key, Trust(credential.username))

    def close(self) -> None:
        """Close every session on its server, as far as it can be reached within 5 s. The pool can be used again."""
        with self._lock:
            sessions, self._sessions = list(self._sessions.values()), {}
        if sessions:
            with ThreadPoolExecutor(min(16, len(sessions))) as closing:
                list(closing.map(lambda session: session.close(), sessions))

    def __enter__(self) -> SessionPool:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None or issubclass(kind, Exception):  # who is told to stop waits for no farewell
            self.close()


def shared_or_new(sessions: SessionPool | None) -> AbstractContextManager[SessionPool]:
    """The pool that a caller keeps, which stays open; without one, a pool that is closed at the end of the block."""
    return SessionPool() if sessions is None else nullcontext(sessions)


def read_hosts(
    hosts: Sequence[Host],
    read: Callable[[Session], T],
    *,
    endpoint: EndpointName = "windows",
    sessions: SessionPool | None = None,
) -> dict[str, T | EasopsError]:
    """Read many hosts at once: what *read* gives for each, or the error that it met, by the host's name.

    ``read_hosts(hosts, read_worker_processes)`` asks up to 16 hosts at once and loses no answer because of another
    host's error.

    Args:
        hosts: those of an inventory, or some of them (``Inventory.select``).
        read: is given the session to a host, in a thread of its own; one of the functions of ``easops.iis``,
            ``easops.exchange`` or ``easops.logs``, or your own. It should only read: a change belongs into ``do``,
            which records it and can undo it.
        endpoint: ``windows`` or ``exchange``.
        sessions: a pool that stays open; without one, sessions are opened and closed again.

    Returns:
        The hosts by name, in their order: the value, or the ``EasopsError``. ``isinstance(got, EasopsError)`` tells.

    Raises:
        BadInput: a password is to be asked, and there is no terminal. What a host meets is never raised.
    """
    ask_passwords(hosts)
    with shared_or_new(sessions) as pool:

        def answer(host: Host) -> T | EasopsError:
            try:
                return read(pool.open(host, endpoint))
            except EasopsError as error:
                return error

        with ThreadPoolExecutor(max(1, min(AT_ONCE, len(hosts)))) as reading:
            return dict(zip((host.name for host in hosts), reading.map(answer, hosts), strict=True))
