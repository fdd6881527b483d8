"""Virtual time in one thread: work that waits gives way to whatever is due first.

Each piece of work is a greenlet, so the product's code runs in it as it is, and gives way where it waits or calls a
server. What is due at the same moment goes in an order that the seed chooses.
"""

from __future__ import annotations

import datetime as dt
import heapq
import random
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import attrs
from greenlet import getcurrent, greenlet

from easops.clock import Clock

T = TypeVar("T")
R = TypeVar("R")

_LONGEST: float = 48 * 3600.0
"""Seconds of virtual time after which an incident counts as one that does not end."""


class DoesNotEnd(AssertionError):
    """An incident goes on and on."""


@attrs.define(eq=False)
class Task:
    """One piece of work: its *value* or *error* once it has *ended*. *owner* is the process that it belongs to."""

    owner: Any
    greenlet: Any = None
    ended: bool = False
    value: Any = None
    error: BaseException | None = None
    waiting: list[Task] = attrs.field(factory=list)


class Scheduler:
    """The tasks of an incident. *reach* moves the world to a moment, in seconds since the start, and gives what its
    clock shows then."""

    def __init__(self, rng: random.Random, reach: Callable[[float], float]) -> None:
        self.now: float = 0.0
        self._rng = rng
        self._reach = reach
        self._due: list[tuple[float, float, int, Task]] = []
        self._count = 0
        self._hub = getcurrent()
        self._current: Task | None = None

    @property
    def owner(self) -> Any:
        """The process whose work runs now."""
        return None if self._current is None else self._current.owner

    def spawn(self, work: Callable[[], Any], owner: Any) -> Task:
        """Begin *work*, now at the earliest."""
        task = Task(owner)

        def run() -> None:
            try:
                task.value = work()
            except BaseException as error:
                task.error = error
            task.ended = True
            for other in task.waiting:
                self._add(self.now, other)

        task.greenlet = greenlet(run, self._hub)
        self._add(self.now, task)
        return task

    def _add(self, moment: float, task: Task) -> None:
        self._count += 1
        heapq.heappush(self._due, (moment, self._rng.random(), self._count, task))

    def wait(self, seconds: float) -> None:
        """Give way for so long."""
        task = self._current
        assert task is not None, "only a task waits"
        self._add(self.now + max(0.0, seconds), task)
        self._hub.switch()

    def join(self, task: Task) -> Any:
        """The value of another task, once it has ended. Raises what it raised."""
        here = self._current
        assert here is not None
        while not task.ended:
            task.waiting.append(here)
            self._hub.switch()
        if task.error is not None:
            raise task.error
        return task.value

    def run(self, task: Task) -> None:
        """Let everything happen until *task* has ended."""
        while not task.ended:
            assert self._due, "everybody waits for somebody"
            moment, _, _, due = heapq.heappop(self._due)
            if due.ended:
                continue
            if moment > self.now:
                self.now = max(moment, self._reach(moment))
            if self.now > _LONGEST:
                raise DoesNotEnd(f"it goes on after {self.now / 3600:.0f} h")
            self._current = due
            due.greenlet.switch()
            self._current = None

    def end(self, owner: Any) -> None:
        """The tasks of a process that has died: what is left of them never goes on."""
        for _, _, _, task in self._due:
            if task.owner is owner:
                task.ended = True

    def each(self, work: Callable[[T], R], things: Sequence[T], clock: Clock) -> list[R]:
        """As ``easops.at_once.at_once``, in an order that the seed chooses."""
        tasks = [self.spawn(lambda thing=thing: work(thing), self.owner) for thing in things]  # type: ignore[misc]
        results, errors = [], []
        for task in tasks:
            try:
                results.append(self.join(task))
            except Exception as error:
                errors.append(error)
        if errors:
            raise errors[0]
        return results


@attrs.frozen
class VirtualClock:
    """The clock of the machine on which easops runs; *start* is its time at the start."""

    scheduler: Scheduler
    start: dt.datetime

    def now(self) -> dt.datetime:
        return self.start + dt.timedelta(seconds=self.scheduler.now)

    def monotonic(self) -> float:
        return self.scheduler.now

    def sleep(self, seconds: float) -> None:
        self.scheduler.wait(seconds)
