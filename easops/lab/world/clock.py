"""The world's clock: real time, sped up, or moved by hand."""

from __future__ import annotations

import time


class WorldClock:
    """Seconds of world time since the world's start. At speed 0 it stands, and only ``advance`` moves it."""

    def __init__(self, elapsed: float, speed: float) -> None:
        self.speed = speed
        self._elapsed = elapsed
        self._origin = time.monotonic()

    def elapsed(self) -> float:
        return self._elapsed + (time.monotonic() - self._origin) * self.speed

    def advance(self, seconds: float) -> None:
        self._elapsed += seconds

    def stop(self) -> float:
        """Stand still from now on; gives what it shows."""
        self._elapsed = self.elapsed()
        self.speed = 0.0
        return self._elapsed
