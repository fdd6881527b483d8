"""Labs that any test may read: each started once a session as users start it, as a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.postgresql import PostgresServer, find_binaries, running_postgres, why_none


@contextmanager
def running_lab(folder: Path, scenario: str, *more: str) -> Iterator[Path]:
    """The inventory of a lab that runs until the end of the block."""
    command = [sys.executable, "-m", "easops", "lab", "start", "--until-stdin-closes", "--speed", "60"]
    with subprocess.Popen(
        [*command, "--scenario", scenario, "--state", str(folder), *more],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, f"the lab {scenario} did not start"
        yield Path(json.loads(line)["inventory"])
        assert process.stdin is not None
        process.stdin.close()
        process.wait(timeout=20)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The inventory of a lab with a contact-sync storm. Whoever changes it puts it back."""
    with running_lab(tmp_path_factory.mktemp("lab"), "contacts-storm") as inventory:
        yield inventory


@pytest.fixture(scope="session")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The inventory of a lab with nothing wrong, in which no change is accepted."""
    with running_lab(tmp_path_factory.mktemp("calm"), "calm", "--read-only") as inventory:
        yield inventory


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server for this test session alone."""
    binaries = find_binaries()
    if binaries is None or sys.platform == "win32":
        pytest.skip(f"{why_none()}")
    with running_postgres(binaries) as server:
        yield server
