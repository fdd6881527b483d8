"""The events to come, in the order of their time: what moves the world on."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any


class EventQueue:
    """Events by time; those of one time in the order in which they were added. *time* is in seconds since 1970."""

    def __init__(self, time: float) -> None:
        self.time: float = time
        self._events: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._count = 0

    def add(self, moment: float, event: Callable[..., None], *arguments: Any) -> None:
        """Call *event* with *arguments* when the time is *moment*."""
        self._count += 1
        heapq.heappush(self._events, (moment, self._count, event, arguments))

    def run(self, until: float) -> None:
        """Move the time on to *until*, unless it is past that, and let everything happen that is due."""
        events = self._events
        while events and events[0][0] <= until:
            moment, _, event, arguments = heapq.heappop(events)
            self.time = moment
            event(*arguments)
        self.time = max(self.time, until)
