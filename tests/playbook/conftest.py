"""Runs against a whole lab in this process, whose clock moves when the client waits: no test sleeps."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import attrs
import pytest
from dbos import DBOS

from easops.inventory.load import load_inventory
from easops.lab import server
from easops.lab.world.scenario import read_scenario
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.execution.caller import always
from easops.playbook.language.find import find_playbook
from easops.playbook.record.postgresql import postgresql_url
from easops.playbook.record.run_store import RunStore
from easops.playbook.record.state_folder import StateFolder
from easops.playbook.run import run
from tests.machine_clock import machine_clock
from tests.postgresql import PostgresServer

from . import processes
from .quick_recovery import quick_recovery
from .stage import write_world


@attrs.define
class Rig:
    """A lab, a state folder, and what the tests ask of them."""

    lab: server.Lab
    state: StateFolder

    @property
    def hosts(self) -> Any:
        return load_inventory(self.lab.inventory).hosts

    def cure(self, playbook: str = "contacts-sync-storm", **more: Any) -> RunReport:
        """Run a shipped playbook."""
        more.setdefault("confirm", always)
        return run(find_playbook(playbook), self.hosts, state=self.state, **more)

    def sent(self, *, changing: bool = True) -> list[tuple[str, dict[str, Any]]]:
        """The changing calls that the servers took, in order: name and parameters (or all calls)."""
        name = "changes.jsonl" if changing else "calls.jsonl"
        path = self.lab.folder / name
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [(call["cmdlet"], call["parameters"]) for call in map(json.loads, lines) if "cmdlet" in call]


@pytest.fixture(scope="session")
def prepared_database(postgres: PostgresServer) -> str:
    """The name of a database with every table and no row, to copy: to make them takes the engine a second."""
    name = postgres.new_database()
    url = postgresql_url(postgres.url(name)).reveal()
    RunStore(url).close()
    DBOS.migrate(url)
    return name


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> StateFolder:
    """A state folder whose records and engine are on SQLite, and one where they are on PostgreSQL; both empty.

    Give it to ``rig(..., state=database)``; a child process finds it by ``processes.environment_of(database)``.
    """
    if request.param == "sqlite":
        return StateFolder(tmp_path / "state")
    server: PostgresServer = request.getfixturevalue("postgres")
    name = server.new_database(request.getfixturevalue("prepared_database"))
    return StateFolder(tmp_path / "state", postgresql_url(server.url(name)))


@pytest.fixture(scope="session", autouse=True)
def _quick_start(commands: Path) -> None:
    processes.program[:] = [str(commands / "easops")]


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Rig]]:
    """Starts a lab of a scenario, its clock standing still until somebody waits, with fewer mailboxes than it has."""
    with ExitStack() as stack:
        stack.enter_context(quick_recovery())

        def start(scenario: str, *, read_only: bool = False, state: StateFolder | None = None) -> Rig:
            data = read_scenario(scenario)
            write_world(tmp_path / "lab", {**data, "mailboxes": min(40, data["mailboxes"])})
            lab = stack.enter_context(server.start(tmp_path / "lab", speed=0, read_only=read_only))
            stack.enter_context(machine_clock(lab.world))
            # A look costs us time, and the lab's time costs us nothing.
            for name in ("_FIRST_WAIT", "_LONGEST_WAIT"):
                monkeypatch.setattr(f"easops.playbook.steps.verify_step.{name}", 1200.0)
            monkeypatch.setattr("easops.actions.recycle_app_pool._READ_AGAIN", 10.0)
            monkeypatch.setattr("easops.actions.recycle_app_pool._READ_AGAIN_AT_MOST", 30.0)
            return Rig(lab, state or StateFolder(tmp_path / "state"))

        yield start
