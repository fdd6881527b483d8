"""How a run is executed, whatever it runs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Final

import attrs

from easops.clock import Clock, SystemClock
from easops.playbook.assessment.ending import Announcer
from easops.playbook.execution.caller import Caller, always
from easops.playbook.execution.dbos_engine import DBOS_ENGINE
from easops.playbook.execution.engine import Engine
from easops.playbook.steps.effects import Preview
from easops.playbook.steps.observer import Observer
from easops.remoting.pool import SessionPool

WAIT: Final = dt.timedelta(minutes=10)
"""How long a run waits for a target that another live run holds."""


@attrs.frozen
class RunOptions:
    """What the caller of ``run``, ``resume``, ``do`` or ``undo`` chose.

    *caller* confirms the changes and is shown the progress. *wait* is how long to wait for a target that another run
    holds. *stopper* is called with a function that ends the run at its next boundary, from any thread. *sessions* are
    sessions that the caller keeps open; None: the run has its own. *announcer* sends the notices of the run's end.
    *asks* is False if all changes are confirmed already. *engine* executes the run, and *clock* is this machine's.
    """

    caller: Caller
    wait: dt.timedelta = WAIT
    stopper: Callable[[Callable[[], None]], None] = lambda stop: None
    sessions: SessionPool | None = None
    announcer: Announcer | None = None
    asks: bool = True
    engine: Engine = DBOS_ENGINE
    clock: Callable[[], Clock] = SystemClock

    @property
    def observer(self) -> Observer:
        return self.caller

    @property
    def confirm(self) -> Callable[[Preview], bool]:
        return self.caller.confirm if self.asks else always

    def in_lab(self, scenario: str | None) -> RunOptions:
        """The options in the lab of *scenario* (None: not in a lab): nothing is asked, and the sessions, which end with
        the lab, are the run's own."""
        return self if scenario is None else attrs.evolve(self, asks=False, sessions=None)
