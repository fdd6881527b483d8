"""The output of a pool or a pipeline until the client fetches it: written by pipeline threads, read by Receive."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Sequence

CAPACITY = 4 * 1024 * 1024  # bytes; a writer waits while more than that is unfetched


class OutputQueue:
    """Fragments in order. ``put`` and ``finish`` may be called from any thread, the rest from the event loop's."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._thread = threading.get_ident()
        self._condition = threading.Condition()
        self._fragments: deque[bytes] = deque()
        self._size = 0
        self._finished = False
        self._closed = False
        self._limited = True
        self._waiter: asyncio.Future[bool] | None = None
        self._newest = 0

    def put(self, fragments: Sequence[bytes]) -> None:
        """Add fragments. Waits while ``CAPACITY`` bytes are unfetched, unless called from the event loop's thread."""
        with self._condition:
            if threading.get_ident() != self._thread:
                while self._limited and self._size >= CAPACITY and not self._closed:
                    self._condition.wait()
            if self._closed:
                return
            self._fragments.extend(fragments)
            self._size += sum(map(len, fragments))
        self._wake()

    def finish(self) -> None:
        """There will be no more output."""
        with self._condition:
            self._finished = True
        self._wake()

    def remove_limit(self) -> None:
        """Let writers go on without waiting: a client that stops a pipeline fetches nothing until it has stopped."""
        with self._condition:
            self._limited = False
            self._condition.notify_all()

    def close(self) -> None:
        """Nobody reads any more: what is written is dropped, and a waiting ``take`` ends."""
        with self._condition:
            self._closed = True
            self._fragments.clear()
            self._condition.notify_all()
        self._release(False)

    async def take(self, limit: int, timeout: float) -> tuple[list[bytes], bool] | None:
        """Up to *limit* bytes (but at least one fragment), and whether the output is complete with them.

        None: there was nothing within *timeout* seconds, the queue was closed, or a newer ``take`` came. The connection
        of the older one is probably dead then; if it took data, they would be lost.
        """
        self._newest += 1
        number = self._newest
        self._release(False)
        end = self._loop.time() + timeout
        while True:
            # Set before the queue is checked, so that a writer in between wakes it.
            waiter = self._waiter = self._loop.create_future()
            if (taken := self._fetch(limit)) is not None:
                self._waiter = None
                return taken
            try:
                async with asyncio.timeout_at(end):
                    fresh = await waiter
            except TimeoutError:
                if self._waiter is waiter:
                    self._waiter = None
                return None
            if not fresh or number != self._newest:
                return None

    def _fetch(self, limit: int) -> tuple[list[bytes], bool] | None:
        with self._condition:
            taken: list[bytes] = []
            size = 0
            while self._fragments and (not taken or size + len(self._fragments[0]) <= limit):
                fragment = self._fragments.popleft()
                taken.append(fragment)
                size += len(fragment)
            self._size -= size
            self._condition.notify_all()
            complete = self._finished and not self._fragments
        return (taken, complete) if taken or complete else None

    def _wake(self) -> None:
        if self._waiter is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._release, True)

    def _release(self, fresh: bool) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(fresh)
