from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from easops.lab.world.scenario import read_scenario
from tests.lab.console import Console, open_small_world


@contextmanager
def console(folder: Path, scenario: str, server: str, **data: Any) -> Iterator[Console]:
    world = open_small_world(folder, scenario, history=600, **data)
    yield Console(world, server)
    world.close()


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Console]:
    """Calls cmdlets on AMS-EX01, in a small world of Exchange 2016."""
    groups = {name: read_scenario("contacts-storm-groups")[name] for name in ("groups", "recipients")}
    with console(tmp_path / "state", "contacts-storm-foreign", "AMS-EX01", **groups) as ask:
        yield ask


@pytest.fixture
def mixed(tmp_path: Path) -> Iterator[Console]:
    """Calls cmdlets on the 2016 server AMS-EX01 of an organisation with 2010 and 2016."""
    with console(tmp_path / "mixed", "contacts-storm-mixed", "AMS-EX01") as ask:
        yield ask


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Console]:
    """Calls cmdlets on the client access server AMS-CAS01 of an Exchange 2010 organisation."""
    with console(tmp_path / "old", "contacts-storm-2010", "AMS-CAS01") as ask:
        yield ask
