"""The world's clock: real time, sped up, or one that stands until it is moved."""

from __future__ import annotations

import time
from typing import Final

CALL_TAKES: Final = 0.25
"""Seconds of world time that a call (one pipeline) takes by a clock that stands: about what one takes in reality. It is
exact in binary, so that sums of it are."""


class WorldClock:
    """Seconds of world time since the world's start. At speed 0 it stands, and only ``advance`` and ``reach`` move it.

    A clock that stands does not move while calls are answered: all that are made before somebody looks at it, or waits,
    have the same moment, whatever their order. What they take is counted instead, the calls of one server one after
    another and those of several servers beside each other, and added by the next ``reach``.
    """

    def __init__(self, elapsed: float, speed: float) -> None:
        self.speed: float = speed
        self._elapsed = elapsed
        self._origin = time.monotonic()
        self._taken: dict[str, float] = {}

    def count_call(self, server: str) -> None:
        """A call of *server* takes its time, which ``reach`` adds."""
        if not self.speed:
            self._taken[server] = self._taken.get(server, 0.0) + CALL_TAKES

    def reach(self, elapsed: float) -> None:
        """Move a clock that stands on by what calls have taken, then to *elapsed* unless it is past that."""
        self._elapsed += max(self._taken.values(), default=0.0)
        self._taken.clear()
        self._elapsed = max(self._elapsed, elapsed)

    def elapsed(self) -> float:
        return self._elapsed + (time.monotonic() - self._origin) * self.speed

    def advance(self, seconds: float) -> None:
        self._elapsed += seconds

    def stop(self) -> float:
        """Stand still from now on; gives what it shows."""
        self._elapsed = self.elapsed()
        self.speed = 0.0
        return self._elapsed
