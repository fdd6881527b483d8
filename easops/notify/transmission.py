"""One message on its way: how long it may take, and whether it may have arrived."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Mapping

from easops.errors import UnreachableHost
from easops.remoting.secret import Secret
from easops.visible import visible


class Transmission:
    """A message on its way through one channel, until *deadline* (by ``time.monotonic``).

    The sender calls ``begin`` just before the first byte of the message itself. Until then nothing has arrived, and
    sending may be tried again; after that it may have arrived. A message that was given up cannot begin any more.
    """

    def __init__(self, deadline: float, secrets: Mapping[str, Secret]) -> None:
        self.secrets = secrets
        self._deadline = deadline
        self._mutex = threading.Lock()
        self.begun: bool = False
        self._given_up = False

    def seconds_left(self, most: float) -> float:
        """Seconds until the deadline, at most *most*: a timeout. Raises UnreachableHost if there are none."""
        left = min(most, self._deadline - time.monotonic())
        if left <= 0:
            raise _too_late()
        return left

    def begin(self) -> None:
        """Mark that the message is being sent. Raises UnreachableHost if it was given up."""
        with self._mutex:
            if self._given_up:
                raise _too_late()
            self.begun = True

    def give_up(self) -> bool:
        """Prevent that it begins from now on. Returns whether it has begun already."""
        with self._mutex:
            self._given_up = True
            return self.begun

    def without_secrets(self, text: str) -> str:
        """A server's *text* as one short, visible line, without the secrets, in case the server repeats them."""
        for secret in self.secrets.values():
            plain = secret.reveal()
            for form in (plain, base64.b64encode(plain.encode("utf-8", "surrogateescape")).decode()):
                text = text.replace(form, "***")
        words = visible(" ".join(text.split()))
        return words if len(words) <= 200 else f"{words[:197]}..."


def _too_late() -> UnreachableHost:
    return UnreachableHost("the notice was not sent", "its time was up before a connection was established")
