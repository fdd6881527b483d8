"""The commands that lead on from a recorded run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from easops.assessment.alternatives import onward
from easops.assessment.command import Way
from easops.playbook.steps.report import RunReport

if TYPE_CHECKING:
    from easops.playbook.record.run_view import RunView


def ways(view: RunView, report: RunReport, *, stopped: bool = False) -> list[Way]:
    """In the order in which they are to be thought of; none where nothing is left to do, or while the run goes on.

    *stopped* says that it goes on no more, although the process that executed it still lives.
    """
    run = view.run
    if run.closed or (view.alive and not stopped):
        return []
    close = Way("close", "Close it for good", f"easops runs abandon {run.run_id}")
    if run.waits:
        return [Way("begin", "Begin it", f"easops worker {run.run_id}"), close]
    dead = run.ended is None
    found = []
    if view.open:
        what = "Settle by reading what is not known; changes nothing"
        found.append(Way("settle", what, f"easops runs reconcile {run.run_id}"))
    if view.asked is not None and view.asked.decision is None:
        what = "Look at the planned changes, and approve them"
        found.append(Way("approve", what, f"easops approve {run.run_id}"))
    if dead or run.owes:
        if view.asked is None or view.asked.status != "denied":
            found.append(Way("go on", "Go on with the steps that are owed", f"easops runs resume {run.run_id}"))
        found.append(close)
    found += onward(report)
    if run.kind != "undo" and (dead or report.undoable):
        found.append(Way("undo", "Put back what this run set", f"easops undo {run.run_id}"))
    return found
