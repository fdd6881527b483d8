"""The result of a step."""

from __future__ import annotations

from typing import Any, Literal

import attrs

from easops.actions.outcome import Done, ItemOutcome
from easops.detectors.finding import Detection
from easops.playbook.language.model import Step
from easops.playbook.steps.approval_request import RULE, Approval
from easops.status import MAY_HAVE_CHANGED, Status, worst

Kind = Literal["detect", "verify", "do", "approval", "undo"]


def step_key(number: int, host: str | None) -> str:
    """The name of a step in the record and the engine. *host* is the host of its ``each_host``."""
    return str(number) if host is None else f"{number}@{host}"


@attrs.frozen
class StepResult:
    """The result of one step.

    *number* and *name* are those of the step, *kind* its keyword, *subject* the detector or action. *status* is how it
    ended, *reason* why, *because* the reason that the playbook gives for a change. *seconds* is how long it took, by
    the clock of the run. *hosts* are the names of its hosts. *detection* is what a detect or verify found, *done* the
    result of a do or undo, *approval* what an approval step asks for. *certain* is False for a prediction that depends
    on an earlier step, which *reason* names. *stops*: because of this step no later changing step starts. *host* is the
    current host of a step in an ``each_host``. *position* counts the results of the run from 1 (0 in records of 0.1.0
    without groups: there it is *number*). *given* are the values of a detect as arguments of ``easops detect``
    (``above=60``).
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
        """Its name among the steps of the run: ``3``, or ``3@EX01`` in an ``each_host``."""
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
        """Whether it did not do what it planned because that is not approved, or no longer approved."""
        return any(item.rule == RULE for item in self.items)


def run_status(steps: tuple[StepResult, ...]) -> Status:
    """The status of a run: that of its worst step."""
    return worst(step.status for step in steps)
