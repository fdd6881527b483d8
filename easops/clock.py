"""The one clock that all waits go through: this machine's, or in a lab run the lab's; and the text of a wait."""

from __future__ import annotations

import datetime as dt
import re
import time
from typing import Final, Protocol


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


class Waiting(str):
    """A text of progress that says what is waited for, how long by now, and how long at most.

    *subject* is it without *times*; *about* is the same for all texts of one wait, whose subject may change.
    """

    subject: str
    times: str
    about: str

    def __new__(cls, subject: str, so_far: float, at_most: float | None = None, *, about: str = "") -> Waiting:
        """*so_far* and *at_most* are seconds; None is without end."""
        limit = "" if at_most is None else f"at most {lasted(at_most)}"
        times = " of ".join(part for part in (lasted(so_far) if so_far >= 1 else "", limit) if part)
        waiting = super().__new__(cls, f"{subject} ({times})" if times else subject)
        waiting.subject, waiting.times, waiting.about = subject, times, about or subject
        return waiting


def lasted(seconds: float) -> str:
    """How long something took: ``0.4 s``, ``45 s``, ``12 min``."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 119.5:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"


_RECORDED: Final = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+)?\+00:00")


def readable_time(text: str) -> str:
    """``2026-11-24 17:05:09Z`` of a time in UTC as records have it; any other text as it is."""
    return _RECORDED.sub(r"\1 \2Z", text) if _RECORDED.fullmatch(text) else text
