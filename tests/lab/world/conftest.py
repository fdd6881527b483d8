from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from easops.lab.world import World
from tests.lab.console import Console, open_small_world

OpenWorld = Callable[..., Console]


@pytest.fixture
def open_world(tmp_path: Path) -> Iterator[OpenWorld]:
    """Opens a small world in ``tmp_path/state``, or the one that is there; keywords change the scenario's data."""
    opened: list[World] = []

    def open_(
        scenario: str = "contacts-storm", *, folder: str = "state", read_only: bool = False, **data: Any
    ) -> Console:
        world = open_small_world(tmp_path / folder, scenario, read_only=read_only, **data)
        opened.append(world)
        return Console(world)

    yield open_
    for world in opened:
        world.close()


@pytest.fixture
def storm(open_world: OpenWorld) -> Console:
    """A console in a world with a contact-sync storm."""
    return open_world()
