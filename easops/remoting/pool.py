"""The sessions to many hosts, each opened at its first use, and all closed together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol, TypeVar

from easops.at_once import at_once
from easops.clock import SystemClock
from easops.errors import BadInput, EasopsError
from easops.inventory.host import Credential, Endpoint, Host
from easops.remoting.secret import ask_passwords, read_secret
from easops.remoting.session import EndpointName, Session
from easops.remoting.trust import CURRENT_USER, Trust

T = TypeVar("T")


class Sessions(Protocol):
    """What opens sessions: a SessionPool, or in a test anything with these methods."""

    def open(self, host: Host, endpoint: EndpointName) -> Session:
        """The session to that endpoint. It connects at its first call; any thread may use it.

        Raises BadInput where the host has no such endpoint in the inventory.
        """
        ...

    def close(self) -> None:
        """Close all sessions."""
        ...


class SessionPool:
    """The sessions to any number of hosts: one for each endpoint, opened at its first use and kept until ``close``.

    ``detect``, ``read_hosts``, ``run``, ``do``, ``resume`` and ``undo`` open and close their own sessions, unless they
    get a pool. With a pool, a script that calls them many times logs on to each endpoint once. If a session breaks, the
    next call opens a new one. Any thread may use the pool; the calls of one session are made one after another.

    The first logon with a credential is alone, and once a server has refused it, the pool does not send it to any other
    server: many failed logons would lock the account.

    Use it in a ``with`` statement, which closes it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sessions: dict[tuple[str, EndpointName, Endpoint], Session] = {}
        self._trust: dict[tuple[str, str], Trust] = {}

    def open(self, host: Host, endpoint: EndpointName) -> Session:
        """The session to the ``exchange`` or ``windows`` endpoint of *host*. It connects at its first call, but its
        password is read now.

        Raises BadInput where the host has no such endpoint in the inventory, or there is no password.
        """
        settings = host.exchange if endpoint == "exchange" else host.windows
        if settings is None:
            raise BadInput(
                f"{host.name} has no {endpoint} endpoint",
                "the inventory has none for it",
                f"add endpoints: {{{endpoint}: {{url: …}}}} to {host.name}",
            )
        with self._lock:
            # The settings too, not only the name: a lab that is started again has the same hosts at other ports.
            key = (host.name, endpoint, settings)
            if key not in self._sessions:
                from easops.remoting.psrp import PsrpSession  # pypsrp costs a quarter of a second

                credential = settings.credential
                password = read_secret(credential) if credential is not None else None
                # A refused ticket does not lock an account, and another host may accept it: no need to share the trust.
                trust = self._shared_trust(credential) if credential is not None else Trust(CURRENT_USER)
                self._sessions[key] = PsrpSession(host.name, endpoint, settings, password, trust)
            return self._sessions[key]

    def _shared_trust(self, credential: Credential) -> Trust:
        key = (credential.username.lower(), credential.reference)
        return self._trust.setdefault(key, Trust(credential.username))

    def close(self) -> None:
        """Close every session on its server, if the server can be reached within 5 s. The pool can be used again."""
        with self._lock:
            sessions, self._sessions = list(self._sessions.values()), {}
        if sessions:
            at_once(lambda session: session.close(), sessions, SystemClock())

    def __enter__(self) -> SessionPool:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # After Ctrl-C or SIGTERM the process should end at once, and not wait for servers.
        if kind is None or issubclass(kind, Exception):
            self.close()


def shared_or_new(sessions: SessionPool | None) -> AbstractContextManager[SessionPool]:
    """The caller's pool, which stays open; without one, a new pool that is closed at the end of the block."""
    return SessionPool() if sessions is None else nullcontext(sessions)


def read_hosts(
    hosts: Sequence[Host],
    read: Callable[[Session], T],
    *,
    endpoint: EndpointName = "windows",
    sessions: SessionPool | None = None,
) -> dict[str, T | EasopsError]:
    """Read many hosts at once: the value of *read* for each host, or its error.

    ``read_hosts(hosts, read_worker_processes)`` reads up to 16 hosts at the same time. An error of one host does not
    affect the others.

    Args:
        hosts: the hosts of an inventory, or some of them (``Inventory.select``).
        read: called with the session to a host, in a thread of its own: one of the functions of ``easops.iis``,
            ``easops.exchange`` or ``easops.logs``, or your own. It should only read; for a change use ``do``, which
            records it and can undo it.
        endpoint: ``windows`` or ``exchange``.
        sessions: a pool, which stays open; without one, sessions are opened and closed again.

    Returns:
        For each host's name, in the order of *hosts*, the value or the ``EasopsError``; tell them apart with
        ``isinstance(value, EasopsError)``.

    Raises:
        BadInput: a password must be asked for, and there is no terminal. Errors of a host are returned, not raised.
    """
    ask_passwords(hosts)
    with shared_or_new(sessions) as pool:

        def answer(host: Host) -> T | EasopsError:
            try:
                return read(pool.open(host, endpoint))
            except EasopsError as error:
                return error

        return dict(zip((host.name for host in hosts), at_once(answer, hosts, SystemClock()), strict=True))
