"""The machine's clock is the lab's: in this process, and in every process that a test starts.

A lab whose clock stands is moved by whoever waits. A client that waits by the machine's clock would wait for ever, so
``machine_clock(world)`` gives it the lab's: it replaces what ``SystemClock()`` makes here, and has ``sitecustomize`` of
this folder do the same in each Python that is started meanwhile, however deep (a shell, Ansible, a script of a page).
"""

from __future__ import annotations

import os
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
import pytest

from easops.clock import SystemClock
from easops.lab.world import World
from easops.standing_clock import StandingClock

VARIABLE = "EASOPS_TEST_CLOCK"
"""Says to child processes on which port of this machine the clock is served."""


@attrs.frozen
class MachineClock:
    """The clock of a world that stands, served on *port*. *clock* is the one of this process."""

    clock: StandingClock
    port: int

    @contextmanager
    def installed(self) -> Iterator[StandingClock]:
        """For the time of the block it is the clock of this machine."""
        path = os.pathsep.join([str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])])
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(VARIABLE, str(self.port))
            patch.setenv("PYTHONPATH", path)
            patch.setattr(SystemClock, "__new__", lambda cls: self.clock)
            yield self.clock


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    world: World


class _Client(socketserver.StreamRequestHandler):
    """Tells when the world began, then for each moment that a client reaches what the clock shows."""

    def handle(self) -> None:
        assert isinstance(self.server, _Server)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        world = self.server.world
        self.wfile.write(f"{world.start!r}\n".encode())
        for line in self.rfile:
            self.wfile.write(f"{world.reach(float(line))!r}\n".encode())


@contextmanager
def served_clock(world: World) -> Iterator[MachineClock]:
    """The clock of *world*, served until the end of the block."""
    with _Server(("127.0.0.1", 0), _Client) as server:
        server.world = world
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        start = world.clock.elapsed()
        clock = StandingClock(world.now(), lambda moment: world.reach(start + moment) - start)
        try:
            yield MachineClock(clock, server.server_address[1])
        finally:
            server.shutdown()


@contextmanager
def machine_clock(world: World) -> Iterator[StandingClock]:
    """For the time of the block the clock of this machine is that of *world*, which stands."""
    with served_clock(world) as served, served.installed() as clock:
        yield clock
