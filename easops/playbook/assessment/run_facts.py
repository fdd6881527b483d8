"""A run and how it stands: all that an assessment is made from."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Literal

import attrs

from easops.actions.outcome import ItemOutcome
from easops.detectors.finding import Detection
from easops.errors import EasopsError
from easops.playbook.assessment.next_command import typed
from easops.playbook.record.notice import Notice
from easops.playbook.steps.step_result import StepResult
from easops.status import EXIT_CODES, MAY_HAVE_CHANGED, OPEN, Status

if TYPE_CHECKING:
    from easops.playbook.record.run_view import RunView


@attrs.frozen
class OpenRun:
    """An earlier run of the same playbook on one of the same targets, because of which another is refused.

    *run_id* is its id. *state* says why, in words: it died, was stopped, or has unfinished steps. *ended* is False if
    it has no end; then no other run begins, whatever the options.
    """

    run_id: str
    state: str
    ended: bool = True


@attrs.frozen
class RunFacts:
    """A run, or its prediction under ``--check`` (*checked*; then *run_id* is None: it leaves no record).

    *playbook* is the name of the playbook, *kind* the command (run, do or undo), *status* is how it ended, *steps* are
    the results of its steps, *started* and *ended* its times (UTC; None if it has none).

    *unfinished* says that changing steps are still to be done. *lab* is the scenario, for a run on the built-in lab;
    *inventory* is the file that the hosts are from, where it is known; *limit* is what narrowed the playbook's hosts.
    *earlier* is, under ``--check``, the open run because of which this one would be refused; *notices* are who was
    notified of its end. *command* is the playbook as one names it on the command line; of an undo, what follows
    ``easops undo``.

    *record* is the run as it is recorded, None where there is no record (``--check``). *stopped* says that this
    process stopped it before its end; *problem* is what ended it where no step could report it.
    """

    run_id: str | None
    playbook: str
    kind: Literal["run", "do", "undo"]
    status: Status
    steps: tuple[StepResult, ...] = ()
    checked: bool = False
    unfinished: bool = False
    lab: str | None = None
    inventory: str | None = None
    limit: str | None = None
    earlier: OpenRun | None = None
    started: dt.datetime | None = None
    ended: dt.datetime | None = None
    notices: tuple[Notice, ...] = ()
    command: str = ""
    record: RunView | None = attrs.field(default=None, repr=False)
    stopped: bool = False
    problem: EasopsError | None = None

    @property
    def where(self) -> tuple[str, ...]:
        """What makes another command read the same servers, or a lab of the same scenario. A path that cannot be typed
        alike in every shell is ``hosts.yml``, which stands for an inventory."""
        if self.lab is not None:
            return ("--lab", "--scenario", self.lab)
        if self.inventory is None:
            return ()
        return ("--inventory", self.inventory if typed(self.inventory) else "hosts.yml")

    @property
    def changed(self) -> bool:
        """Whether anything was changed, or may have been."""
        return not self.checked and any(item.touched or item.status in MAY_HAVE_CHANGED for item in self.items)

    @property
    def undoable(self) -> bool:
        """Whether anything that was changed, or may have been, can be put back: a recycle cannot.

        Of a failed item the first of several changes may have been made; of a run without an end the record knows
        changes that no step could report.
        """
        items = [item for item in self.items if item.touched or item.status is Status.CHANGED or item.status in OPEN]
        undos = [item.undo for item in items]
        if self.record is not None and self.record.run.ended is None:
            undos += [change.undo for change, _ in self.record.changes]
        return not self.checked and "exact" in undos

    @property
    def would_change(self) -> bool:
        """Whether a check predicts a change."""
        return any(item.status is Status.WOULD_CHANGE for item in self.items)

    @property
    def exit_code(self) -> int:
        """The exit code of the command line for a run that ended so (docs/reference/exit-codes.md)."""
        return EXIT_CODES[self.status]

    @property
    def items(self) -> tuple[ItemOutcome, ...]:
        """What came of each user, or each host's pool, over all steps."""
        return tuple(item for step in self.steps for item in step.items)

    @property
    def findings(self) -> tuple[Detection, ...]:
        """What the detect steps found."""
        return tuple(step.detection for step in self.steps if step.kind == "detect" and step.detection is not None)

    @property
    def running(self) -> bool:
        """Whether a process executes it now, and is not about to end."""
        return self.record is not None and self.record.alive and not self.stopped

    @property
    def closed(self) -> bool:
        """Whether it was undone or abandoned: nothing is left to do about it."""
        return self.record is not None and bool(self.record.run.closed)

    @property
    def abandoned(self) -> bool:
        """Whether it was closed for good, and not undone: what it set stays, until somebody undoes it."""
        return self.closed and self.record is not None and not self.record.run.closed.startswith("undone")

    @property
    def waits(self) -> bool:
        """Whether it was submitted, and nobody has begun it."""
        return self.record is not None and self.record.run.waits and not self.closed

    @property
    def cut_short(self) -> bool:
        """Whether it began and has no end: it was stopped, or its process died."""
        if self.record is None:
            return self.stopped
        run = self.record.run
        if run.closed:
            return False
        return self.stopped or (run.ended is None and not run.waits and not self.record.alive)

    @property
    def decision(self) -> Literal["", "approved", "denied"]:
        """What was decided on the approval that it asks for; empty where nothing is decided, or nothing is to be."""
        decision = None if self.record is None or self.record.pending is None else self.record.pending.decision
        if decision is None:
            return ""
        return "approved" if decision.approved else "denied"

    @property
    def state(self) -> str:
        """How it stands, in a word: a status, ``stopped``, ``died``, ``running``, ``waiting``; or how it was closed,
        ``abandoned`` or ``undone by R``."""
        if self.closed and self.record is not None:
            return self.record.run.closed
        if self.stopped:
            return "stopped"
        return str(self.status) if self.record is None else self.record.state

    @property
    def unknown(self) -> tuple[str, ...]:
        """The changes that were sent, or may have been, and whose outcome is not known: each as the record words it,
        or the item's name where a record does not say more."""
        recorded = () if self.record is None else tuple(change.subject for change in self.record.open)
        return recorded or tuple(item.item for item in self.items if item.status is Status.UNKNOWN)
