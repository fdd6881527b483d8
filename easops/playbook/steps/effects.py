"""The door to the world: everything through which the interpreter reads, asks, changes and reports.

The interpreter decides; an ``Effects`` acts. ``--check`` has effects that only read (``ReadOnlyEffects``); the engine
has effects that make each touch durable (``easops.playbook.execution.dbos_engine``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import attrs

from easops.actions.action import Plan
from easops.actions.outcome import ItemOutcome
from easops.playbook.steps.approval_request import Approval, Verdict
from easops.playbook.steps.observer import Observer
from easops.playbook.steps.step_result import StepResult, step_key

T = TypeVar("T")


@attrs.frozen
class Job:
    """What is to be done to one target, item by item, in order.

    *host* is the host's name; None for the organisation. *group_host* is the host of the step's ``each_host``. *until*
    is the time until which the approval for it stays valid; None where it needs no approval.
    """

    step: int
    target: str
    host: str | None
    plans: tuple[Plan, ...]
    group_host: str | None = None
    until: dt.datetime | None = None

    @property
    def key(self) -> str:
        return step_key(self.step, self.group_host)


@attrs.frozen
class Preview:
    """What a person is asked to confirm, once: the plan of the first changing step, and what comes after it.

    *step* is the step's name, *plans* what it would do, *later* the changing steps after it, *hosts* the run's hosts;
    *changes_limit* and *hosts_at_once* are the playbook's ``limits``.
    """

    step: str
    plans: tuple[Plan, ...]
    later: tuple[str, ...]
    hosts: tuple[str, ...]
    changes_limit: int
    hosts_at_once: int


class Effects(Protocol):
    """How the interpreter touches the world."""

    @property
    def checking(self) -> bool:
        """Whether this is a check: nothing may be changed."""
        ...

    def once(self, key: str, kind: type[T], read: Callable[[], T]) -> T:
        """The value that *read* returns, an instance of *kind*. A resumed run gets the value of the first time. *key*
        names it."""
        ...

    def ask(self, preview: Preview) -> bool:
        """Whether the changes may be made."""
        ...

    def approval(self, key: str, step: str, request: Approval) -> Verdict:
        """Whether there is a valid approval for *request*. If there is, this uses it up. *step* is the step's key."""
        ...

    def apply(self, jobs: Sequence[Job], at_once: int) -> list[tuple[Job, tuple[ItemOutcome, ...]]]:
        """Carry the jobs out in order, *at_once* at a time; after a job that failed no further job starts."""
        ...

    def finished(self, result: StepResult) -> None:
        """A step has ended."""
        ...


class ReadOnlyEffects:
    """Effects that only read: every read is made; nothing is asked, sent or recorded. *observer* gets each result."""

    checking = True

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def once(self, key: str, kind: type[T], read: Callable[[], T]) -> T:
        return read()

    def ask(self, preview: Preview) -> bool:
        raise AssertionError("read-only effects ask for no confirmation")

    def approval(self, key: str, step: str, request: Approval) -> Verdict:
        raise AssertionError("read-only effects ask for no approval")

    def apply(self, jobs: Sequence[Job], at_once: int) -> list[tuple[Job, tuple[ItemOutcome, ...]]]:
        raise AssertionError("read-only effects change nothing")

    def finished(self, result: StepResult) -> None:
        self._observer.finished(result)
