"""The plan of a changing step: what it would do to each item, on each host, from reads alone."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from easops.actions.action import Action, Plan
from easops.actions.outcome import ItemOutcome
from easops.errors import BadInput, EasopsError, OutcomeUnknown, Refused, UnreachableHost
from easops.inventory.host import Host
from easops.playbook.language.expression import evaluate
from easops.playbook.language.model import Step
from easops.playbook.steps.approval_request import PlannedChange
from easops.playbook.steps.run_state import RunState
from easops.status import Status


@attrs.frozen
class StepPlan:
    """A step with the plans of all its items, in order. *settled* are the outcomes of items that an earlier attempt
    changed, by their position among the plans."""

    step: Step
    hosts: tuple[Host, ...]
    plans: tuple[Plan, ...]
    settled: Mapping[int, ItemOutcome]
    because: str

    @property
    def wanted(self) -> tuple[Plan, ...]:
        """The plans that change something."""
        return tuple(plan for plan in self.plans if plan.status is Status.WOULD_CHANGE)


def rounds_of(step: Step, state: RunState) -> list[Mapping[str, Any]]:
    """The names that the step is planned with: once for each item of its loop, most hits first.

    Raises BadInput where ``for_each`` is not a list.
    """
    if step.for_each is None:
        return [state.namespace]
    items = evaluate(step.for_each, state.namespace)
    if items is None or isinstance(items, str) or not isinstance(items, Iterable):
        raise BadInput(f"{step.place}: for_each of step {step.name!r} is not a list", f"it is {items!r}")
    ordered = sorted(items, key=lambda item: -int(getattr(item, "hits", 0)))
    return [{**state.namespace, "item": item} for item in ordered]


def plan_step(
    step: Step, action: Action, rounds: Sequence[Mapping[str, Any]], hosts: tuple[Host, ...], state: RunState
) -> StepPlan:
    """Plan every item on every host, before anything is changed.

    *rounds* are the names for each round of its loop. Raises BadInput for a value of ``with:`` that is wrong.
    """
    reasons: list[str] = []
    plans: list[Plan] = []
    settled: dict[int, ItemOutcome] = {}
    for number, namespace in enumerate(rounds):
        because = evaluate(step.because, namespace)
        reasons.append("" if because is None else str(because))
        for host in hosts or (None,):
            plan, made = _plan_item(step, action, number, namespace, host, state)
            if made is not None:
                settled[len(plans)] = made
            plans.append(plan)
    because = "; ".join(dict.fromkeys(reason for reason in reasons if reason))
    return StepPlan(step, hosts, tuple(plans), settled, because)


def _plan_item(
    step: Step, action: Action, number: int, namespace: Mapping[str, Any], host: Host | None, state: RunState
) -> tuple[Plan, ItemOutcome | None]:
    """The plan of one item, and its outcome where an earlier attempt of the run changed it already."""
    step_key = state.key(step)
    values = step.arguments(action.parameters, namespace if host is None else {**namespace, "host": host.name})
    if action.one_way and host is not None:
        made = state.earlier.one_way(step_key, host.name, state.target_of(host), values)
        if made is not None:
            # Not planned again: a reading does not show that it was done, so the plan would do it a second time.
            return Plan(made.item, Status.OK, host=host.name), made
    host_name = None if host is None else host.name
    key = f"{state.effect_key(step)}.{number}" + ("" if host is None else f".{host.name}")
    plan = state.effects.once(key, Plan, functools.partial(_plan, step, action, values, host_name, state))
    made = state.earlier.item(step_key, plan.item)
    if made is None or plan.status is not Status.OK:
        return plan, None
    # It is as wanted because an earlier attempt of this run changed it, so it counts as changed in this attempt too:
    # a later `when: limited.changed` must not come out differently because the run was resumed.
    return plan, attrs.evolve(made, status=Status.CHANGED, reason="")


def _plan(step: Step, action: Action, values: Mapping[str, Any], host: str | None, state: RunState) -> Plan:
    """One plan. Errors are statuses, and protected mailboxes are refused."""
    item = host or str(values.get("user", action.name))
    try:
        plan = action.plan(values, host, attrs.evolve(state.context, evidence=state.evidence_of(step)))
    except (UnreachableHost, OutcomeUnknown) as error:
        # A plan only reads: where a read got no answer, nothing was changed, and nothing is unknown.
        return Plan(item, Status.UNREACHABLE, error.with_next_step, host=host)
    except Refused as error:
        return Plan(item, Status.REFUSED, error.with_next_step, host=host)
    except EasopsError as error:
        return Plan(item, Status.FAILED, error.with_next_step, host=host)
    if plan.health_mailbox:
        reason = "a health mailbox is always protected"
        return attrs.evolve(plan, status=Status.REFUSED, reason=reason, changes=(), instead={})
    if plan.mailbox is not None and plan.mailbox in state.facts.protected:
        reason = state.facts.protected_because.get(plan.mailbox, "protected")
        return attrs.evolve(plan, status=Status.REFUSED, reason=reason, changes=(), after=None, instead={})
    return plan


def planned_changes(step_plan: StepPlan, state: RunState) -> list[PlannedChange]:
    """What the plans would change, as an approval describes it."""
    organisation = f"organisation {state.hosts[0].organisation}"
    return [
        PlannedChange(
            step_plan.step.number,
            state.host_name,
            step_plan.step.subject,
            organisation if plan.host is None else plan.host,
            plan.item,
            plan.changes[-1].subject if plan.changes else plan.item,
            plan.mailbox,
            plan.before,
            plan.after,
            plan.undo,
            plan.effective,
        )
        for plan in step_plan.wanted
    ]
