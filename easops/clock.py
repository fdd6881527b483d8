"""The one clock that all waits go through: ours, or in a lab run the lab's at its speed."""

from __future__ import annotations

import datetime as dt
import time
from typing import Protocol

import attrs


class Clock(Protocol):
    """Seconds that pass, and the time of day that goes with them."""

    def now(self) -> dt.datetime:
        """The time, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""
        ...

    def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """This machine's clock."""

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds))


@attrs.frozen
class FastClock:
    """A lab's clock: at *origin* (our monotonic seconds) it read *start*, and it runs *speed* times as fast."""

    start: dt.datetime
    speed: float
    origin: float = attrs.field(factory=time.monotonic)

    def now(self) -> dt.datetime:
        return self.start + dt.timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return (time.monotonic() - self.origin) * self.speed

    def sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds) / self.speed)
