"""Small worlds, asked as the engine asks: bound by the law of the server's version."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from easops.lab.cmdlet import Call
from easops.lab.cmdlets import CMDLETS
from easops.lab.signatures.table import SignatureTable
from easops.lab.value import CmdletFailed, ErrorInfo
from easops.lab.world import World
from easops.lab.world.scenario import read_scenario
from easops.lab.world.state import Beginning, StateFolder


class Ask:
    """A world, asked at one of its servers."""

    def __init__(self, world: World, server: str) -> None:
        self.world = world
        self.server = server
        self._signatures = SignatureTable(world.servers[server].product.version)

    def at(self, server: str) -> Ask:
        """The same world, asked at another server."""
        return Ask(self.world, server)

    def __call__(self, cmdlet: str, *, piped: tuple[Any, ...] = (), **parameters: Any) -> list[Any]:
        endpoint = CMDLETS[cmdlet].endpoint
        name, bound = self._signatures.bind(endpoint, cmdlet, list(parameters.items()), piped=bool(piped))
        return self.world.perform(CMDLETS[name], Call(self.server, "CONTOSO\\admin", name, bound, piped))

    def error(self, cmdlet: str, **parameters: Any) -> ErrorInfo:
        """The error that the call ends in."""
        with pytest.raises(CmdletFailed) as failed:
            self(cmdlet, **parameters)
        return failed.value.error


@contextmanager
def opened(folder: Path, scenario: str, server: str, **data: Any) -> Iterator[Ask]:
    state = StateFolder(folder)
    held = {**read_scenario(scenario), "mailboxes": 24, "history": 600, **data}
    start = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC).timestamp()
    state.write(Beginning(scenario, held, 7, start, 0.0))
    state.close()
    world = World.open(folder, CMDLETS, speed=0.0)
    yield Ask(world, server)
    world.close()


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Ask]:
    groups = {name: read_scenario("contacts-storm-groups")[name] for name in ("groups", "recipients")}
    with opened(tmp_path / "state", "contacts-storm-foreign", "AMS-EX01", **groups) as ask:
        yield ask


@pytest.fixture
def mixed(tmp_path: Path) -> Iterator[Ask]:
    """An organisation of 2010 and 2016, asked at its 2016 server AMS-EX01."""
    with opened(tmp_path / "mixed", "contacts-storm-mixed", "AMS-EX01") as ask:
        yield ask


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Ask]:
    """An organisation of 2010, asked at its client access server AMS-CAS01."""
    with opened(tmp_path / "old", "contacts-storm-2010", "AMS-CAS01") as ask:
        yield ask
