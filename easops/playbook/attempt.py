"""One attempt to bring a recorded run to its end: its steps, from the first that no earlier attempt has finished."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from easops.actions import ACTIONS
from easops.actions.change import ChangeOutcome
from easops.context import Context
from easops.detectors import DETECTORS
from easops.inventory.host import Host
from easops.playbook.execution.execution import now
from easops.playbook.language.load import check_inputs, load_playbook_text
from easops.playbook.language.model import Playbook
from easops.playbook.open_changes import conclude_changes
from easops.playbook.record.approval_use import lapsed
from easops.playbook.record.run import Run
from easops.playbook.record.run_record import RunRecord
from easops.playbook.record.sending import RecordedChange
from easops.playbook.record.stored_run import steps_of
from easops.playbook.record.targets import host_target, organisation_target
from easops.playbook.select_hosts import select_hosts
from easops.playbook.steps.codec import from_json, to_json
from easops.playbook.steps.earlier import Earlier, OneWayChange, SettledItem
from easops.playbook.steps.effects import Effects
from easops.playbook.steps.facts import Facts, learn_facts
from easops.playbook.steps.interpreter import interpret
from easops.status import CHANGED_OR_UNSURE, Status


def attempt(run: Run, store: RunRecord, hosts: Sequence[Host], context: Context, effects: Effects) -> None:
    """Interpret the steps of *run*. Their results are recorded as they come. *hosts* are those of its organisation."""
    playbook = _recorded_playbook(run)
    inputs = check_inputs(playbook, run.document["inputs"])
    chosen = select_hosts(playbook, inputs, hosts, run.limit)

    def facts_of_run() -> Facts:
        for entry in store.entries(run.run_id, "facts"):  # an earlier attempt has learned them
            return from_json(entry.body, Facts)
        return learn_facts(playbook, inputs, hosts, context, organisation_target(run, chosen.selected))

    facts = effects.once("0.facts", Facts, facts_of_run)
    context.organisation.domain_controller = facts.domain_controller
    store.write(run.run_id, "facts", "facts", to_json(facts))
    earlier: Earlier | None = None
    if run.attempts > 1:
        earlier = effects.once("0.earlier", Earlier, functools.partial(_earlier_attempts, run, store, context))
    results = interpret(
        playbook,
        inputs,
        facts,
        chosen.selected,
        context,
        effects,
        functools.partial(host_target, run),
        left_out=chosen.left_out,
        earlier=earlier,
    )
    # A result of an earlier attempt that this one did not come to again goes, unless it says what was changed.
    reached = [result.key for result in results]
    touched = [step.key for step in steps_of(run, store) if any(item.touched for item in step.items)]
    store.keep_steps(run.run_id, [*reached, *touched])


def _recorded_playbook(run: Run) -> Playbook:
    return load_playbook_text(run.document["text"], run.document["source"], actions=ACTIONS, detectors=DETECTORS)


def _earlier_attempts(run: Run, store: RunRecord, context: Context) -> Earlier:
    """What the earlier attempts left behind. What became of a change is read again where it is not known."""
    changes = conclude_changes(run, store, context)
    one_way = tuple(
        OneWayChange(recorded.key.partition("/")[2], recorded.change, recorded.outcome)
        for recorded in changes
        if recorded.change.inverse() is None and recorded.outcome is not None and _may_be_made(recorded.outcome)
    )
    settled = {  # the last change counts: after one of unknown outcome no other is made on the target
        _step_and_target(recorded): _settled_item(recorded.outcome, _item_key(recorded), changes)
        for recorded in changes
        if recorded.outcome is not None
    }
    confirmed = any(entry.body["yes"] for entry in store.entries(run.run_id, "answer"))
    steps = steps_of(run, store)
    return Earlier(steps, confirmed, one_way, lapsed(steps, now()), settled)


def _settled_item(outcome: ChangeOutcome, item_key: str, changes: Sequence[RecordedChange]) -> SettledItem:
    """The item of a change that now has *outcome*: with its other changes it may be half done."""
    of_item = [change.outcome for change in changes if _item_key(change) == item_key]
    touched = any(other is not None and _may_be_made(other) for other in of_item)
    return SettledItem(outcome.status, outcome.reason, touched)


def _item_key(recorded: RecordedChange) -> str:
    """The key of a change's item: ``ATTEMPT/STEP.TARGET.ITEM``."""
    return recorded.key.rpartition(".")[0]


def _step_and_target(recorded: RecordedChange) -> str:
    return _item_key(recorded).partition("/")[2].rpartition(".")[0]


def _may_be_made(outcome: ChangeOutcome) -> bool:
    return outcome.status is Status.OK or outcome.status in CHANGED_OR_UNSURE
