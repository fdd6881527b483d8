"""What a pool or a pipeline has to say to its client: written by engine threads, read by Receive."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Sequence

CAPACITY = 4 * 1024 * 1024  # bytes; a writer waits beyond it


class Channel:
    """Fragments in order. ``put`` and ``finish`` from any thread; the rest on the loop's."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._thread = threading.get_ident()
        self._room = threading.Condition()
        self._fragments: deque[bytes] = deque()
        self._size = 0
        self._finished = False
        self._closed = False
        self._bounded = True
        self._waiter: asyncio.Future[bool] | None = None
        self._newest = 0

    def put(self, fragments: Sequence[bytes]) -> None:
        """Add; another thread than the loop's waits while the client has not fetched ``CAPACITY`` bytes."""
        with self._room:
            if threading.get_ident() != self._thread:
                while self._bounded and self._size >= CAPACITY and not self._closed:
                    self._room.wait()
            if self._closed:
                return
            self._fragments.extend(fragments)
            self._size += sum(map(len, fragments))
        self._wake()

    def finish(self) -> None:
        """Nothing comes any more."""
        with self._room:
            self._finished = True
        self._wake()

    def unbound(self) -> None:
        """Writers wait no more: the client stops them, and will not fetch before they have stopped."""
        with self._room:
            self._bounded = False
            self._room.notify_all()

    def close(self) -> None:
        """Nobody reads any more: writers go on into nothing, a waiting ``take`` ends."""
        with self._room:
            self._closed = True
            self._fragments.clear()
            self._room.notify_all()
        self._release(False)

    async def take(self, limit: int, timeout: float) -> tuple[list[bytes], bool] | None:
        """Up to *limit* bytes (one fragment at least), and whether that was all there will be.

        None: nothing came within *timeout* seconds, the channel was closed, or a newer ``take`` came (the older one's
        connection is likely dead, and must not swallow data).
        """
        self._newest += 1
        mine = self._newest
        self._release(False)
        end = self._loop.time() + timeout
        while True:
            # The waiter is there before the look, so a writer in between wakes it.
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
            if not fresh or mine != self._newest:
                return None

    def _fetch(self, limit: int) -> tuple[list[bytes], bool] | None:
        with self._room:
            taken: list[bytes] = []
            size = 0
            while self._fragments and (not taken or size + len(self._fragments[0]) <= limit):
                fragment = self._fragments.popleft()
                taken.append(fragment)
                size += len(fragment)
            self._size -= size
            self._room.notify_all()
            complete = self._finished and not self._fragments
        return (taken, complete) if taken or complete else None

    def _wake(self) -> None:
        if self._waiter is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._release, True)

    def _release(self, fresh: bool) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(fresh)
