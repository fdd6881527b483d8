"""What earlier attempts of a run left behind, for the attempt that resumes it.

A run that is resumed is interpreted again from its first unfinished step, in a new *attempt*. What was changed before
must neither be forgotten nor be done twice.
"""

from __future__ import annotations

import collections
from collections.abc import Mapping
from typing import Any

import attrs

from easops.actions.change import Change, ChangeOutcome
from easops.actions.outcome import Done, ItemOutcome
from easops.playbook.steps.step_result import StepResult
from easops.status import AS_WANTED, FINISHED_WELL, NOT_JUDGED, OPEN, Status, worst


@attrs.frozen
class OneWayChange:
    """A change that cannot be undone, and that an earlier attempt made or may have made.

    *key* is the key of its intent, which begins with the step's key. *outcome* is what is known of it now
    (``easops.actions.perform.conclude``).
    """

    key: str
    change: Change
    outcome: ChangeOutcome

    def is_of(self, step_key: str, host: str, values: Mapping[str, Any]) -> bool:
        """Whether this is the change that the step of that key would make on *host* with *values*."""
        change: Any = self.change
        recorded = {name: value for name, value in attrs.asdict(change, recurse=False).items() if name in values}
        same_place = self.key.startswith(f"{step_key}.") and getattr(change, "host", None) == host
        return same_place and all(_same(values[name], value) for name, value in recorded.items())

    def item(self, host: str, target: str) -> ItemOutcome:
        """The item for it, where no result of a step has one."""
        item = ItemOutcome(host, target, self.outcome.status, self.outcome.reason, undo=self.change.undo)
        return attrs.evolve(item, after=self.change.after, touched=True)


@attrs.frozen
class SettledItem:
    """What is known now of the item that was changed last: its status and reason, and whether anything of it was made,
    or may have been (*touched*)."""

    status: Status
    reason: str
    touched: bool


@attrs.frozen
class Earlier:
    """What an attempt takes over from the attempts before it. It is recorded, so the names of its fields stay.

    *steps* are their results. *asked* is whether the changes were confirmed. *pulses* are the one-way changes, from
    their intents; None in an attempt that 0.1.0 began, which finds them by their items. *lapsed* is the key of an
    approval step that has to ask again. *settled* says by the step's key and the target what became of the item
    that was changed last there: if the outcome of an item is unknown, it is that one (empty in a record of 0.1.0).
    """

    steps: tuple[StepResult, ...] = ()
    asked: bool = False
    pulses: tuple[OneWayChange, ...] | None = None
    lapsed: str = ""
    settled: dict[str, SettledItem] = attrs.field(factory=dict)

    def finished(self) -> dict[str, StepResult]:
        """The steps that are not done again, by key: those that finished well, and looks that let the changes go on."""
        return {
            step.key: step
            for step in self.steps
            if step.key != self.lapsed
            and (
                step.status in FINISHED_WELL or (step.kind == "detect" and step.status in NOT_JUDGED and not step.stops)
            )
        }

    def touched(self, step_key: str) -> tuple[ItemOutcome, ...]:
        """The items of the step of that key that an earlier attempt changed, or may have changed."""
        items = (self._now(step_key, item) for step in self.steps if step.key == step_key for item in step.items)
        return tuple(item for item in items if item.touched)

    def changed_by(self, number: int) -> frozenset[str]:
        """The names of what earlier attempts changed, or may have changed, in the step of that number on all hosts."""
        keys = {step.key for step in self.steps if step.number == number}
        return frozenset(item.item for key in keys for item in self.touched(key))

    def _now(self, step_key: str, item: ItemOutcome) -> ItemOutcome:
        """*item* of that step, as far as it is known now."""
        settled = self.settled.get(f"{step_key}.{item.target}")
        if item.status is not Status.UNKNOWN or settled is None:
            return item
        return attrs.evolve(item, status=settled.status, reason=settled.reason, touched=settled.touched)

    def item(self, step_key: str, name: str) -> ItemOutcome | None:
        """The outcome of one of these items."""
        return next((item for item in self.touched(step_key) if item.item == name), None)

    def one_way(self, step_key: str, host: str, target: str, values: Mapping[str, Any]) -> ItemOutcome | None:
        """The outcome of the step's one-way change on *host* with *values*, if an earlier attempt made it."""
        if self.pulses is None:
            return self.item(step_key, host)
        one_way = next((change for change in self.pulses if change.is_of(step_key, host, values)), None)
        if one_way is None:
            return None
        items = [item for item in self.touched(step_key) if item.item == host]
        if len(items) != 1:
            # A step with a loop has several items of one host: which of them is this change is not recorded.
            return one_way.item(host, target)
        return attrs.evolve(items[0], status=one_way.outcome.status, reason=one_way.outcome.reason)

    def added_to(self, step_key: str, result: StepResult) -> StepResult:
        """*result* of the step of that key, with the items that earlier attempts changed and this one did not.

        The record keeps one result for each step, so this one takes the place of the earlier one. Without these items
        the record would forget changes that were made, and neither the report nor ``undo`` would know of them. Several
        items of a step may have one name (a loop over the pools of one host), so they are matched one by one.
        """
        touched_again = collections.Counter(item.item for item in result.items if item.touched)
        items = list(result.items)
        for old in self.touched(step_key):
            if touched_again[old.item] > 0:
                touched_again[old.item] -= 1
                continue
            at = next((at for at, new in enumerate(items) if new.item == old.item and not new.touched), None)
            if at is None:
                items.append(old)
            else:
                new = items[at]
                new = attrs.evolve(new, touched=True, undo=new.undo or old.undo, ended=new.ended or old.ended)
                if old.status is Status.UNKNOWN and new.status not in AS_WANTED:
                    new = attrs.evolve(new, status=old.status, reason=old.reason)
                items[at] = new
        if items == list(result.items):
            return result
        # Also if this attempt did not come to the step: what is not known of it is not known of the run.
        status = worst((result.status, *(item.status for item in items if item.status in OPEN)))
        done = result.done or Done(result.subject)
        ended = {item.item: item.ended for item in items if item.ended is not None}
        return attrs.evolve(
            result, status=status, done=attrs.evolve(done, items=tuple(items), ended={**ended, **done.ended})
        )


def _same(one: Any, other: Any) -> bool:
    """Whether two parameters are equal. The names that IIS and Windows use are not case-sensitive."""
    return one.lower() == other.lower() if isinstance(one, str) and isinstance(other, str) else bool(one == other)
