"""The lab's writes (or its calls of another cmdlet), one by one: when each began and ended, and a gate that holds one
of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

WRITE = "Set-CASMailbox"


class Gate:
    """Sees each write of a lab come and go (or each call of another *cmdlet*); calls *at* when the server has done
    number *number*, and holds its answer until ``open`` is called.

    *spans* are ``begin`` and ``end`` in the order in which they happened: two that overlap are two begins in a row.
    *users* are those who were written to, in order.
    """

    def __init__(
        self, lab: Any, number: int | None = None, at: Callable[[], None] = lambda: None, cmdlet: str = WRITE
    ) -> None:
        self.spans: list[str] = []
        self.users: list[str] = []
        self.reached = threading.Event()
        self._opened = threading.Event()
        self._number, self._at, self._cmdlet = number, at, cmdlet
        self._mutex = threading.Lock()
        self._world = lab.world
        self._perform = lab.world.perform
        lab.world.perform = self._seen

    def open(self) -> None:
        self._opened.set()

    def _seen(self, cmdlet: Any, call: Any, *more: Any) -> Any:
        if cmdlet.name != self._cmdlet:
            return self._perform(cmdlet, call, *more)
        with self._mutex:
            self.spans.append("begin")
            number = self.spans.count("begin")
        time.sleep(0.05)  # others get their chance to overlap
        output = self._perform(cmdlet, call, *more)
        self.users.append(self._user(call.parameters["Identity"]))
        if number == self._number:
            self.reached.set()
            self._at()
            self._opened.wait(60)
        self.spans.append("end")
        return output

    def _user(self, identity: str) -> str:
        address: str = self._world.directory.find_mailboxes(identity)[0].smtp
        return address
