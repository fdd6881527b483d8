"""Earlier runs that are not finished with: a new run of the same playbook on the same targets is refused."""

from __future__ import annotations

from easops.playbook.record.run_store import Record, Run
from easops.playbook.record.run_view import RunView, view_of
from easops.playbook.record.state_folder import StateFolder
from easops.playbook.record.stored_run import looked_at


def find_open_run(record: Record, state: StateFolder, new: Run, anew: bool) -> RunView | None:
    """The latest earlier run of this playbook on one of these targets that died, was stopped, or has unfinished steps;
    None where there is none. With *anew* one that has ended counts as none.

    A target in common is enough: two runs that each know half of what was done to a server would undo each other.
    """
    for listed in record.runs():
        if listed.closed or listed.kind == "undo" or listed.playbook != new.playbook:
            continue
        if not set(listed.targets) & set(new.targets):
            continue
        run, alive = looked_at(listed, record, state)
        if run.ended is None and not run.waits and not run.closed and not alive:
            return view_of(run, record)
        if run.ended is not None and run.owes and not anew:
            return view_of(run, record)
    return None
