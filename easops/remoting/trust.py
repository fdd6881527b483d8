"""What is known about a credential: it works, it was refused, or nobody has tried it yet."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from easops.errors import AccessRefused

CURRENT_USER = "the current user"
"""Who logs on if the endpoint has no credential."""


class Trust:
    """Keeps a wrong password from locking the account.

    The first logon with a credential is alone: the others wait for its outcome. Once a logon was refused, the
    credential is not sent to any other host: after a failed logon at each host the domain would lock the account.
    """

    def __init__(self, username: str) -> None:
        self._username = username
        self._lock = threading.Lock()
        self._proven = False
        self._refused_by: str | None = None

    @property
    def proven(self) -> bool:
        """Whether a logon has succeeded."""
        return self._proven

    @contextmanager
    def use(self, where: str) -> Iterator[None]:
        """Around a logon at *where*. After an earlier refusal it raises AccessRefused, and nothing is sent."""
        with ExitStack() as alone:
            if not self._proven:
                alone.enter_context(self._lock)
            if self._refused_by is not None:
                raise AccessRefused(
                    f"{where}: the logon of {self._username} was not tried",
                    f"{self._refused_by} refused it, and more attempts could lock the account",
                    "correct the user name, or the password that the inventory refers to",
                    reason="logon",
                )
            yield
            self._proven = True

    def refused(self, where: str) -> None:
        """Note that the logon at *where* was refused."""
        self._refused_by = where
