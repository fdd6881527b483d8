"""Whether work grows with its input, and not with its square."""

from __future__ import annotations

import time
from collections.abc import Callable

_FLOOR = 0.002
"""Seconds of this thread's processor time below which a measurement says nothing."""


def growth(work: Callable[[int], object], size: int) -> float:
    """How many times as long it takes for four times the input: about 4 if it is linear, and 16 if it is quadratic."""
    small, large = _fastest(work, size), _fastest(work, 4 * size)
    return large / max(small, _FLOOR)


LINEAR = 10.0
"""What lies far from both."""


def _fastest(work: Callable[[int], object], size: int) -> float:
    times = []
    for _ in range(3):
        began = time.thread_time()
        work(size)
        times.append(time.thread_time() - began)
    return min(times)
