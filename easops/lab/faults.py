"""What goes wrong on demand: dropped connections, delays, quota faults, expired shells."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Collection
from typing import Literal

import attrs

Point = Literal["command", "acknowledgement", "result"]
"""Where in an exchange: ``command``, before the pipeline is handed to the engine (nothing runs); ``acknowledgement``,
it runs, and the answer to the message that started it is lost; ``result``, it has run, and the answer that would say
so is lost (the same Receive sent again gets it)."""


class ConnectionDropped(Exception):
    """The front closes the connection instead of answering."""


@attrs.define
class _Planned:
    point: Point
    cmdlet: str | None
    times: int
    seconds: float | None  # None: drop


class Faults:
    """A list of accidents to come; safe to add to from any thread. *cmdlet* None: whichever comes first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._planned: list[_Planned] = []
        self._refusals: dict[str | None, int] = {}
        self._ages: dict[str | None, int] = {}

    def drop(self, point: Point, *, cmdlet: str | None = None, times: int = 1) -> None:
        """Drop the connection the next *times* times that a pipeline with *cmdlet* comes to *point*."""
        with self._lock:
            self._planned.append(_Planned(point, cmdlet, times, None))

    def delay(self, point: Point, seconds: float, *, cmdlet: str | None = None, times: int = 1) -> None:
        """Hold it there for *seconds* of real time."""
        with self._lock:
            self._planned.append(_Planned(point, cmdlet, times, seconds))

    def refuse_shells(self, times: int = 1, *, server: str | None = None) -> None:
        """Answer the next *times* attempts to open a shell with the fault of the concurrent shells' quota."""
        with self._lock:
            self._refusals[server] = self._refusals.get(server, 0) + times

    def expire_shells(self, *, server: str | None = None) -> None:
        """Every shell that is open now (on *server*, or anywhere) is lost, as after its idle time or a recycle."""
        with self._lock:
            self._ages[server] = self._ages.get(server, 0) + 1

    def age(self, server: str) -> int:
        """Grows with each ``expire_shells`` that concerns *server*."""
        with self._lock:
            return self._ages.get(server, 0) + self._ages.get(None, 0)

    def refuses_shell(self, server: str) -> bool:
        """Whether this attempt is to be refused; counts it."""
        with self._lock:
            for key in (server, None):
                if self._refusals.get(key, 0):
                    self._refusals[key] -= 1
                    return True
            return False

    async def at(self, point: Point, cmdlets: Collection[str]) -> None:
        """A pipeline of *cmdlets* has come to *point*. Raises ConnectionDropped where that is planned."""
        for planned in self._due(point, {name.lower() for name in cmdlets}):
            if planned.seconds is None:
                raise ConnectionDropped(f"{point} of {', '.join(cmdlets)}")
            await asyncio.sleep(planned.seconds)

    def _due(self, point: Point, names: Collection[str]) -> list[_Planned]:
        """What is planned here, delays first: a drop ends it."""
        with self._lock:
            found = [
                planned
                for planned in self._planned
                if planned.point == point and (planned.cmdlet is None or planned.cmdlet.lower() in names)
            ]
            for planned in found:
                planned.times -= 1
            self._planned = [planned for planned in self._planned if planned.times > 0]
        return sorted(found, key=lambda planned: planned.seconds is None)
