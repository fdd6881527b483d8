"""Sessions per host and endpoint, opened when first used and closed together."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from easops.errors import BadInput
from easops.inventory.host import Credential, Host
from easops.remoting.secret import read_secret
from easops.remoting.session import EndpointName, Session
from easops.remoting.trust import CURRENT_USER, Trust


class Sessions(Protocol):
    """Gives sessions to endpoints of hosts."""

    def open(self, host: Host, endpoint: EndpointName) -> Session:
        """The session to that endpoint; connects at its first call. Any thread may use it.

        Raises BadInput where the inventory names no such endpoint for the host.
        """
        ...

    def close(self) -> None: ...


class SessionPool:
    """The sessions of one run: one for each endpoint, kept until ``close``."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sessions: dict[tuple[str, EndpointName], Session] = {}
        self._trust: dict[tuple[str, str], Trust] = {}

    def open(self, host: Host, endpoint: EndpointName) -> Session:
        way_in = host.exchange if endpoint == "exchange" else host.windows
        if way_in is None:
            raise BadInput(
                f"{host.name} has no {endpoint} endpoint",
                "the inventory names none",
                f"add endpoints: {{{endpoint}: {{url: …}}}} to {host.name}",
            )
        with self._lock:
            key = (host.name, endpoint)
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
