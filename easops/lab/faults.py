"""Faults on demand: dropped connections, delays, other answers, quota faults, expired shells."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Collection
from typing import Literal

import attrs

Point = Literal["command", "acknowledgement", "result"]
"""When a fault happens to a pipeline.

``command``: before it starts. ``acknowledgement``: it runs, and the answer to the message that started it is lost.
``result``: it has run, and the answer with its state is lost (the client gets it if it sends the same Receive again).
"""


Verb = Literal["Create", "Command", "Receive", "Send", "Signal", "Delete"]
"""The messages of WS-Management that a client sends."""


class ConnectionDropped(Exception):
    """Close the connection instead of answering. *reset*: with a reset (RST), as a firewall or a crash does."""

    def __init__(self, what: str, *, reset: bool = False) -> None:
        super().__init__(what)
        self.reset = reset


@attrs.frozen
class Reply:
    """An answer of HTTP in place of the right one. *code* makes it a SOAP fault of WSMan with *text*; without it *text*
    is the body."""

    status: int
    text: str = ""
    code: int | None = None
    content_type: str = "text/html"
    headers: tuple[tuple[str, str], ...] = ()


Break = Reply | Literal["close", "reset"] | float
"""What happens to a message: another answer, a connection that is closed or reset, or a delay in seconds."""


@attrs.define
class _Broken:
    verb: Verb
    what: Break
    effect: bool
    server: str | None
    times: int = 1
    skip: int = 0


@attrs.define
class _Planned:
    point: Point
    cmdlet: str | None
    times: int
    seconds: float | None  # None: drop


class Faults:
    """The planned faults; may be added to from any thread. *cmdlet* None: the next pipeline, whatever it calls."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._planned: list[_Planned] = []
        self._refusals: dict[str | None, int] = {}
        self._ages: dict[str | None, int] = {}
        self._broken: list[_Broken] = []
        self._executors: dict[str, str] = {}
        self._no_idle_time = False

    def drop(self, point: Point, *, cmdlet: str | None = None, times: int = 1) -> None:
        """Drop the connection the next *times* times that a pipeline with *cmdlet* is at *point*."""
        with self._lock:
            self._planned.append(_Planned(point, cmdlet, times, None))

    def delay(self, point: Point, seconds: float, *, cmdlet: str | None = None, times: int = 1) -> None:
        """Delay it there by *seconds* of real time."""
        with self._lock:
            self._planned.append(_Planned(point, cmdlet, times, seconds))

    def at_message(
        self, verb: Verb, what: Break, *, effect: bool, server: str | None = None, times: int = 1, skip: int = 0
    ) -> None:
        """Break the next *times* messages of *verb*, after *skip* of them. *effect* says whether the server has acted
        on the message by then."""
        with self._lock:
            self._broken.append(_Broken(verb, what, effect, server, times, skip))

    def broken(self, server: str, verb: str, *, effect: bool) -> Break | None:
        """What is planned for this message of *verb*, before or after its *effect*; counts it."""
        with self._lock:
            for planned in self._broken:
                if planned.verb != verb or planned.effect != effect or planned.server not in (None, server):
                    continue
                if planned.skip:
                    planned.skip -= 1
                    continue
                planned.times -= 1
                self._broken = [other for other in self._broken if other.times > 0]
                return planned.what
            return None

    def clear(self) -> None:
        """Forget what is planned and has not happened yet."""
        with self._lock:
            self._planned, self._broken = [], []
            self._executors.clear()
            self._refusals.clear()
            self._no_idle_time = False

    def refuse_idle_times(self) -> None:
        """Refuse every shell for which the client asks for an idle time of its own."""
        self._no_idle_time = True

    @property
    def refuses_idle_times(self) -> bool:
        return self._no_idle_time

    def refuse_shells(self, times: int = 1, *, server: str | None = None) -> None:
        """Refuse the next *times* attempts to open a shell, as if the user had too many of them."""
        with self._lock:
            self._refusals[server] = self._refusals.get(server, 0) + times

    def execute_elsewhere(self, server: str, by: str) -> None:
        """Let the server *by* execute the exchange sessions that are opened at *server* from now on."""
        self._executors[server] = by

    def executor(self, server: str) -> str:
        """The server that executes an exchange session that is opened at *server*."""
        return self._executors.get(server, server)

    def expire_shells(self, *, server: str | None = None) -> None:
        """Lose every shell that is open now (on *server*, or everywhere), as after its idle time or a recycle."""
        with self._lock:
            self._ages[server] = self._ages.get(server, 0) + 1

    def age(self, server: str) -> int:
        """How often ``expire_shells`` was called for *server*: a shell that is older than the last call is lost."""
        with self._lock:
            return self._ages.get(server, 0) + self._ages.get(None, 0)

    def refuses_shell(self, server: str) -> bool:
        """Whether to refuse this attempt to open a shell; counts it."""
        with self._lock:
            for key in (server, None):
                if self._refusals.get(key, 0):
                    self._refusals[key] -= 1
                    return True
            return False

    async def at(self, point: Point, cmdlets: Collection[str]) -> None:
        """A pipeline of *cmdlets* is at *point*. Waits, or raises ConnectionDropped, where that is planned."""
        for planned in self._due(point, {name.lower() for name in cmdlets}):
            if planned.seconds is None:
                raise ConnectionDropped(f"{point} of {', '.join(cmdlets)}")
            await asyncio.sleep(planned.seconds)

    def _due(self, point: Point, names: Collection[str]) -> list[_Planned]:
        """The faults that are planned here, delays first, as a drop ends the request."""
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
