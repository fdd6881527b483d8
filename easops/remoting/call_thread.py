"""A thread that makes calls for another one, so that a call cannot take longer than its caller waits."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class CallThread:
    """One thread that makes one call after another. All of pypsrp's calls of a session must come from the same one."""

    def __init__(self, name: str) -> None:
        self._calls: queue.SimpleQueue[tuple[Callable[[], Any], queue.SimpleQueue[Any]] | None] = queue.SimpleQueue()
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def run(self, call: Callable[[], T], seconds: float) -> T:
        """The value or the exception of *call*. Raises TimeoutError after *seconds*; the call then goes on in its
        thread, and its result is dropped."""
        results: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._calls.put((call, results))
        try:
            value, error = results.get(timeout=seconds)
        except queue.Empty:
            raise TimeoutError from None
        if error is not None:
            raise error
        return value  # type: ignore[no-any-return]

    def end(self) -> None:
        """End the thread after the calls that it has been given."""
        self._calls.put(None)

    def _work(self) -> None:
        while (job := self._calls.get()) is not None:
            call, results = job
            try:
                results.put((call(), None))
            except BaseException as error:
                results.put((None, error))


class Progress:
    """How far a call got. What an exception of it means depends on that.

    The caller may stop waiting and report that nothing was sent. From then on the calling thread must not send anything
    any more: ``sending`` raises.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._abandoned = False
        self.sent: bool = False

    def sending(self) -> None:
        """To be called just before the command is sent. Raises TimeoutError if nobody waits for it any more."""
        with self._mutex:
            if self._abandoned:
                raise TimeoutError
            self.sent = True

    def abandon(self) -> None:
        """Nobody waits any more."""
        with self._mutex:
            self._abandoned = True
