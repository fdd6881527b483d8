"""An earlier run that is open: why another one of its playbook is refused, and what to type about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from easops.errors import Refused
from easops.playbook.assessment.next_command import NextCommand
from easops.playbook.assessment.next_commands import ANEW, SETTLING
from easops.playbook.assessment.run_facts import OpenRun
from easops.playbook.assessment.run_report import report_of
from easops.playbook.record.open_runs import find_open_run

if TYPE_CHECKING:
    from easops.playbook.record.run import Run
    from easops.playbook.record.run_record import RunRecord
    from easops.playbook.record.run_view import RunView
    from easops.playbook.record.state_folder import StateFolder


def open_run_of(view: RunView) -> OpenRun:
    """The recorded run as one that another run of its playbook meets; *view* says that no process executes it."""
    run = view.run
    if run.ended is None:
        return OpenRun(run.run_id, "was stopped" if view.stopped else "died", ended=False)
    return OpenRun(run.run_id, f"ended as {run.status} with unfinished steps")


def settling_commands(view: RunView) -> Sequence[NextCommand]:
    """What brings the open run to its end, in order."""
    return [command for command in report_of(view).assessment.next if command.label in SETTLING]


def refuse_open_run(store: RunRecord, state: StateFolder, new: Run, anew: bool) -> None:
    """Refuse to start *new* where an earlier run is open (``find_open_run``)."""
    found = find_open_run(store, state, new, anew)
    if found is not None:
        raise refusal(found, new.targets)


def refusal(view: RunView, targets: Iterable[str]) -> Refused:
    """Why a run of the same playbook on *targets* does not begin; the next step has a command a line."""
    run = view.run
    earlier = open_run_of(view)
    lines = {command.command: command.meaning for command in settling_commands(view)}
    if earlier.ended:
        lines[f"the same command {ANEW.difference}"] = ANEW.meaning
    widest = max(map(len, lines))
    return Refused(
        f"run {run.run_id} of this playbook {earlier.state}",
        f"it has a target in common with this one: {', '.join(sorted(set(run.targets) & set(targets)))}",
        "\n".join(f"{command:<{widest}}  {meaning}" for command, meaning in lines.items()),
        rule="an earlier run is open",
    )
