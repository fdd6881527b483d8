"""What an undo has to put back: the changes of the recorded run, in reverse order, as jobs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs

from easops.actions.action import Plan
from easops.actions.change import Change, ChangeOutcome
from easops.playbook.record.run import Run
from easops.playbook.record.run_record import RunRecord
from easops.playbook.record.stored_run import changes_of
from easops.playbook.record.targets import recorded_host_target, recorded_organisation_target
from easops.playbook.steps.effects import Job
from easops.status import CHANGED_OR_UNSURE, Status

_AFTER_RECYCLE: Final = (
    "after replication and a recycle of the application pools that serve the user; until then the servers use the "
    "values from before this undo"
)


def undo_jobs(run: Run, store: RunRecord) -> list[Job]:
    """The jobs that put back the changes of *run* that were made, or may have been; the latest change first.

    Consecutive changes on one target are one job.
    """
    jobs: list[Job] = []
    for change, outcome in reversed((*_left_behind(run, store), *changes_of(run, store))):
        if outcome is not None and outcome.status not in CHANGED_OR_UNSURE:
            continue
        host = getattr(change, "host", None)
        target = recorded_organisation_target(run) if host is None else recorded_host_target(run, host)
        plan = _plan(change, host, outcome)
        if jobs and jobs[-1].target == target:
            jobs[-1] = attrs.evolve(jobs[-1], plans=(*jobs[-1].plans, plan))
        else:
            jobs.append(Job(len(jobs) + 1, target, host, (plan,)))
    return jobs


def _plan(change: Change, host: str | None, outcome: ChangeOutcome | None) -> Plan:
    back = change.inverse()
    if back is None:
        why = change.undo.removeprefix("not applicable (").removesuffix(")")
        return Plan(change.subject, Status.SKIPPED, why, host=host)
    # Found so after the process had died that sent it: it may be somebody else's, which is said before it is put back.
    reason = outcome.reason if outcome is not None and outcome.status is Status.CHANGED else ""
    return Plan(
        change.subject,
        Status.WOULD_CHANGE,
        reason,
        (back,),
        before=back.before,
        after=back.after,
        host=host,
        effective=_AFTER_RECYCLE if back.waits_for_recycle else "",
        pending=back.waits_for_recycle,
    )


def _left_behind(run: Run, store: RunRecord) -> Sequence[tuple[Change, ChangeOutcome | None]]:
    """The changes that earlier undos could not put back because changes of *run* depended on them.

    A policy of ours that several runs use is made by the first of them. The undo of that run leaves it, because users
    of the other runs still have it; the undo of the last run that uses it has to remove it.
    """
    changes = changes_of(run, store)
    needed = {change.depends_on for change, _ in changes} - {""}
    # Not what it only found as wanted: that is another run's.
    own = {change.subject for change, outcome in changes if outcome is None or outcome.status in CHANGED_OR_UNSURE}
    organisation = recorded_organisation_target(run)
    left: dict[str, Change] = {}
    for other in store.runs() if needed else ():
        if other.kind != "undo" or other.run_id == run.run_id or organisation not in other.targets:
            continue
        for back, outcome in changes_of(other, store):
            made = back.inverse()
            skipped = outcome is not None and outcome.status is Status.SKIPPED
            if skipped and made is not None and back.subject in needed - own:
                left.setdefault(back.subject, made)
    return [(made, None) for made in left.values()]
