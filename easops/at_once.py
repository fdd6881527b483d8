"""One piece of work for each of many things, several at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Final, Protocol, TypeVar

from easops.clock import Clock
from easops.standing_clock import StandingClock

T = TypeVar("T")
R = TypeVar("R")


class AtOnce(Protocol):
    """Does one piece of work for each of many things, several at once where it can: see ``at_once``."""

    def __call__(self, work: Callable[[T], R], things: Sequence[T], clock: Clock, /) -> list[R]: ...


AT_ONCE: Final = 16
"""Hosts that are read at one time, each by a thread of its own."""


def at_once(work: Callable[[T], R], things: Sequence[T], clock: Clock) -> list[R]:
    """``work(thing)`` of each, up to 16 at once, in the order of *things*; the clock is the one that *work* waits by.

    Raises what *work* raised, for the first of *things* that it did so for, when all that was begun has ended.
    """
    if not things:
        return []
    threads = min(AT_ONCE, len(things))
    taking = threading.Lock()
    left = iter(enumerate(things))
    results: dict[int, R] = {}
    errors: dict[int, BaseException] = {}

    def take() -> tuple[int, T] | None:
        with taking:
            return None if errors else next(left, None)

    def run(ended: Callable[[], None] | None) -> None:
        try:
            while (taken := take()) is not None:
                at, thing = taken
                try:
                    results[at] = work(thing)
                except BaseException as error:  # raised by the thread that asked for the work
                    errors[at] = error
        finally:
            if ended is not None:
                ended()

    split = clock.split(threads) if isinstance(clock, StandingClock) else nullcontext()
    with split as ended, ThreadPoolExecutor(threads) as pool:
        for _ in range(threads):
            pool.submit(run, ended)
    if errors:
        raise errors[min(errors)]
    return [results[at] for at in range(len(things))]
