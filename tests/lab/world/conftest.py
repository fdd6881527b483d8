"""Small worlds for tests: few mailboxes, a quarter of an hour of history, a clock that stands until it is moved."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from easops.lab.cmdlet import Call
from easops.lab.cmdlets import CMDLETS
from easops.lab.scripts import SCRIPTS
from easops.lab.signatures.table import SignatureTable
from easops.lab.value import CmdletFailed, ErrorInfo
from easops.lab.world import World
from easops.lab.world.scenario import read_scenario
from easops.lab.world.state import Beginning, StateFolder

START = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)


class Asked:
    """A world, and a way to ask it as the engine does: bound by the law of the server's version."""

    def __init__(self, world: World) -> None:
        self.world = world

    def __call__(
        self, cmdlet: str, *, at: str = "AMS-EX01", piped: tuple[Any, ...] = (), **parameters: Any
    ) -> list[Any]:
        endpoint = CMDLETS[cmdlet].endpoint
        signatures = SignatureTable(self.world.servers[at].product.version)
        name, bound = signatures.bind(endpoint, cmdlet, list(parameters.items()), piped=bool(piped))
        return self.world.perform(CMDLETS[name], Call(at, "CONTOSO\\admin", name, bound, piped))

    def error(self, cmdlet: str, **parameters: Any) -> ErrorInfo:
        """The error that the call ends in."""
        with pytest.raises(CmdletFailed) as failed:
            self(cmdlet, **parameters)
        return failed.value.error

    def log(self, server: str = "AMS-EX01", site: int = 2) -> str:
        """All lines of a site's log files."""
        self.world.flush()
        files = sorted(self.world.servers[server].logs[site].folder.glob("*.log"))
        return "".join(file.read_bytes().decode() for file in files)


OpenWorld = Callable[..., Asked]


@pytest.fixture
def open_world(tmp_path: Path) -> Iterator[OpenWorld]:
    """Opens a small world in ``tmp_path/state``, or the one that is there; keywords change the scenario's data."""
    opened: list[World] = []

    def open_(
        scenario: str = "contacts-storm", *, folder: str = "state", read_only: bool = False, **data: Any
    ) -> Asked:
        path = tmp_path / folder
        if not (path / "world.json").exists():
            state = StateFolder(path)
            held = {**read_scenario(scenario), "mailboxes": 24, "history": 900, **data}
            state.write(Beginning(scenario, held, 7, START.timestamp(), 0.0))
            state.close()
        world = World.open(path, {**CMDLETS, **SCRIPTS}, speed=0.0, read_only=read_only)
        opened.append(world)
        return Asked(world)

    yield open_
    for world in opened:
        world.close()


@pytest.fixture
def storm(open_world: OpenWorld) -> Asked:
    return open_world()
