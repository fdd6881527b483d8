"""Executing a recorded run to its end, and closing its record."""

from __future__ import annotations

import datetime as dt
import getpass
import importlib.metadata
from collections.abc import Callable, Sequence
from typing import Final

import attrs

from easops.clock import Clock
from easops.detectors.detector import Surroundings
from easops.errors import EasopsError
from easops.inventory.host import Host
from easops.playbook.codec import Json
from easops.playbook.database import DatabaseAway
from easops.playbook.engine import PROTOCOL, DurableHands, Execution, execute
from easops.playbook.hands import Observer, Silent
from easops.playbook.outcome import RunReport, StepResult, run_status
from easops.playbook.record import Record, Run
from easops.playbook.recorded import report_of, status_of, steps_of, surroundings_of, this_machine
from easops.playbook.state import RunLock, StateFolder
from easops.playbook.walk import Preview
from easops.remoting.pool import SessionPool
from easops.status import EXIT_CODES, Status

Confirm = Callable[[Preview], bool] | bool
"""Who confirms a run's changes, before the first: True, nobody (False), or a function that is shown what is to come."""

WAIT: Final = dt.timedelta(minutes=10)
"""How long a run waits for a target that another live run holds."""


def _asked(confirm: Confirm) -> Callable[[Preview], bool]:
    if isinstance(confirm, bool):
        return always if confirm else never
    return confirm


def always(preview: Preview) -> bool:
    """Confirms everything: ``--yes``, and a run in the lab."""
    return True


def never(preview: Preview) -> bool:
    """Confirms nothing: off a terminal, without ``--yes``."""
    return False


@attrs.frozen
class Conduct:
    """How a run is conducted: who confirms its changes, how long it waits for a target that another run holds, who is
    told how it goes on, who may stop it (*stopper* is given a function that ends the run at its next boundary), and
    the sessions that a caller keeps open (None: the run has its own).
    """

    confirm: Callable[[Preview], bool] = attrs.field(default=never, converter=_asked)
    wait: dt.timedelta = WAIT
    observer: Observer = attrs.field(factory=Silent)
    stopper: Callable[[Callable[[], None]], None] = lambda stop: None
    sessions: SessionPool | None = None

    def in_lab(self, scenario: str | None) -> Conduct:
        """The same, but the lab asks nothing, and its sessions end with it."""
        return self if scenario is None else attrs.evolve(self, confirm=always, sessions=None)


def made_here() -> dict[str, Json]:
    """What a record says of where, by whom and with which easops it is made."""
    return {
        "protocol": PROTOCOL,
        "version": importlib.metadata.version("easops"),
        "by": _user(),
        "machine": this_machine(),
    }


def _user() -> str:
    """Who runs this; a container may have nobody by that number."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "unknown"


def execute_run(
    held: Run,
    walk_id: str,
    main: Callable[[Surroundings, DurableHands], None],
    record: Record,
    state: StateFolder,
    lock: RunLock,
    hosts: Sequence[Host],
    clock: Clock,
    conduct: Conduct,
) -> RunReport:
    """Execute the workflow *walk_id* of a run, whose steps *main* walks, and close its record.

    Raises what kept it from its first step; what the steps met is in the report.
    """
    problem: list[EasopsError] = []
    with surroundings_of(held, record, hosts, clock, conduct.observer, conduct.sessions) as around:

        def walking(hands: DurableHands) -> None:
            try:
                main(around, hands)
            except DatabaseAway as error:
                execution.give_up(error)
            except EasopsError as error:  # outcomes are values: no exception may end the workflow
                problem.append(error)

        execution = Execution(
            held.run_id, walk_id, record, state, lock, around, conduct.observer, conduct.confirm, conduct.wait, walking
        )
        conduct.stopper(execution.stop.set)
        execute(execution)
    steps = steps_of(held, record)
    if problem:
        # What an earlier walk owes is still owed, and what it came to still stands.
        status = run_status(steps) if held.walks > 1 else status_of(problem[0])
        record.end(held.run_id, status, owes=held.owes or _owes(steps))
        raise problem[0]
    record.end(held.run_id, run_status(steps), owes=_owes(steps))
    return report_of(record.get(held.run_id), steps)


def _owes(steps: Sequence[StepResult]) -> bool:
    """Whether a changing step is still to be done: not started because of what came before it (never because of a
    refusal), or failed after an earlier one had changed something."""
    stopper = next((step for step in steps if step.stops), None)
    if stopper is None:
        return False
    statuses = [stopper.status, *(item.status for item in stopper.items)]
    if max(EXIT_CODES[status] for status in statuses) <= EXIT_CODES[Status.REFUSED]:
        return False
    if any(step.status is Status.NOT_STARTED and step.kind == "do" for step in steps):
        return True
    if any(item.status is Status.NOT_STARTED for step in steps for item in step.items):
        return True
    not_done = (Status.FAILED, Status.UNREACHABLE, Status.UNKNOWN, Status.UNDETERMINED)
    earlier = any(item.touched for step in steps[: steps.index(stopper)] for item in step.items)
    return earlier and stopper.kind == "do" and any(item.status in not_done for item in stopper.items)
