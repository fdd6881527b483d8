"""A small world, asked as the engine asks: bound by the law of 2016."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from easops.lab.cmdlet import Call
from easops.lab.cmdlets import CMDLETS
from easops.lab.law import Law
from easops.lab.value import CmdletFailed, ErrorInfo
from easops.lab.world import World
from easops.lab.world.scenario import read_scenario
from easops.lab.world.state import Beginning, StateFolder


class Ask:
    def __init__(self, world: World) -> None:
        self.world = world
        self._law = Law("2016")

    def __call__(self, cmdlet: str, *, piped: tuple[Any, ...] = (), **parameters: Any) -> list[Any]:
        endpoint = CMDLETS[cmdlet].endpoint
        name, bound = self._law.bind(endpoint, cmdlet, list(parameters.items()), piped=bool(piped))
        return self.world.perform(CMDLETS[name], Call("AMS-EX01", "CONTOSO\\admin", name, bound, piped))

    def error(self, cmdlet: str, **parameters: Any) -> ErrorInfo:
        """The error that the call ends in."""
        with pytest.raises(CmdletFailed) as failed:
            self(cmdlet, **parameters)
        return failed.value.error


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Ask]:
    state = StateFolder(tmp_path / "state")
    groups = {name: read_scenario("contacts-storm-groups")[name] for name in ("groups", "recipients")}
    data = {**read_scenario("contacts-storm-foreign"), **groups, "mailboxes": 24, "history": 600}
    start = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC).timestamp()
    state.write(Beginning("contacts-storm-foreign", data, 7, start, 0.0))
    state.close()
    world = World.open(tmp_path / "state", CMDLETS, speed=0.0)
    yield Ask(world)
    world.close()
