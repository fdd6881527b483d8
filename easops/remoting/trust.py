"""What a run knows of a credential: proven, refused, or not tried yet."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from easops.errors import AccessRefused

CURRENT_USER = "the current user"
"""Who logs on where the inventory names no credential."""


class Trust:
    """A credential's first use is alone, and once its logon was refused it is sent to no further host: tries times
    hosts would lock the administrator out."""

    def __init__(self, username: str) -> None:
        self._username = username
        self._lock = threading.Lock()
        self._proven = False
        self._refused_by: str | None = None

    @property
    def proven(self) -> bool:
        return self._proven

    @contextmanager
    def use(self, where: str) -> Iterator[None]:
        """Around a logon at *where*. Raises AccessRefused, and nothing is sent, after an earlier refusal."""
        with ExitStack() as alone:
            if not self._proven:
                alone.enter_context(self._lock)
            if self._refused_by is not None:
                raise AccessRefused(
                    f"{where}: the logon of {self._username} was not tried",
                    f"it was refused by {self._refused_by}, and more tries would lock the account",
                    "correct the user name or the password that the inventory refers to",
                    reason="logon",
                )
            yield
            self._proven = True

    def refused(self, where: str) -> None:
        """The logon was refused at *where*."""
        self._refused_by = where
