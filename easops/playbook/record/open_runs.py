"""Earlier runs that are not finished with: a new run of the same playbook on the same targets is refused."""

from __future__ import annotations

from easops.errors import Refused
from easops.playbook.record.run_store import Record, Run
from easops.playbook.record.state_folder import StateFolder
from easops.playbook.record.stored_run import looked_at, was_stopped
from easops.status import Status


def find_open_run(record: Record, state: StateFolder, new: Run, anew: bool) -> tuple[Run, str] | None:
    """The latest earlier run of this playbook on one of these targets that died, was stopped, or owes its later steps;
    in words, which. With *anew* one that owes is none."""
    for listed in record.runs():
        if listed.closed or listed.kind == "undo" or listed.playbook != new.playbook:
            continue
        if not set(listed.targets) & set(new.targets):
            continue
        held, alive = looked_at(listed, record, state)
        if held.ended is None and not held.waits and not held.closed and not alive:
            return held, "was stopped" if was_stopped(held, record) else "died"
        if held.ended is not None and held.owes and not anew:
            return held, f"ended as {held.status} and owes its later steps"
    return None


def refuse_open_run(record: Record, state: StateFolder, new: Run, anew: bool) -> None:
    """Refuse to begin where an earlier run is open."""
    found = find_open_run(record, state, new, anew)
    if found is None:
        return
    held, words = found
    ways = {f"easops approve {held.run_id}": "look at its plan, and approve it"}
    if held.status != Status.AWAITING_APPROVAL:
        ways = {}
    ways |= {
        f"easops runs resume {held.run_id}": "go on with it",
        f"easops undo {held.run_id}": "put back what it set",
        f"easops runs abandon {held.run_id}": "close it for good; what it set stays",
    }
    if held.ended is not None:
        ways["the same command with --anew"] = "leave it as it is, and begin"
    widest = max(map(len, ways))
    raise Refused(
        f"run {held.run_id} of this playbook {words}",
        f"it has a target in common with this one: {', '.join(sorted(set(held.targets) & set(new.targets)))}",
        "\n".join(f"{command:<{widest}}  {meaning}" for command, meaning in ways.items()),
        rule="an earlier run is open",
    )
