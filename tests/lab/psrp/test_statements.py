"""The statements of a pipeline run in the calling thread, without a connection."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import attrs
import pytest
from psrpcore import Command

from easops.lab.psrp.backend import Session
from easops.lab.psrp.bound_command import BoundCommand
from easops.lab.psrp.statements import Statements
from easops.lab.signatures.table import SignatureTable
from easops.lab.value import ErrorInfo
from easops.lab.world import World
from easops.lab.world_backend import WorldBackend
from tests.lab.console import open_small_world


@attrs.define
class Kept:
    """A sink that keeps what it gets, and refuses every confirmation."""

    outputs: list[Any] = attrs.field(factory=list)
    errors: list[ErrorInfo] = attrs.field(factory=list)
    warnings: list[str] = attrs.field(factory=list)
    asked: list[str] = attrs.field(factory=list)

    def output(self, value: Any) -> None:
        self.outputs.append(value)

    def error(self, error: ErrorInfo) -> None:
        self.errors.append(error)

    def warning(self, text: str) -> None:
        self.warnings.append(text)

    def confirms(self, command: BoundCommand) -> bool:
        self.asked.append(command.name)
        return False

    def check_stop(self) -> None:
        pass


@attrs.define
class Runner:
    """Runs pipelines on the 2016 server AMS-EX01 of *world*."""

    world: World

    def __call__(self, endpoint: Any, *statements: Command) -> tuple[Kept, ErrorInfo | None]:
        session = Session("AMS-EX01", endpoint, "CONTOSO\\admin", SignatureTable("2016"))
        backend, sink = WorldBackend(self.world).new_pipeline(), Kept()
        failure = Statements(session, backend, set(), [[command] for command in statements], None, sink).run()
        return sink, failure


@pytest.fixture
def run(tmp_path: Path) -> Any:
    world = open_small_world(tmp_path, "contacts-storm", history=60)
    yield Runner(world)
    world.close()


def command(name: str, **parameters: Any) -> Command:
    made = Command(name=name)
    made.parameters.extend(parameters.items())
    return made


def test_they_run_in_the_calling_thread(run: Runner) -> None:
    before = threading.enumerate()
    sink, failure = run("windows", command("Get-WebAppPoolState", Name="MSExchangeSyncAppPool"))
    assert (len(sink.outputs), sink.errors, failure) == (1, [], None)
    assert threading.enumerate() == before


def test_all_of_a_pipeline_have_the_moment_of_its_first(run: Runner) -> None:
    """On a running clock they would be apart."""
    run.world.clock.speed = 1000.0
    sink, _ = run("windows", *[command("Get-Date")] * 20)
    assert len(sink.outputs) == 20
    assert len(set(sink.outputs)) == 1


def test_the_next_pipeline_of_the_same_thread_has_a_moment_of_its_own(run: Runner) -> None:
    (first, _) = run("windows", command("Get-Date"))
    run.world.advance(60)
    (second, _) = run("windows", command("Get-Date"))
    assert (second.outputs[0] - first.outputs[0]).total_seconds() == 60


def test_the_error_of_the_last_statement_fails_the_pipeline_and_that_of_another_does_not(run: Runner) -> None:
    unknown = command("Get-CimInstance", ClassName="Win32_Nothing")
    sink, failure = run("windows", unknown, command("Get-Date"))
    assert ([error.activity for error in sink.errors], failure) == (["Get-CimInstance"], None)
    assert len(sink.outputs) == 1
    sink, failure = run("windows", command("Get-Date"), unknown)
    assert sink.errors == []
    assert failure is not None
    assert failure.activity == "Get-CimInstance"


def test_a_command_that_asks_runs_only_if_it_is_confirmed(run: Runner) -> None:
    run("exchange", command("New-ThrottlingPolicy", Name="low"))
    sink, failure = run("exchange", command("Remove-ThrottlingPolicy", Identity="low"))
    assert (sink.asked, failure) == (["Remove-ThrottlingPolicy"], None)
    sink, _ = run("exchange", command("Get-ThrottlingPolicy", Identity="low"))
    assert len(sink.outputs) == 1
