"""What came of a run: its steps, in order, and what to type next."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

import attrs

from easops.actions.outcome import Done, ItemOutcome
from easops.detectors.finding import Detection
from easops.playbook.language.model import Step
from easops.playbook.steps.approval_request import RULE, Approval
from easops.status import EXIT_CODES, Status, worst

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
    def unapproved(self) -> bool:
        """Whether it planned what was not approved, or is not any more, and so did not do it."""
        return any(item.rule == RULE for item in self.items)


@attrs.frozen
class OpenRun:
    """An earlier run of the same playbook on one of the same targets, because of which another is refused.

    *run_id* is its id. *state* says why, in words: its process ended, or it has unfinished steps.
    """

    run_id: str
    state: str


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


@attrs.frozen
class RunReport:
    """A run, or its prediction under ``--check`` (*checked*; then *run_id* is None: it leaves no record).

    *playbook* is the name of the playbook, *kind* what was called, *status* how the run ended, *steps* are the results
    of its steps, *started* and *ended* its times (UTC). *owes* says that it has unfinished steps.
    *next* is the command to type: undo after a change, resume after a run that owes its later steps. *lab* is the
    scenario, for a run against the built-in lab; *limit* is what narrowed the playbook's hosts; *earlier*
    is, under ``--check``, the open run because of which this one would be refused; *notices* is who was told of
    its end.
    """

    run_id: str | None
    playbook: str
    kind: Literal["run", "do", "undo"]
    status: Status
    steps: tuple[StepResult, ...] = ()
    checked: bool = False
    owes: bool = False
    lab: str | None = None
    limit: str | None = None
    earlier: OpenRun | None = None
    started: dt.datetime | None = None
    ended: dt.datetime | None = None
    next: str = ""
    notices: tuple[Notice, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything was changed, or may have been."""
        held = (Status.CHANGED, Status.UNDONE, Status.UNKNOWN, Status.VERIFY_FAILED)
        return not self.checked and any(item.touched or item.status in held for item in self.items)

    @property
    def undoable(self) -> bool:
        """Whether anything that was changed, or may have been, can be put back: a recycle cannot.

        Of a failed item the first of several changes may have been made.
        """
        held = (Status.CHANGED, Status.UNKNOWN, Status.VERIFY_FAILED)
        items = [item for item in self.items if item.touched or item.status in held]
        return not self.checked and any(item.undo == "exact" for item in items)

    @property
    def would_change(self) -> bool:
        """Whether a run without ``--check`` would change anything."""
        return any(item.status is Status.WOULD_CHANGE for item in self.items)

    @property
    def exit_code(self) -> int:
        """The exit code of ``easops run`` for this run."""
        return EXIT_CODES[self.status]

    @property
    def items(self) -> tuple[ItemOutcome, ...]:
        """What came of each user, or each host's pool, over all steps."""
        return tuple(item for step in self.steps for item in step.items)

    @property
    def findings(self) -> tuple[Detection, ...]:
        """What the detect steps found."""
        return tuple(step.detection for step in self.steps if step.kind == "detect" and step.detection is not None)


def run_status(steps: tuple[StepResult, ...]) -> Status:
    """A run's status: its worst step's, leaving out those that nothing hangs on."""
    return worst(step.status for step in steps)
