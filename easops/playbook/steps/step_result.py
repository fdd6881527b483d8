"""What came of a step, and of a notice."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

import attrs

from easops.actions.outcome import Done, ItemOutcome
from easops.detectors.finding import Detection
from easops.playbook.language.model import Step
from easops.playbook.steps.approval_request import RULE, Approval
from easops.status import MAY_HAVE_CHANGED, Status, worst

Kind = Literal["detect", "verify", "do", "approval", "undo"]


def step_key(number: int, host: str | None) -> str:
    """A step's name in the record and the engine; *host* is that of its ``each_host``."""
    return str(number) if host is None else f"{number}@{host}"


@attrs.frozen
class StepResult:
    """The result of one step.

    *number* and *name* are those of the step, *kind* its keyword, *subject* the detector or action. *status* is how it
    ended, *reason* why, *because* the reason that the playbook gives for a change. *seconds* is how long it took.
    *hosts* are the names of its hosts; *detection* is what a detect or verify found, *done* the result of a do or undo.
    *certain* is False for a prediction that depends on an earlier step, which *reason* names. *stops* says that no
    later changing step may start because of it. *host* is the host at hand of a step in an ``each_host``; *position*
    counts the results of the walk from 1 (0 in records of releases without groups: there it is *number*). *approval* is
    what an approval step asks for. *given* are the values of a detect, as they are typed (``above=60``).
    """

    number: int
    name: str
    kind: Kind
    subject: str
    status: Status
    reason: str = ""
    hosts: tuple[str, ...] = ()
    because: str = ""
    detection: Detection | None = None
    done: Done | None = None
    certain: bool = True
    stops: bool = False
    seconds: float = 0.0
    host: str | None = None
    position: int = 0
    approval: Approval | None = None
    given: tuple[str, ...] = ()

    @classmethod
    def of(cls, step: Step, status: Status, **more: Any) -> StepResult:
        """The result of *step*; *more* are the other attributes."""
        return cls(step.number, step.name, step.kind, step.subject, status, **more)

    @property
    def key(self) -> str:
        """What tells it from the others of its run: ``3``, or ``3@EX01`` in an ``each_host``."""
        return step_key(self.number, self.host)

    @property
    def items(self) -> tuple[ItemOutcome, ...]:
        """The outcome of each user, or each host's pool."""
        return self.done.items if self.done is not None else ()

    @property
    def changed_items(self) -> tuple[ItemOutcome, ...]:
        """The items that were changed, or may have been; a failed one may be half done."""
        return tuple(item for item in self.items if item.touched or item.status in MAY_HAVE_CHANGED)

    @property
    def unapproved(self) -> bool:
        """Whether it planned what was not approved, or is not any more, and so did not do it."""
        return any(item.rule == RULE for item in self.items)


NoticeStatus = Literal["sent", "failed", "unknown"]


@attrs.frozen
class Notice:
    """The outcome of one notification of a run's end.

    *channel* is the name of the channel, *at* the time. *status* is ``sent``, ``failed`` (*reason* says why), or
    ``unknown``: it may have arrived, and is not sent again.
    """

    channel: str
    status: NoticeStatus
    reason: str
    at: dt.datetime


def run_status(steps: tuple[StepResult, ...]) -> Status:
    """A run's status: its worst step's, leaving out those that nothing hangs on."""
    return worst(step.status for step in steps)
