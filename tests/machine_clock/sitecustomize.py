"""Loaded by each Python that starts with this folder on its path: its machine's clock is the one that a test serves.

See ``tests.machine_clock``. Nothing but the standard library is imported before a clock is asked for.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Mapping
from importlib.abc import Loader, MetaPathFinder
from types import ModuleType
from typing import Any

_MODULE = "easops.clock"


def _served_clock(port: int) -> Any:
    import datetime as dt
    import socket

    from easops.standing_clock import StandingClock

    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
    file = connection.makefile("rw", encoding="ascii", newline="\n")

    def reach(moment: float) -> float:
        file.write(f"{moment!r}\n")
        file.flush()
        return float(file.readline())

    return StandingClock(dt.datetime.fromtimestamp(float(file.readline()), dt.UTC), reach)


class _Replacing(MetaPathFinder, Loader):
    """Loads ``easops.clock`` as ever, then has ``SystemClock()`` give the served clock."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._found: Any = None

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> Any:
        if name != _MODULE:
            return None
        sys.meta_path.remove(self)
        self._found = importlib.util.find_spec(name)
        return None if self._found is None else importlib.util.spec_from_loader(name, self, origin=self._found.origin)

    def create_module(self, spec: Any) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        self._found.loader.exec_module(module)
        _replace(module, self._port)


def _replace(module: ModuleType, port: int) -> None:
    clocks: list[Any] = []

    def served(cls: type) -> Any:
        if not clocks:
            clocks.append(_served_clock(port))
        return clocks[0]

    module.SystemClock.__new__ = served


def install(environment: Mapping[str, str]) -> None:
    """Use the clock that *environment* names, if any: now, or when ``easops.clock`` is loaded."""
    port = environment.get("EASOPS_TEST_CLOCK")
    if not port:
        return
    if _MODULE in sys.modules:
        _replace(sys.modules[_MODULE], int(port))
    else:
        sys.meta_path.insert(0, _Replacing(int(port)))


install(os.environ)
