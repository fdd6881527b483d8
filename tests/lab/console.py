"""A small world, and a console on one of its servers: cmdlets are called as a pipeline calls them, without the wire."""

from __future__ import annotations

import datetime as dt
import functools
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


def open_small_world(path: Path, scenario: str, *, read_only: bool = False, **data: Any) -> World:
    """The world in the folder *path* or, in a new one, a world of 24 mailboxes with a quarter of an hour of history.

    Its clock stands until the test moves it. *data* changes the scenario's data.
    """
    if not (path / "world.json").exists():
        state = StateFolder(path)
        changed = {**read_scenario(scenario), "mailboxes": 24, "history": 900, **data}
        state.write(Beginning(scenario, changed, 7, START.timestamp(), 0.0))
        state.close()
    return World.open(path, {**CMDLETS, **SCRIPTS}, speed=0.0, read_only=read_only)


@functools.cache
def _signatures(version: str) -> SignatureTable:
    return SignatureTable(version)


class Console:
    """Calls cmdlets on *server* of *world*; parameters are bound by the signatures of the server's version."""

    def __init__(self, world: World, server: str = "AMS-EX01") -> None:
        self.world = world
        self.server = server

    def at(self, server: str) -> Console:
        """A console on another server of the same world."""
        return Console(self.world, server)

    def __call__(
        self, cmdlet: str, *, at: str | None = None, piped: tuple[Any, ...] = (), **parameters: Any
    ) -> list[Any]:
        """The output of *cmdlet* on the server *at*, or on this one."""
        server = at or self.server
        signatures = _signatures(self.world.servers[server].product.version)
        endpoint = CMDLETS[cmdlet].endpoint
        name, bound = signatures.bind(endpoint, cmdlet, list(parameters.items()), piped=bool(piped))
        return self.world.perform(CMDLETS[name], Call(server, "CONTOSO\\admin", name, bound, piped))

    def error(self, cmdlet: str, **parameters: Any) -> ErrorInfo:
        """The terminating error of the call."""
        with pytest.raises(CmdletFailed) as failed:
            self(cmdlet, **parameters)
        return failed.value.error

    def log(self, server: str = "AMS-EX01", site: int = 2) -> str:
        """All lines in the log files of a site."""
        self.world.flush()
        disk, folder = self.world.servers[server].disk, self.world.servers[server].logs[site].folder
        files = disk.files(folder) or ()
        return "".join(disk.read(rf"{folder}\{file.name}", 0, file.size).decode() for file in files)
