"""A changing step (``do``): plans all its items, checks them against the limits and the approval, then applies them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import attrs

from easops.actions.action import Plan
from easops.actions.outcome import Done, ItemOutcome
from easops.inventory.host import Host
from easops.playbook.language.expression import expressions_in
from easops.playbook.language.model import Step
from easops.playbook.steps.approval_request import RULE, PlannedChange, unapproved_changes
from easops.playbook.steps.effects import Job, Preview
from easops.playbook.steps.run_state import RunState, host_names
from easops.playbook.steps.step_plan import StepPlan, plan_step, planned_changes, rounds_of
from easops.playbook.steps.step_result import StepResult
from easops.status import ITEM_STOPS, Status


def changing_step(step: Step, state: RunState) -> StepResult:
    """Do what *step* says, or predict it (under check).

    Raises BadInput for a value that is wrong, and Refused for one that a rule forbids.
    """
    action = state.actions[step.subject]
    rounds = rounds_of(step, state)
    hosts: tuple[Host, ...] = ()
    if action.scope == "server":
        hosts = state.hosts_of(step)
        if not hosts:
            return StepResult.of(step, Status.SKIPPED, reason="no hosts")
    if not rounds:
        return StepResult.of(step, Status.SKIPPED, reason="no items in for_each")
    step_plan = plan_step(step, action, rounds, hosts, state)
    if refusal := _over_the_limit(step_plan, state):
        return refusal
    changes = planned_changes(step_plan, state)
    if state.foreseen is not None:
        state.foreseen += changes
    if state.effects.checking:
        return _predicted(step_plan, state)
    if refusal := _unapproved(step_plan, changes, state) or _unconfirmed(step_plan, state):
        return refusal
    outcomes = _applied(step_plan, state)
    items = tuple(step_plan.settled.get(at, outcome) for at, outcome in enumerate(outcomes))
    return _finished(step_plan, items, state)


# -- what may keep it from being applied ---------------------------------------------------------------------------


def _over_the_limit(step_plan: StepPlan, state: RunState) -> StepResult | None:
    """The refusal of a step that would change more than ``limits.changes``, those of earlier attempts included."""
    most = state.limit("changes")
    items = {plan.item for plan in step_plan.wanted}
    if items:
        items |= state.earlier.changed_by(step_plan.step.number)
    if state.host is not None:
        # A step of a group counts as one step, however many hosts the group has.
        items |= state.changes_by_step.get(step_plan.step.number, set())
        state.changes_by_step[step_plan.step.number] = items
    if len(items) <= most:
        return None
    return _refused(step_plan, state, f"it would change {len(items)} items, and limits.changes is {most}")


def _unapproved(step_plan: StepPlan, changes: Sequence[PlannedChange], state: RunState) -> StepResult | None:
    """The refusal of a step whose plan is not within what was approved."""
    if state.approved is None:
        return None
    differences = unapproved_changes(changes, state.approved.changes)
    if not differences:
        return None
    items = tuple(
        step_plan.settled.get(at) or _unapproved_item(plan, differences, state)
        for at, plan in enumerate(step_plan.plans)
    )
    reason = "the plan differs from the approved plan: nothing was sent"
    return _finished(step_plan, items, state, Status.REFUSED, reason=reason)


def _unapproved_item(plan: Plan, differences: Mapping[str, str], state: RunState) -> ItemOutcome:
    """An item of a step whose plan was not approved; *differences* says by item what was not."""
    if plan.status is not Status.WOULD_CHANGE:
        return _item(plan, state)
    reason = differences.get(plan.item, "another item of this step is not planned as it was approved")
    return attrs.evolve(_item(plan, state, Status.REFUSED, reason), rule=RULE)


def _unconfirmed(step_plan: StepPlan, state: RunState) -> StepResult | None:
    """Ask once in a run whether its changes may be made; the refusal, if they may not."""
    if state.confirmed or not step_plan.wanted:
        return None
    step = step_plan.step
    later = [other for other in state.playbook.steps if other.changes and other.number > step.number]
    preview = Preview(
        step=step.name if state.host is None else f"{step.name} ({state.host.name}, then host by host)",
        plans=step_plan.plans,
        later=tuple(f"{other.name} ({other.subject})" for other in later),
        hosts=host_names(state.hosts),
        changes_limit=state.limit("changes"),
        hosts_at_once=state.limit("hosts_at_once"),
    )
    if not state.effects.ask(preview):
        return _refused(step_plan, state, "not confirmed: nothing was changed", "not confirmed")
    state.confirmed = True
    return None


def _refused(step_plan: StepPlan, state: RunState, reason: str, item_reason: str = "") -> StepResult:
    """The step, refused as a whole. What an earlier attempt of the run changed stays changed."""
    items = tuple(
        step_plan.settled.get(at) or _item(plan, state, Status.REFUSED, item_reason or reason)
        for at, plan in enumerate(step_plan.plans)
    )
    return _finished(step_plan, items, state, Status.REFUSED, reason=reason)


# -- applying ------------------------------------------------------------------------------------------------------


def _predicted(step_plan: StepPlan, state: RunState) -> StepResult:
    """The step as it would end; not certain where it depends on the prediction for an earlier step."""
    depends = _depends_on(step_plan.step, state)
    items = tuple(
        step_plan.settled.get(at) or _item(plan, state, certain=not depends) for at, plan in enumerate(step_plan.plans)
    )
    return _finished(step_plan, items, state, certain=not depends, reason=depends if step_plan.wanted else "")


def _depends_on(step: Step, state: RunState) -> str:
    """The sentence on the earlier step whose predicted changes *step* depends on; empty where there is none."""
    used = {
        name
        for setting in (step.when, step.for_each, step.on, step.with_, step.because)
        for expression in expressions_in(setting)
        for name in expression.names()
    }
    for name, (earlier, result) in state.results_by_name.items():
        if name in used and result.done is not None and result.done.changed:
            return f"depends on {earlier.name!r}"
    return ""


def _applied(step_plan: StepPlan, state: RunState) -> tuple[ItemOutcome, ...]:
    """Apply the plans, one job for each target; the outcomes in the order of the plans."""
    plans = step_plan.plans
    by_target: dict[str, list[Plan]] = {}
    for plan in step_plan.wanted:
        by_target.setdefault(_target(plan, state), []).append(plan)
    # A server that cannot be planned counts as a server that failed: no server after it starts.
    failed_at = next(
        (at for at, plan in enumerate(plans) if plan.host is not None and plan.status in ITEM_STOPS), len(plans)
    )
    startable = {_target(plan, state) for plan in plans[:failed_at]}
    jobs = [
        Job(
            step_plan.step.number,
            target,
            of_target[0].host,
            tuple(of_target),
            state.host_name,
            None if state.approved is None else state.approved.until,
        )
        for target, of_target in by_target.items()
        if target in startable
    ]
    done = {job.target: list(items) for job, items in state.effects.apply(jobs, state.limit("hosts_at_once"))}
    outcomes: list[ItemOutcome] = []
    for plan in plans:
        if plan.status is not Status.WOULD_CHANGE:
            outcomes.append(_item(plan, state))
        elif of_this := done.get(_target(plan, state)):
            outcomes.append(of_this.pop(0))
        else:
            outcomes.append(_item(plan, state, Status.NOT_STARTED, "an earlier item failed"))
    return tuple(outcomes)


def _target(plan: Plan, state: RunState) -> str:
    return state.facts.organisation if plan.host is None else state.target_of(state.context.host(plan.host))


def _item(
    plan: Plan, state: RunState, status: Status | None = None, reason: str | None = None, *, certain: bool = True
) -> ItemOutcome:
    """The item of a plan that is not applied."""
    return ItemOutcome(
        item=plan.item,
        target=_target(plan, state),
        status=plan.status if status is None else status,
        reason=plan.reason if reason is None else reason,
        before=plan.before,
        after=plan.after,
        effective=plan.effective,
        undo=plan.undo if plan.changes else "",
        certain=certain,
        instead=plan.instead,
        pending=plan.pending,
    )


def _finished(
    step_plan: StepPlan,
    items: tuple[ItemOutcome, ...],
    state: RunState,
    status: Status | None = None,
    *,
    reason: str = "",
    certain: bool = True,
) -> StepResult:
    """The result of the step; its status is that of its worst item, where *status* does not say otherwise."""
    step = step_plan.step
    ended = {item.item: item.ended for item in items if item.ended is not None}
    now = state.effects.once(f"{state.effect_key(step)}.ended", dt.datetime, state.context.clock.now)
    done = Done(step.subject, items, ended, now)
    return StepResult.of(
        step,
        done.status if status is None else status,
        reason=reason,
        hosts=host_names(step_plan.hosts),
        because=step_plan.because,
        done=done,
        certain=certain,
    )
