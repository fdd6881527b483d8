"""A clock that moves when everybody who works by it waits."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Sequence

import attrs
import pytest

from easops.at_once import at_once
from easops.clock import Clock, SystemClock
from easops.standing_clock import StandingClock

START = dt.datetime(2026, 11, 24, 17, 0, tzinfo=dt.UTC)


@attrs.define
class Lab:
    """A lab's clock: what calls have cost is added when it is next asked to reach something."""

    seconds: float = 0.0
    costs: float = 0.0
    reached: list[float] = attrs.field(factory=list)

    def reach(self, moment: float) -> float:
        self.seconds = max(self.seconds + self.costs, moment)
        self.costs = 0.0
        self.reached.append(moment)
        return self.seconds


def test_a_wait_moves_it_and_takes_no_time() -> None:
    clock = StandingClock(START, Lab().reach)
    began = time.monotonic()

    clock.sleep(86_400)

    assert clock.now() == START + dt.timedelta(days=1)
    assert clock.monotonic() == 86_400
    assert time.monotonic() - began < 10


def test_it_stands_while_nobody_waits_and_shows_what_calls_have_cost() -> None:
    lab = Lab()
    clock = StandingClock(START, lab.reach)
    assert clock.monotonic() == clock.monotonic() == 0
    lab.costs = 0.5
    assert clock.monotonic() == 0.5
    lab.costs = 0.5
    clock.sleep(10)
    assert clock.monotonic() == 11


@pytest.mark.parametrize("threads", [2, 5])
def test_threads_that_wait_from_the_same_moment_do_not_add_up(threads: int) -> None:
    clock = StandingClock(START, Lab().reach)
    assert at_once(lambda _: waited(clock, 30), range(threads), clock) == [30] * threads
    assert clock.monotonic() == 30


def waited(clock: Clock, seconds: float) -> float:
    clock.sleep(seconds)
    return clock.monotonic()


@pytest.mark.parametrize("slow", [0, 1, 2])
def test_what_each_thread_sees_does_not_depend_on_which_is_the_fastest(slow: int) -> None:
    lab = Lab()
    clock = StandingClock(START, lab.reach)
    waits = ((10, 10, 10), (25, 1), (7,))

    def work(number: int) -> list[float]:
        seen = []
        for seconds in waits[number]:
            if number == slow:
                time.sleep(0.02)
            seen.append(clock.monotonic())
            clock.sleep(seconds)
        return [*seen, clock.monotonic()]

    assert at_once(work, (0, 1, 2), clock) == [[0, 10, 20, 30], [0, 25, 26], [0, 7]]
    assert lab.seconds == 30


def test_what_calls_cost_is_added_when_all_wait_and_not_before() -> None:
    lab = Lab()
    clock = StandingClock(START, lab.reach)

    def work(number: int) -> list[float]:
        lab.costs = max(lab.costs, float(number))  # hosts beside each other: the longest of them
        before = clock.monotonic()
        clock.sleep(10)
        return [before, clock.monotonic()]

    assert at_once(work, (1, 3, 2), clock) == [[0, 13]] * 3


def test_more_work_than_threads_is_taken_in_order_and_does_not_stop_the_clock() -> None:
    clock = StandingClock(START, Lab().reach)
    assert at_once(lambda _: waited(clock, 10), range(40), clock) == [10] * 16 + [20] * 16 + [30] * 8


def test_a_thread_that_ends_with_an_error_leaves_the_others_their_clock() -> None:
    clock = StandingClock(START, Lab().reach)
    ended: list[int] = []

    def work(number: int) -> None:
        if number == 1:
            raise ValueError("one")
        clock.sleep(5)
        ended.append(number)

    with pytest.raises(ValueError, match="one"):
        at_once(work, (0, 1), clock)
    assert ended == [0]
    assert waited(clock, 5) == 10


def test_a_thread_may_split_its_work_again() -> None:
    clock = StandingClock(START, Lab().reach)

    def outer(number: int) -> list[float]:
        if number == 0:
            return [waited(clock, 100)]
        return [*at_once(lambda seconds: waited(clock, seconds), (10, 20), clock), waited(clock, 10)]

    assert at_once(outer, (0, 1), clock) == [[100], [10, 20, 30]]


def test_a_clock_that_is_lost_ends_every_wait() -> None:
    def gone(moment: float) -> float:
        raise OSError("gone")

    clock = StandingClock(START, gone)
    with pytest.raises(OSError, match="gone"):
        at_once(lambda _: clock.sleep(5), (0, 1), clock)
    with pytest.raises(OSError, match="gone"):
        clock.now()


def test_a_thread_that_nobody_counted_waits_too() -> None:
    clock = StandingClock(START, Lab().reach)
    threads = [threading.Thread(target=clock.sleep, args=(30,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert clock.monotonic() >= 30


def test_at_once_gives_the_values_in_order_by_any_clock() -> None:
    def work(number: int) -> int:
        time.sleep(0.01 * (3 - number))
        return number * number

    things: Sequence[int] = (0, 1, 2, 3)
    assert at_once(work, things, SystemClock()) == [0, 1, 4, 9]
    assert at_once(work, (), SystemClock()) == []
