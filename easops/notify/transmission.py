"""One message on its way: how long it may take, and from when on it may have come."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Mapping

from easops.errors import UnreachableHost
from easops.remoting.secret import Secret


class Transmission:
    """A message on its way through one channel, until *ends* (by ``time.monotonic``).

    Whoever sends calls ``begins`` just before the first byte of the message itself: before, nothing has come, and it
    may be tried again; from then on it may have. Once it is given up, it cannot begin any more.
    """

    def __init__(self, ends: float, secrets: Mapping[str, Secret]) -> None:
        self.secrets = secrets
        self._ends = ends
        self._mutex = threading.Lock()
        self.begun: bool = False
        self._given_up = False

    def left(self, most: float) -> float:
        """Seconds that a part of it may take: what is left, *most* at most. Raises UnreachableHost where none is."""
        left = min(most, self._ends - time.monotonic())
        if left <= 0:
            raise self.late()
        return left

    def begins(self) -> None:
        """Raises UnreachableHost where it has been given up."""
        with self._mutex:
            if self._given_up:
                raise self.late()
            self.begun = True

    def give_up(self) -> bool:
        """Let it begin no more; whether it has."""
        with self._mutex:
            self._given_up = True
            return self.begun

    def late(self) -> UnreachableHost:
        return UnreachableHost("the notice was not sent", "its time was over before a connection was there")

    def scrubbed(self, text: str) -> str:
        """A server's words in one line that is not long, without our secrets, should it repeat them."""
        for secret in self.secrets.values():
            plain = secret.reveal()
            for form in (plain, base64.b64encode(plain.encode()).decode()):
                text = text.replace(form, "***")
        words = " ".join("".join(c if c.isprintable() else " " for c in text).split())
        return words if len(words) <= 200 else f"{words[:197]}..."
