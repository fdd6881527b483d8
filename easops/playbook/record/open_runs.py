"""Earlier runs that are not finished: because of one, a new run of its playbook on one of its targets is refused."""

from __future__ import annotations

from easops.playbook.record.liveness import liveness_of
from easops.playbook.record.run import Run
from easops.playbook.record.run_record import RunRecord
from easops.playbook.record.run_view import RunView, view_of
from easops.playbook.record.state_folder import StateFolder


def find_open_run(store: RunRecord, state: StateFolder, new: Run, anew: bool) -> RunView | None:
    """The latest earlier run of the playbook of *new* on one of its targets that died, was stopped, or has unfinished
    steps; None if there is none. With *anew* a run that has ended does not count, whatever it left unfinished.

    One target in common is enough: two runs that each know half of what was done to a server would undo each other's
    changes. A run that another process executes does not count: its targets are claimed, and this run waits for them.
    """
    for recorded in store.runs():
        if recorded.closed or recorded.kind == "undo" or recorded.playbook != new.playbook:
            continue
        if not set(recorded.targets) & set(new.targets):
            continue
        run, alive = liveness_of(recorded, store, state)
        died_or_stopped = run.ended is None and not run.waits and not run.closed and not alive
        if died_or_stopped or (run.ended is not None and run.unfinished and not anew):
            return view_of(run, store)
    return None
