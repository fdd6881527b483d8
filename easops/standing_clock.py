"""The clock of a lab that waits for nobody: it stands while somebody works, and a wait moves it on.

Time in such a lab is made of two things only: what calls cost (the lab adds that up by itself), and what is waited
for. A wait therefore takes no time of ours. What a run meets must not depend on which of its threads is the faster, so
the clock moves only when all of them wait: then it goes on to the first moment that one of them waits for.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import attrs


@attrs.define(eq=False)
class _Wait:
    seconds: float
    until: float | None = None
    over: bool = False


class StandingClock:
    """A clock that shows *start* at first, and moves by *reach* alone.

    *reach* is given a moment in seconds since *start*. It moves the lab's clock on by what calls have cost since the
    last time, then to that moment unless it is past it, and returns what the clock shows. What it raises is raised by
    whoever looks or waits.

    Threads that work at the same time are to be counted (``split``, for ``easops.at_once``). Two of them that wait 30 s
    from the same moment move the clock 30 s and not 60.
    """

    def __init__(self, start: dt.datetime, reach: Callable[[float], float]) -> None:
        self._start = start
        self._reach = reach
        self._turn = threading.Condition()
        self._seconds = 0.0
        self._threads = 1
        self._splits = 0
        self._waits: list[_Wait] = []
        self._error: Exception | None = None

    def now(self) -> dt.datetime:
        return self._start + dt.timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """Seconds since the start. Among several threads it is the moment at which all of them last waited: what the
        others' calls have cost by now depends on how fast they are."""
        with self._turn:
            if not self._splits:
                self._move_to(self._seconds)
            return self._seconds

    def sleep(self, seconds: float) -> None:
        wait = _Wait(max(0.0, seconds))
        with self._turn:
            self._waits.append(wait)
            try:
                self._go_on()
                while not wait.over:
                    if self._error is not None:
                        raise self._error
                    self._turn.wait()
            finally:
                if wait in self._waits:
                    self._waits.remove(wait)

    @contextmanager
    def split(self, threads: int) -> Iterator[Callable[[], None]]:
        """For the time of the block *threads* threads work in place of this one; each calls the function that is
        yielded when it has ended. There is at least one."""
        left = threads

        def ended() -> None:
            nonlocal left
            with self._turn:
                left -= 1
                if left:  # the last one's place is ours again
                    self._threads -= 1
                    self._go_on()

        with self._turn:
            self._threads += threads - 1
            self._splits += 1
        try:
            yield ended
        finally:
            with self._turn:
                self._threads -= max(0, left - 1)  # never started
                self._splits -= 1

    def _go_on(self) -> None:
        """Move the clock to the first moment that is waited for, where nobody is at work."""
        if not self._waits or len(self._waits) < self._threads:
            return
        try:
            self._move_to(self._seconds)
            moments = []
            for wait in self._waits:
                if wait.until is None:
                    wait.until = self._seconds + wait.seconds
                moments.append(wait.until)
            self._move_to(min(moments))
        except Exception as error:
            self._error = error
        else:
            for wait in self._waits:
                wait.over = wait.until is not None and wait.until <= self._seconds
            self._waits = [wait for wait in self._waits if not wait.over]
        self._turn.notify_all()

    def _move_to(self, moment: float) -> None:
        self._seconds = max(self._seconds, self._reach(moment))
