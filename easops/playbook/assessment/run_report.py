"""What ``run``, ``resume``, ``do`` and ``undo`` return."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from easops.errors import EasopsError
from easops.playbook.assessment.assessment import Assessment, assess
from easops.playbook.assessment.run_facts import RunFacts
from easops.playbook.language.load import command_of
from easops.playbook.steps.codec import from_json
from easops.playbook.steps.step_result import run_status
from easops.status import Status

if TYPE_CHECKING:
    from easops.playbook.record.run_view import RunView


@attrs.frozen
class RunReport(RunFacts):
    """A run, or its prediction under ``--check``: the facts, and what they mean (``assessment``)."""

    _assessed: list[Assessment] = attrs.field(factory=list, init=False, eq=False, repr=False)

    @property
    def assessment(self) -> Assessment:
        """What it proved, what is still open, what was not judged, and what to type next."""
        # Made once: every format asks for it several times, and a report of many steps takes long to judge.
        if not self._assessed:
            self._assessed.append(assess(self))
        return self._assessed[0]

    @property
    def next(self) -> str:
        """The first command to type next; empty where there is none. ``assessment.next`` has all of them."""
        return next((command.command for command in self.assessment.next), "")


def report_of(view: RunView, *, stopped: bool = False, problem: EasopsError | None = None) -> RunReport:
    """The report of a recorded run as it stands. *stopped*: this process stopped it; *problem* is what ended it where
    no step could report it. Raises UnknownRecord for a status of a later version."""
    run = view.run
    return RunReport(
        run.run_id,
        run.playbook,
        run.kind,
        from_json(run.status, Status) if run.status is not None else run_status(view.steps),
        view.steps,
        unfinished=run.unfinished,
        lab=run.lab,
        inventory=run.inventory,
        limit=run.limit,
        started=run.started,
        ended=run.ended,
        notices=view.notices,
        command=run.document["undoes"] if run.kind == "undo" else command_of(run.document.get("source") or ""),
        record=view,
        stopped=stopped,
        problem=problem,
    )
