"""Planted bugs: what the simulator has to find. ``python -m tests.simulation.planted`` plants each, and looks for it.

A bug is planted by replacing a function of the product. One that no incident of the first 500 seeds shows is printed
as not found, and the exit code is then 1 if more than one is.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final
from unittest.mock import patch

import attrs

from easops.actions import perform as performing
from easops.actions.change import Change, ChangeOutcome, Comparison
from easops.actions.recycle_app_pool import RecycleAppPool
from easops.actions.sent import Sent
from easops.playbook import undo_attempt, undo_jobs
from easops.playbook.execution import apply_changes, durable_changes
from easops.playbook.record.stored_run import changes_of
from easops.playbook.steps import changing_step, earlier, interpreter, step_plan, verify_step
from easops.playbook.steps.earlier import Earlier
from easops.status import CHANGED_OR_UNSURE, Status
from tests.simulation.incident import PROFILES, Incident, incident_of
from tests.simulation.machine import MemoryJournal, MemoryRecord
from tests.simulation.night import broken

SEEDS: Final = 500

_CRASHES: Final = ("no_foreign_exception", "the simulation itself")
"""What a bug shows that was planted badly."""


def _outcome(status: Status, reason: str = "") -> Callable[..., ChangeOutcome]:
    return lambda *arguments, **more: ChangeOutcome(status, reason)


@contextmanager
def claim_before_read() -> Iterator[None]:
    """It says "changed" without reading back."""
    with patch.object(performing, "_read_back", lambda change, context: ChangeOutcome(Status.CHANGED)):
        original = performing._written

        def written(change: Change, context: Any, state: Any, guard: Any) -> ChangeOutcome:
            outcome = original(change, context, state, guard)
            return attrs.evolve(outcome, status=Status.CHANGED) if outcome.status is Status.FAILED else outcome

        with patch.object(performing, "_written", written):
            yield


@contextmanager
def unknown_is_failed() -> Iterator[None]:
    """A lost answer counts as "not done"."""
    with patch.object(performing, "_after_error", _outcome(Status.FAILED, "not done")):
        yield


@contextmanager
def one_read_decides() -> Iterator[None]:
    """After a lost answer one read decides."""
    original = performing._read_until_over
    with patch.object(performing, "_read_until_over", lambda change, context, seconds: original(change, context, 0.0)):
        yield


@contextmanager
def a_resumed_change_is_sent_at_once() -> Iterator[None]:
    """A resumed change is not waited for."""
    with patch.object(Sent, "may_show_for", lambda sent, visible_within, clock: 0.0):
        yield


@contextmanager
def a_resumed_change_is_sent_again() -> Iterator[None]:
    """A resumed change is sent again without a look."""

    def perform(change: Change, context: Any, *, sent: Any = None, guard: Any = lambda: None) -> ChangeOutcome:
        return performing._written(change, context, change.before, guard)

    with patch.object(durable_changes, "perform", perform):
        yield


@contextmanager
def lost_intent() -> Iterator[None]:
    """Every other intent is not recorded."""
    original, count = MemoryRecord.write, itertools.count()

    def write(record: MemoryRecord, run_id: str, kind: Any, key: str, body: Any) -> None:
        if kind != "intent" or next(count) % 2:
            original(record, run_id, kind, key, body)

    with patch.object(MemoryRecord, "write", write):
        yield


@contextmanager
def double_recycle() -> Iterator[None]:
    """Each recycle is sent twice."""
    original = RecycleAppPool.write

    def write(change: RecycleAppPool, context: Any) -> None:
        original(change, context)
        original(change, context)

    with patch.object(RecycleAppPool, "write", write):
        yield


@contextmanager
def recycles_again_after_a_resume() -> Iterator[None]:
    """A second attempt forgets the recycles of the first."""
    with patch.object(Earlier, "one_way", lambda *arguments: None):
        yield


@contextmanager
def an_old_recycle_counts_as_new() -> Iterator[None]:
    """A recycle replaces whatever worker process is there."""
    with patch.object(RecycleAppPool, "compare", lambda change, state: Comparison.BEFORE):
        yield


@contextmanager
def the_wrong_order_of_undo() -> Iterator[None]:
    """Undo begins with the first change."""
    with patch.object(undo_jobs, "reversed", lambda changes: tuple(changes), create=True):
        yield


@contextmanager
def undo_forgets_the_last() -> Iterator[None]:
    """Undo leaves the last change."""
    original = changes_of
    with patch.object(undo_jobs, "changes_of", lambda run, store: original(run, store)[:-1]):
        yield


@contextmanager
def undo_puts_back_what_was_not_ours() -> Iterator[None]:
    """Undo also puts back what was found as wanted."""
    wanted = CHANGED_OR_UNSURE | {Status.OK, Status.SKIPPED}
    with patch.object(undo_jobs, "CHANGED_OR_UNSURE", wanted):
        yield


@contextmanager
def drift_is_overwritten() -> Iterator[None]:
    """Undo puts back whatever it finds."""
    original = undo_attempt._plan

    def plan(plan_: Any, context: Any) -> Any:
        found = original(plan_, context)
        return plan_ if found.status in (Status.REFUSED, Status.OK) else found

    with (
        patch.object(undo_attempt, "_plan", plan),
        patch.object(performing, "drift", lambda change, state: ""),
    ):

        def perform(change: Any, context: Any, *, sent: Any = None, guard: Any = lambda: None) -> ChangeOutcome:
            if change.compare(change.read(context)) is Comparison.AFTER:
                return ChangeOutcome(Status.OK)
            return performing._written(change, context, change.before, guard)

        with patch.object(durable_changes, "perform", perform):
            yield


@contextmanager
def protect_is_ignored() -> Iterator[None]:
    """The protect list is not looked at."""
    original = step_plan._plan

    def plan(step: Any, action: Any, values: Any, host: Any, state: Any) -> Any:
        facts = attrs.evolve(state.facts, protected=frozenset())
        return original(step, action, values, host, attrs.evolve(state, facts=facts))

    with patch.object(step_plan, "_plan", plan):
        yield


@contextmanager
def the_limit_is_off_by_one() -> Iterator[None]:
    """One more than ``limits.changes`` is changed."""
    original = changing_step._over_the_limit

    def over(plan: Any, state: Any) -> Any:
        limits = attrs.evolve(state.playbook.limits, changes=state.playbook.limits.changes + 1)
        return original(plan, attrs.evolve(state, playbook=attrs.evolve(state.playbook, limits=limits)))

    with patch.object(changing_step, "_over_the_limit", over):
        yield


@contextmanager
def nothing_stops() -> Iterator[None]:
    """After an item of unknown outcome the next one is changed."""
    with (
        patch.object(interpreter, "STOPS_LATER_CHANGES", frozenset()),
        patch.object(interpreter, "ITEM_STOPS", frozenset()),
        patch.object(apply_changes, "STOPS_LATER_CHANGES", frozenset()),
    ):
        yield


@contextmanager
def a_check_changes_something() -> Iterator[None]:
    """``--check`` makes the first change."""
    original = changing_step._predicted

    def predicted(plan: Any, state: Any) -> Any:
        if plan.wanted and plan.wanted[0].changes:
            plan.wanted[0].changes[0].write(state.context)
        return original(plan, state)

    with patch.object(changing_step, "_predicted", predicted):
        yield


@contextmanager
def the_next_user_is_named() -> Iterator[None]:
    """The wrong mailbox is limited."""
    original = step_plan.rounds_of

    def rounds(step: Any, state: Any) -> Any:
        found = original(step, state)
        name = "helen.strand@contoso.example"
        return [
            {**names, "item": attrs.evolve(names["item"], user=name, mailbox=None)} if "item" in names else names
            for names in found
        ]

    with patch.object(step_plan, "rounds_of", rounds), patch.object(changing_step, "rounds_of", rounds):
        yield


@contextmanager
def a_verify_always_succeeds() -> Iterator[None]:
    """Each host has passed at the first look, whatever is there."""
    with (
        patch.object(verify_step, "failing", lambda seen: set()),
        patch.object(verify_step, "verify_status", lambda detection: Status.OK),
    ):
        yield


@contextmanager
def no_recycle_and_all_is_well() -> Iterator[None]:
    """A recycle is told as made, and is not sent."""
    with (
        patch.object(RecycleAppPool, "write", lambda change, context: None),
        patch.object(RecycleAppPool, "compare", lambda change, state: Comparison.AFTER),
        patch.object(performing, "ChangeOutcome", _changed),
    ):
        yield


def _changed(status: Status, reason: str = "", *more: Any, **named: Any) -> ChangeOutcome:
    changed = status is Status.OK and reason == "already as wanted"
    return ChangeOutcome(Status.CHANGED if changed else status, "" if changed else reason, *more, **named)


@contextmanager
def the_worst_is_hidden() -> Iterator[None]:
    """A run is told as its best step."""
    order = list(Status)
    with patch.object(apply_changes, "worst", lambda statuses: min(statuses, key=order.index)):
        yield


@contextmanager
def a_step_is_forgotten_by_the_journal() -> Iterator[None]:
    """A replay does again what was done."""
    original = MemoryJournal.step

    def step(journal: MemoryJournal, name: str, call: Any) -> Any:
        journal.engine.machine.journals.get(journal.workflow_id, {}).pop(name, None)
        return original(journal, name, call)

    with patch.object(MemoryJournal, "step", step), patch.object(Earlier, "item", lambda *arguments: None):
        yield


@contextmanager
def an_earlier_attempt_is_forgotten() -> Iterator[None]:
    """A second attempt's result takes the place of the first's."""
    with patch.object(earlier.Earlier, "added_to", lambda self, key, result: result):
        yield


BUGS: Final[tuple[Callable[[], AbstractContextManager[None]], ...]] = (
    claim_before_read,
    unknown_is_failed,
    one_read_decides,
    a_resumed_change_is_sent_at_once,
    a_resumed_change_is_sent_again,
    lost_intent,
    double_recycle,
    recycles_again_after_a_resume,
    an_old_recycle_counts_as_new,
    undo_forgets_the_last,
    undo_puts_back_what_was_not_ours,
    drift_is_overwritten,
    protect_is_ignored,
    the_limit_is_off_by_one,
    nothing_stops,
    a_check_changes_something,
    the_next_user_is_named,
    a_verify_always_succeeds,
    no_recycle_and_all_is_well,
    the_worst_is_hidden,
    the_wrong_order_of_undo,
    an_earlier_attempt_is_forgotten,
)


def found_by(bug: Callable[[], AbstractContextManager[None]], seeds: int = SEEDS) -> str:
    """The first incident that shows *bug*, and the promise that it breaks; empty if none of that many does.

    A promise that the same incident breaks without the bug does not count: the bug is not what broke it.
    """
    names = list(PROFILES)
    for number in range(seeds):
        incident = incident_of(names[number % len(names)], number // len(names))
        with bug():
            promises = _promises(incident)
        if promises and (found := [promise for promise in promises if promise not in _promises(incident)]):
            return f"{incident.profile} {incident.seed}: {found[0]}"
    return ""


def _promises(incident: Incident) -> list[str]:
    """The promises that an incident breaks, without its crashes."""
    promises = [text.partition(":")[0] for text in broken(incident)]
    return [promise for promise in promises if promise not in _CRASHES]


def main() -> int:
    missed = 0
    for bug in BUGS:
        found = found_by(bug)
        missed += not found
        print(f"{bug.__name__:40} {found or 'NOT FOUND'}", flush=True)
    print(f"{len(BUGS) - missed} of {len(BUGS)} planted bugs are found within {SEEDS} incidents")
    return 1 if missed > 1 else 0


if __name__ == "__main__":
    sys.exit(main())
