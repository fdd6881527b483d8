"""Labs that any test may read, each started once per session; and a relay that records traffic."""

from __future__ import annotations

import contextlib
import gc
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
import pytest

from easops.lab import server
from tests.machine_clock import MachineClock, served_clock
from tests.postgresql import PostgresServer, find_binaries, running_postgres, why_none
from tests.preloaded import preloaded


def pytest_collection_finish() -> None:
    """What has been imported and collected stays to the end: the garbage collector need not look at it again."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where several processes share the tests, let each begin with its part of the slow files, so that no long test is
    begun when the others have nothing left to do."""
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    if workers == 1:
        return
    slow: dict[Path, list[pytest.Item]] = {}
    quick: list[pytest.Item] = []
    for item in items:
        if item.get_closest_marker("slow") is not None:
            slow.setdefault(item.path, []).append(item)
        else:
            quick.append(item)
    parts: list[list[pytest.Item]] = [[] for _ in range(workers)]
    # Whole files, because what a file sets up is used by all its tests; those of the most tests first.
    for file in sorted(slow.values(), key=len, reverse=True):
        min(parts, key=len).extend(file)
    place = {file: number for number, file in enumerate(slow)}
    for part in parts:
        part.sort(key=lambda item: place[item.path])
    # xdist gives each process an equal share of the list, in order.
    share = -(-len(items) // workers)
    for part in parts:
        room = max(0, share - len(part))
        part += quick[:room]
        del quick[:room]
    items[:] = [item for part in parts for item in part] + quick


@attrs.frozen
class StandingLab:
    """A lab in this process whose clock stands until somebody waits."""

    inventory: Path
    clock: MachineClock


@contextmanager
def standing_lab(folder: Path, scenario: str, *, read_only: bool = False) -> Iterator[StandingLab]:
    with (
        server.start(folder, scenario=scenario, speed=0, read_only=read_only) as lab,
        served_clock(lab.world) as clock,
    ):
        yield StandingLab(lab.inventory, clock)


@pytest.fixture(scope="session")
def storm_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandingLab]:
    with standing_lab(tmp_path_factory.mktemp("lab"), "contacts-storm") as lab:
        yield lab


@pytest.fixture(scope="session")
def calm_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandingLab]:
    with standing_lab(tmp_path_factory.mktemp("calm"), "calm", read_only=True) as lab:
        yield lab


@pytest.fixture(scope="session")
def commands() -> Iterator[Path]:
    """A folder with an ``easops`` that starts at once; ``easops --script FILE`` executes a Python script likewise."""
    with preloaded() as folder:
        yield folder


@pytest.fixture
def lab(storm_lab: StandingLab) -> Iterator[Path]:
    """The inventory of a lab with a contact-sync storm. Whoever changes it puts it back."""
    with storm_lab.clock.installed():
        yield storm_lab.inventory


@pytest.fixture
def calm(calm_lab: StandingLab) -> Iterator[Path]:
    """The inventory of a lab with nothing wrong, in which no change is accepted."""
    with calm_lab.clock.installed():
        yield calm_lab.inventory


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server for this test session alone."""
    binaries = find_binaries()
    if binaries is None or sys.platform == "win32":
        pytest.skip(f"{why_none()}")
    with running_postgres(binaries) as server:
        yield server


class Relay:
    """A relay in front of a port of this machine; ``traffic`` is everything that went through it, in both directions.

    With ``spoils`` set, it changes the last byte of the next encrypted answer.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()
        self.port: int = self._listener.getsockname()[1]
        self.traffic = bytearray()
        self.spoils = False
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                with self._lock:
                    self._open += [client, server]
                for source, sink, answers in ((client, server, False), (server, client, True)):
                    threading.Thread(target=self._relay, args=(source, sink, answers), daemon=True).start()

    def _relay(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                with self._lock:
                    self.traffic += data
                    end = data.rfind(b"--Encrypted Boundary--")
                    if self.spoils and answers and end > 0:
                        self.spoils = False
                        data = data[: end - 1] + bytes((data[end - 1] ^ 1,)) + data[end:]
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def cut(self) -> None:
        """Cut every connection, as a firewall cuts idle ones."""
        with self._lock:
            cut, self._open = self._open, []
        for end in cut:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def close(self) -> None:
        self._listener.close()
        self.cut()


@contextmanager
def _relays() -> Iterator[Callable[[int], Relay]]:
    with contextlib.ExitStack() as stack:

        def before(port: int) -> Relay:
            relay = Relay(port)
            stack.callback(relay.close)
            return relay

        yield before


@pytest.fixture
def relay_before() -> Iterator[Callable[[int], Relay]]:
    """Puts a relay in front of a port."""
    with _relays() as before:
        yield before


@pytest.fixture(scope="module")
def module_relay_before() -> Iterator[Callable[[int], Relay]]:
    """The same, for a whole module."""
    with _relays() as before:
        yield before
