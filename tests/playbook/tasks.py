"""What a process of a stage does: one task against the lab, by the lab's clock, killed at some moment or not.

It imports nothing of the lab, so that it starts quickly.
"""

from __future__ import annotations

import datetime as dt
import os
import threading
import traceback
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from unittest.mock import patch

import attrs
from dbos import DBOS

from easops.actions import ACTIONS
from easops.clock import SystemClock
from easops.detectors import DETECTORS
from easops.inventory.load import load_inventory
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.execution.caller import always
from easops.playbook.execution.interrupted import Interrupted
from easops.playbook.language.load import load_playbook_text
from easops.playbook.resume import resume
from easops.playbook.run import run
from easops.playbook.undo import undo
from tests.playbook.killing import When, ended_at_name, ended_at_step, killed_at
from tests.playbook.quick_recovery import quick_recovery


@attrs.frozen
class Kill:
    """The process is killed at a moment of a change (``tests.playbook.killing.killed_at``)."""

    moment: str
    change: str
    holding_others: bool = False

    def armed(self, stop: Callable[[], None]) -> AbstractContextManager[None]:
        return killed_at(self.moment, self.change, holding_others=self.holding_others)


@attrs.frozen
class KillAtStep:
    """The process is killed at one of the engine's steps (``tests.playbook.killing.ended_at_step``)."""

    step: int
    when: When

    def armed(self, stop: Callable[[], None]) -> AbstractContextManager[None]:
        return ended_at_step(self.step, self.when)


@attrs.frozen
class KillAtName:
    """The process is killed at the engine's step of that name (``tests.playbook.killing.ended_at_name``)."""

    name: str
    when: When

    def armed(self, stop: Callable[[], None]) -> AbstractContextManager[None]:
        return ended_at_name(self.name, self.when)


@attrs.frozen
class StopAtStep:
    """The run is stopped, as by Ctrl-C, before one of the engine's steps."""

    step: int

    def armed(self, stop: Callable[[], None]) -> AbstractContextManager[None]:
        return ended_at_step(self.step, "before", stop)


End = Kill | KillAtStep | KillAtName | StopAtStep | None
"""How a process ends before its run does; None: not."""


class _AskedClock:
    """The lab's clock, asked through a connection (``easops.clock.Clock``)."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def _ask(self, what: str, seconds: float = 0.0) -> dt.datetime:
        with self._lock:
            self._connection.send((what, seconds))
            answer: dt.datetime = self._connection.recv()
            return answer

    def now(self) -> dt.datetime:
        return self._ask("now")

    def monotonic(self) -> float:
        return self.now().timestamp()

    def sleep(self, seconds: float) -> None:
        self._ask("sleep", seconds)


def process(
    connection: Connection, environment: Mapping[str, str], task: Callable[..., Any], arguments: tuple[Any, ...]
) -> None:
    """What a process of the stage does: one task, whose answer it sends."""
    os.environ.update(environment)
    clock = _AskedClock(connection)
    with (
        quick_recovery(),
        patch.object(SystemClock, "__new__", lambda cls: clock),
        patch("easops.playbook.steps.verify_step._FIRST_WAIT", 240.0),
        patch("easops.playbook.steps.verify_step._LONGEST_WAIT", 240.0),
        patch("easops.actions.recycle_app_pool._READ_AGAIN", 30.0),
        patch.object(DBOS, "destroy", lambda: None),  # the process ends: there is nothing to wait for
    ):
        try:
            connection.send(("answer", task(*arguments)))
        except (Exception, Interrupted) as error:
            connection.send(("raised", (type(error).__name__, traceback.format_exc())))
    connection.close()
    os._exit(0)


def run_text(text: str, inventory: Path, end: End = None) -> RunReport:
    """A task: run a playbook."""
    playbook = load_playbook_text(text, "test.yml", actions=ACTIONS, detectors=DETECTORS)
    hosts = load_inventory(inventory).hosts
    return _ending(end, lambda stopper: run(playbook, hosts, confirm=always, stopper=stopper))


def resume_run(run_id: str, end: End = None) -> RunReport:
    """A task: go on with a run."""
    return _ending(end, lambda stopper: resume(run_id, confirm=always, stopper=stopper))


def resume_hours_later(run_id: str, hours: int) -> RunReport:
    """A task: go on with a run when so many hours have passed by the machine's clock."""

    def later() -> dt.datetime:
        return dt.datetime.now(dt.UTC) + dt.timedelta(hours=hours)

    with ExitStack() as stack:
        for module in ("execution.execution", "execution.durable_effects", "attempt"):
            stack.enter_context(patch(f"easops.playbook.{module}.now", later))
        return resume_run(run_id)


def undo_run(run_id: str, end: End = None) -> RunReport:
    """A task: put back what a run changed."""
    return _ending(end, lambda stopper: undo(run_id, confirm=always, stopper=stopper))


def _ending(end: End, carry: Callable[[Callable[[Callable[[], None]], None]], RunReport]) -> RunReport:
    """The report of *carry*, which gets a stopper. Raises Interrupted where the run was stopped."""
    stops: list[Callable[[], None]] = []
    with nullcontext() if end is None else end.armed(lambda: stops[0]()):
        return carry(stops.append)
