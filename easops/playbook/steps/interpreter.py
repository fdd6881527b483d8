"""What the steps of a playbook mean, in plain Python that knows no engine.

``interpret`` decides. Everything that touches the world goes through an ``Effects``: the one of ``--check`` only reads,
the engine's makes each touch durable. The decisions are the same with both.
Source: docs/explanation/playbooks.md.
"""

from __future__ import annotations

import collections
import datetime as dt
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import attrs

from easops.actions import ACTIONS
from easops.actions.action import Action, Plan
from easops.actions.outcome import Done, ItemOutcome
from easops.clock import Waiting
from easops.context import Context
from easops.detectors import DETECTORS
from easops.detectors.detection_status import detect_status, verify_status
from easops.detectors.detector import Detector
from easops.detectors.finding import Detection
from easops.errors import (
    BadInput,
    EasopsError,
    OutcomeUnknown,
    Refused,
    UnreachableHost,
)
from easops.inventory.host import Host
from easops.inventory.select import one_organisation, select
from easops.playbook.language.expression import Setting, evaluate, expressions_in
from easops.playbook.language.model import Group, Playbook, Step
from easops.playbook.steps.approval_request import RULE, Approval, Foreseen, PlannedChange, digest_of, others
from easops.playbook.steps.detection_status import (
    failing,
    merge,
    of_hosts,
    undetermined_words,
    until_told,
    verify_words,
    waiting_for,
)
from easops.playbook.steps.earlier import Earlier
from easops.playbook.steps.effects import Effects, Job, Preview, ReadOnlyEffects
from easops.playbook.steps.facts import Facts
from easops.playbook.steps.observer import Silent
from easops.playbook.steps.step_result import StepResult, step_key
from easops.status import EXIT_CODES, Status

_POLL_FIRST: Final = 5.0
_POLL_MOST: Final = 60.0
"""Seconds between the looks of a verify: first short, then longer."""


@attrs.frozen
class _OnHost:
    """The steps of a group on one host, which are still to come."""

    group: Group
    host: Host


@attrs.frozen
class _GroupEnd:
    """Behind a group: the names are those from before it."""

    namespace: Mapping[str, Any]


@attrs.define
class _Walk:
    playbook: Playbook
    left: list[Step | Group | _OnHost | _GroupEnd]
    """What is still to come, in order."""
    facts: Facts
    hosts: tuple[Host, ...]
    left_out: tuple[Host, ...]
    context: Context
    effects: Effects
    namespace: dict[str, Any]
    targets: Callable[[Host], str]
    actions: Mapping[str, Action]
    detectors: Mapping[str, Detector]
    earlier: Earlier
    asked: bool
    begun: bool = False
    """Whether a step was reached that no earlier walk has ended well."""
    host: Host | None = None
    """The host at hand, in an ``each_host``."""
    stopped: str = ""
    """The name of the step that stopped the changes; empty while they go on."""
    named: dict[str, tuple[Step, StepResult]] = attrs.field(factory=dict)
    """The results by their ``as``."""
    counted: dict[int, set[str]] = attrs.field(factory=dict)
    """By step of a group, the items that it would have changed on the hosts so far."""
    results: list[StepResult] = attrs.field(factory=list)
    approved: Approval | None = None
    """What was approved of the changes that are to come; None where they need no approval."""
    ahead: list[PlannedChange] | None = None
    """What is planned, in a walk that only looks ahead of an approval step: to the next one, or the end."""

    # -- the walk -----------------------------------------------------------------------------------------------

    def walk(self) -> None:
        while self.left:
            part = self.left.pop(0)
            if isinstance(part, Step):
                self._take(part)
            elif isinstance(part, Group):
                self._group(part)
            elif isinstance(part, _OnHost):
                self._on_host(part)
            else:
                self.host = None
                self.namespace = dict(part.namespace)

    def _group(self, group: Group) -> None:
        """All steps on one host before the next begins; after a stop no further host does."""
        hosts: tuple[Host, ...] = ()
        if not self.stopped:
            try:
                hosts = self._chosen(group.each_host)
            except BadInput as error:
                self._not_begun(group, Status.FAILED, str(error))
                return
        most = self.playbook.limits.changes
        if len(hosts) > most and _changes_each(group):
            why = f"it would change {len(hosts)} hosts, and limits.changes is {most}"
            self._not_begun(group, Status.REFUSED, why)
            return
        if not hosts:
            self._not_begun(group, Status.SKIPPED, "no hosts")
        self.left[:0] = [*(_OnHost(group, host) for host in hosts), _GroupEnd(dict(self.namespace))]

    def _on_host(self, part: _OnHost) -> None:
        self.host = part.host
        self.namespace["host"] = part.host.name
        if self.stopped:
            self._not_begun(part.group)
        else:
            self.left[:0] = part.group.steps

    def _not_begun(self, group: Group, status: Status = Status.NOT_STARTED, reason: str = "") -> None:
        """The steps of a group that nothing is done of, here or at all: each is *status*, or behind a stop."""
        for step in group.steps:
            going_on = not self.stopped
            result = _result(step, status, reason=reason)
            if not going_on:
                result = _result(step, Status.NOT_STARTED, reason=f"behind the stop at {self.stopped!r}")
            self.effects.finished(self._keep(step, result))
            if going_on and self.stopped:
                self.stopped = group.name

    def _take(self, step: Step) -> None:
        """Do a step, unless an earlier walk of the run has ended it well."""
        done = None if self.begun else self.earlier.finished().get(self._key(step))
        if done is not None:
            self._keep(step, done)
            return
        self.begun = True
        where = "" if self.host is None else f" ({self.host.name})"
        self.context.progress(f"step {step.number} of {len(self.playbook.steps)}: {step.name}{where}")
        started = self.context.clock.monotonic()
        try:
            result = self._stepped(step)
        except (BadInput, Refused) as error:
            status = Status.REFUSED if isinstance(error, Refused) else Status.FAILED
            result = _result(step, status, reason=str(error))
        result = attrs.evolve(result, seconds=round(self.context.clock.monotonic() - started, 3))
        self.effects.finished(self._keep(step, result))

    def _keep(self, step: Step, result: StepResult) -> StepResult:
        """Take a step's result into the namespace, and see whether it stops the changes."""
        at_hand = None if self.host is None else self.host.name
        result = self._with_earlier(step, result)
        result = attrs.evolve(result, host=at_hand, position=len(self.results) + 1)
        if result.approval is not None and result.status in (Status.OK, Status.SKIPPED) and not self.effects.checking:
            self.approved = result.approval
            self.asked = self.asked or result.status is Status.OK
        if step.as_ is not None:
            empty: Any = Done(step.subject) if step.kind == "do" else Detection(step.subject)
            self.namespace[step.as_] = result.done or result.detection or empty
            self.named[step.as_] = (step, result)
        if not self.stopped and _stops(step, result):
            self.stopped = step.name if at_hand is None else f"{step.name} ({at_hand})"
            result = attrs.evolve(result, stops=True)
        self.results.append(result)
        return result

    def _with_earlier(self, step: Step, result: StepResult) -> StepResult:
        """The result, with what earlier walks changed in the step: it takes the place of theirs in the record."""
        told = collections.Counter(item.item for item in result.items if item.touched)
        items = list(result.items)
        for old in self.earlier.touched(self._key(step)):
            if told[old.item] > 0:
                told[old.item] -= 1
                continue
            at = next((at for at, new in enumerate(items) if new.item == old.item and not new.touched), None)
            if at is None:
                items.append(old)
            else:
                new = items[at]
                items[at] = attrs.evolve(new, touched=True, undo=new.undo or old.undo, ended=new.ended or old.ended)
        if items == list(result.items):
            return result
        done = result.done or Done(step.subject)
        ended = {item.item: item.ended for item in items if item.ended is not None}
        return attrs.evolve(result, done=attrs.evolve(done, items=tuple(items), ended={**ended, **done.ended}))

    def _key(self, step: Step) -> str:
        return step_key(step.number, None if self.host is None else self.host.name)

    def _touch(self, step: Step) -> str:
        """What the engine calls the step's touches of the world."""
        return f"{self._key(step)}.{step.kind}.{step.subject}"

    def _stepped(self, step: Step) -> StepResult:
        if (step.changes or step.kind == "approval") and self.stopped:
            return _result(step, Status.NOT_STARTED, reason=f"behind the stop at {self.stopped!r}")
        if step.when is not None and not evaluate(step.when, self.namespace):
            return _result(step, Status.SKIPPED, reason=f"its condition does not hold: {_said(step.when)}")
        if step.kind == "approval":
            return self._approval(step)
        if step.kind == "do":
            return self._do(step)
        hosts = self._hosts_of(step)
        given = step.given(self.detectors[step.subject].parameters, self.namespace) if step.kind == "detect" else ()
        if not hosts:
            return _result(step, Status.SKIPPED, reason="no hosts", given=given)
        if step.kind == "verify":
            return self._verify(step, hosts)
        return attrs.evolve(self._detect(step, hosts), given=given)

    def _hosts_of(self, step: Step) -> tuple[Host, ...]:
        if self.host is not None:
            return (self.host,)
        return self.hosts if step.on is None else self._chosen(step.on)

    def _chosen(self, setting: Setting) -> tuple[Host, ...]:
        on = evaluate(setting, self.namespace)
        if not on:
            return ()
        known = (*self.hosts, *self.left_out)
        chosen = select(on if isinstance(on, str) else tuple(str(name) for name in on), known)
        return tuple(host for host in self.hosts if host in chosen)

    # -- reading ------------------------------------------------------------------------------------------------

    def _detect(self, step: Step, hosts: Sequence[Host]) -> StepResult:
        detector = self.detectors[step.subject]
        values = step.arguments(detector.parameters, self.namespace)
        found = self.effects.once(self._touch(step), Detection, lambda: detector.detect(hosts, values, self.context))
        return _result(
            step,
            detect_status(found, unreachable_allowed=self.playbook.limits.unreachable),
            hosts=_names(hosts),
            reason=undetermined_words(found),
            detection=found,
        )

    def _verify(self, step: Step, hosts: Sequence[Host]) -> StepResult:
        if self.effects.checking:
            return _result(step, Status.SKIPPED, reason="check: nothing was changed that could be verified")
        detector = self.detectors[step.subject]
        values = step.arguments(detector.parameters, self.namespace)
        within = step.patience(self.namespace).total_seconds()
        clock = self.context.clock

        def look() -> Detection:
            """Look until each host has passed by itself, or *within* has gone by; then the last look stands."""
            began = clock.monotonic()
            ends = began + within
            wait = _POLL_FIRST
            left, passed = list(hosts), Detection(step.subject)
            before: tuple[float, Detection] | None = None
            while True:
                seen = detector.detect(left, values, self.context)
                open_ = failing(seen)
                passed = merge(passed, of_hosts(seen, {host.name for host in left} - open_))
                left = [host for host in left if host.name in open_]
                if not left or clock.monotonic() >= ends:
                    return merge(passed, of_hosts(seen, open_))
                names = ", ".join(host.name for host in left)
                why, timed = waiting_for(seen)
                so_far = 0.0 if timed else clock.monotonic() - began  # one clock is enough in a line
                self.context.progress(Waiting(f"{names}: {why}", so_far, within, about=names))
                now = (clock.monotonic(), seen)
                told = 0.0 if before is None else until_told(before, now)
                before = now
                clock.sleep(min(max(wait, told), max(0.0, ends - clock.monotonic())))
                wait = min(wait * 1.5, _POLL_MOST)

        seen = self.effects.once(self._touch(step), Detection, look)
        status = verify_status(seen)
        return _result(step, status, hosts=_names(hosts), reason=verify_words(seen, status), detection=seen)

    # -- changing -----------------------------------------------------------------------------------------------

    def _do(self, step: Step) -> StepResult:
        action = self.actions[step.subject]
        rounds = self._rounds(step)
        hosts: tuple[Host, ...] = ()
        if action.scope == "server":
            hosts = self._hosts_of(step)
            if not hosts:
                return _result(step, Status.SKIPPED, reason="no hosts")
        if not rounds:
            return _result(step, Status.SKIPPED, reason="nothing to do it for")
        reasons: list[str] = []
        plans: list[Plan] = []
        carried: dict[int, ItemOutcome] = {}
        for number, names in enumerate(rounds):
            reasons.append(_text(evaluate(step.because, names)))
            for host in hosts or (None,):
                here = names if host is None else {**names, "host": host.name}
                label = None if host is None else host.name
                values = step.arguments(action.parameters, here)
                done = None
                if action.one_way and host is not None:
                    done = self.earlier.one_way(self._key(step), host.name, self.targets(host), values)
                if done is not None:
                    # It happened in an earlier walk of this run: two are not one.
                    carried[len(plans)] = done
                    plans.append(Plan(done.item, Status.OK, host=label))
                    continue
                key = f"{self._touch(step)}.{number}" + ("" if label is None else f".{label}")
                plan = self.effects.once(key, Plan, functools.partial(self._planned, action, values, label))
                done = self.earlier.item(self._key(step), plan.item)
                if done is not None and plan.status is Status.OK:
                    # As wanted, because an earlier walk of this run made it so: it is this run's change all the same.
                    carried[len(plans)] = attrs.evolve(done, status=Status.CHANGED, reason="")
                plans.append(plan)
        because = "; ".join(dict.fromkeys(reason for reason in reasons if reason))
        depends = self._depends(step)
        wanted = [plan for plan in plans if plan.status is Status.WOULD_CHANGE]
        most = self.playbook.limits.changes
        counted = {plan.item for plan in wanted}
        if self.host is not None:  # a step is one step, however many hosts its group has
            counted |= self.counted.setdefault(step.number, set())
            self.counted[step.number] = counted
        if len(counted) > most:
            why = f"it would change {len(counted)}, and limits.changes is {most}"
            items = tuple(_outcome(plan, self._target(plan), Status.REFUSED, why) for plan in plans)
            return self._done(step, hosts, items, because, Status.REFUSED, reason=why)
        planned = self._changes(step, wanted)
        if self.ahead is not None:
            self.ahead += planned
        if self.effects.checking:
            items = tuple(
                carried.get(at) or _outcome(plan, self._target(plan), certain=not depends)
                for at, plan in enumerate(plans)
            )
            return self._done(step, hosts, items, because, certain=not depends, reason=depends if wanted else "")
        if self.approved is not None and (new := others(planned, self.approved.changes)):
            items = tuple(carried.get(at) or self._unapproved(plan, new) for at, plan in enumerate(plans))
            why = "its plan is not the one that was approved: nothing was sent"
            return self._done(step, hosts, items, because, Status.REFUSED, reason=why)
        if wanted and not self.asked:
            later = [other for other in self.playbook.steps if other.changes and other.number > step.number]
            preview = Preview(
                step=step.name if self.host is None else f"{step.name} ({self.host.name}, then host by host)",
                plans=tuple(plans),
                later=tuple(f"{other.name} ({other.subject})" for other in later),
                hosts=_names(self.hosts),
                changes_limit=most,
                hosts_at_once=self.playbook.limits.hosts_at_once,
            )
            if not self.effects.ask(preview):
                items = tuple(_outcome(plan, self._target(plan), Status.REFUSED, "not confirmed") for plan in plans)
                return self._done(
                    step, hosts, items, because, Status.REFUSED, reason="not confirmed: nothing was changed"
                )
            self.asked = True
        outcomes = [carried.get(at, outcome) for at, outcome in enumerate(self._applied(step, plans))]
        return self._done(step, hosts, tuple(outcomes), because)

    def _changes(self, step: Step, plans: Sequence[Plan]) -> list[PlannedChange]:
        """What the plans would change, as an approval has it."""
        at_hand = None if self.host is None else self.host.name
        everywhere = f"organisation {self.hosts[0].organisation}"
        return [
            PlannedChange(
                step.number,
                at_hand,
                step.subject,
                everywhere if plan.host is None else plan.host,
                plan.item,
                plan.changes[-1].subject if plan.changes else plan.item,
                plan.mailbox,
                plan.before,
                plan.after,
                plan.undo,
                plan.effective,
            )
            for plan in plans
        ]

    def _unapproved(self, plan: Plan, new: Mapping[str, str]) -> ItemOutcome:
        """An item of a step that is not sent; *new* says of those that were not approved how they differ."""
        if plan.status is not Status.WOULD_CHANGE:
            return _outcome(plan, self._target(plan))
        why = new.get(plan.item, "others of this step were not approved as they are planned now")
        return attrs.evolve(_outcome(plan, self._target(plan), Status.REFUSED, why), rule=RULE)

    # -- approval -----------------------------------------------------------------------------------------------

    def _approval(self, step: Step) -> StepResult:
        """Ask for what is to come, unless somebody has approved exactly that."""
        if self.ahead is not None:
            self.left.clear()
            return _result(step, Status.SKIPPED, reason="what is behind it is asked for by itself")
        told = _text(evaluate(step.approval, self.namespace))
        expires = step.lifetime(self.namespace)
        foreseen = self.effects.once(f"{self._touch(step)}.plan", Foreseen, self._foreseen)
        if foreseen.problem:
            return _result(
                step, Status(foreseen.status), reason=f"what it is for cannot be planned: {foreseen.problem}"
            )
        asked = Approval(told, foreseen.changes, digest_of(foreseen.changes), step.by, expires)
        if not asked.changes:
            return _result(step, Status.SKIPPED, reason="nothing to approve", approval=asked)
        if self.effects.checking:
            return _result(step, Status.SKIPPED, reason="check: an approval would be asked for", approval=asked)
        verdict = self.effects.approval(self._touch(step), self._key(step), asked)
        asked = attrs.evolve(asked, asked_by=verdict.asked_by, until=verdict.until, approved_by=verdict.approved_by)
        status = Status.AWAITING_APPROVAL if verdict.approved_by is None else Status.OK
        return _result(step, status, reason=verdict.void, approval=asked)

    def _foreseen(self) -> Foreseen:
        """What the steps to come would change up to the next approval step, by a walk that only looks."""

        def progress(text: str) -> None:
            self.context.progress(f"planning what is to be approved: {text}")

        ahead = attrs.evolve(
            self,
            left=list(self.left),
            context=attrs.evolve(self.context, progress=progress),
            effects=ReadOnlyEffects(Silent()),
            namespace=dict(self.namespace),
            named=dict(self.named),
            counted={number: set(items) for number, items in self.counted.items()},
            results=[],
            ahead=[],
        )
        ahead.walk()
        assert ahead.ahead is not None
        stop = next((held for held in ahead.results if held.stops and _is_problem(held.status)), None)
        if stop is None:
            return Foreseen(tuple(ahead.ahead))
        why = "; ".join(f"{item.item}: {item.reason}" for item in stop.items if _is_problem(item.status))
        return Foreseen((), f"{stop.name}: {why or stop.reason}", stop.status)

    def _rounds(self, step: Step) -> list[Mapping[str, Any]]:
        """The namespaces that the step is planned in: one for each item of its loop, most hits first."""
        if step.for_each is None:
            return [self.namespace]
        items = evaluate(step.for_each, self.namespace)
        if items is None or isinstance(items, str) or not isinstance(items, Iterable):
            raise BadInput(f"{step.place}: for_each of step {step.name!r} gives no list", f"it gives {items!r}")
        ordered = sorted(items, key=lambda item: -int(getattr(item, "hits", 0)))
        return [{**self.namespace, "item": item} for item in ordered]

    def _planned(self, action: Action, values: Mapping[str, Any], host: str | None) -> Plan:
        item = host or str(values.get("user", action.name))
        try:
            plan = action.plan(values, host, self.context)
        except (UnreachableHost, OutcomeUnknown) as error:  # a read without an answer changed nothing
            return Plan(item, Status.UNREACHABLE, str(error), host=host)
        except Refused as error:
            return Plan(item, Status.REFUSED, str(error), host=host)
        except EasopsError as error:
            return Plan(item, Status.FAILED, str(error), host=host)
        if plan.health_mailbox:
            why = "a health mailbox is always protected"
            return attrs.evolve(plan, status=Status.REFUSED, reason=why, changes=(), instead={})
        if plan.mailbox is not None and plan.mailbox in self.facts.protected:
            why = self.facts.protected_because.get(plan.mailbox, "protected")
            return attrs.evolve(plan, status=Status.REFUSED, reason=why, changes=(), after=None, instead={})
        return plan

    def _applied(self, step: Step, plans: Sequence[Plan]) -> tuple[ItemOutcome, ...]:
        by_target: dict[str, list[Plan]] = {}
        for plan in plans:
            if plan.status is Status.WOULD_CHANGE:
                by_target.setdefault(self._target(plan), []).append(plan)
        # On servers, what cannot be planned is a failed host: after it no further host starts.
        broken = next((i for i, p in enumerate(plans) if p.host is not None and _is_stop(p.status)), len(plans))
        startable = {self._target(plan) for plan in plans[:broken]}
        jobs = [
            Job(
                step.number,
                target,
                held[0].host,
                tuple(held),
                None if self.host is None else self.host.name,
                None if self.approved is None else self.approved.until,
            )
            for target, held in by_target.items()
            if target in startable
        ]
        done = {job.target: list(items) for job, items in self.effects.apply(jobs, self.playbook.limits.hosts_at_once)}
        outcomes: list[ItemOutcome] = []
        for plan in plans:
            target = self._target(plan)
            if plan.status is not Status.WOULD_CHANGE:
                outcomes.append(_outcome(plan, target))
            elif done.get(target):
                outcomes.append(done[target].pop(0))
            else:
                outcomes.append(
                    _outcome(plan, target, Status.NOT_STARTED, "behind an earlier one that did not end well")
                )
        return tuple(outcomes)

    def _target(self, plan: Plan) -> str:
        return self.facts.organisation if plan.host is None else self.targets(self.context.host(plan.host))

    def _done(
        self,
        step: Step,
        hosts: Sequence[Host],
        items: tuple[ItemOutcome, ...],
        because: str,
        status: Status | None = None,
        *,
        reason: str = "",
        certain: bool = True,
    ) -> StepResult:
        ended = {item.item: item.ended for item in items if item.ended is not None}
        finished = self.effects.once(f"{self._touch(step)}.ended", dt.datetime, self.context.clock.now)
        done = Done(step.subject, items, ended, finished)
        return _result(
            step,
            done.status if status is None else status,
            reason=reason,
            hosts=_names(hosts),
            because=because,
            done=done,
            certain=certain,
        )

    def _depends(self, step: Step) -> str:
        """The sentence on the earlier step whose prediction this one rests on; empty where it rests on none."""
        used = {
            name
            for setting in (step.when, step.for_each, step.on, step.with_, step.because)
            for expression in expressions_in(setting)
            for name in expression.names()
        }
        for name, (earlier, result) in self.named.items():
            if name in used and result.done is not None and result.done.changed:
                return f"depends on {earlier.name!r}"
        return ""


def interpret(
    playbook: Playbook,
    inputs: Mapping[str, Any],
    facts: Facts,
    hosts: Sequence[Host],
    context: Context,
    effects: Effects,
    targets: Callable[[Host], str],
    *,
    left_out: Sequence[Host] = (),
    earlier: Earlier | None = None,
    actions: Mapping[str, Action] = ACTIONS,
    detectors: Mapping[str, Detector] = DETECTORS,
) -> tuple[StepResult, ...]:
    """Walk the steps of *playbook* over *hosts*.

    *inputs* are checked values by name; *targets* names a host's target; *left_out* are hosts of the playbook
    that the run is not to touch, passed over where an ``on:`` names them. With *earlier* the walk begins at the first
    step that no earlier walk of the same run ended well. Raises Refused for hosts of two organisations.
    """
    one_organisation(tuple(hosts))
    before = earlier or Earlier()
    walking = _Walk(
        playbook,
        list(playbook.parts),
        facts,
        tuple(hosts),
        tuple(left_out),
        context,
        effects,
        dict(inputs),
        targets,
        actions=actions,
        detectors=detectors,
        earlier=before,
        asked=before.asked,
    )
    walking.walk()
    return tuple(walking.results)


# -- words and verdicts --------------------------------------------------------------------------------------------


def _changes_each(group: Group) -> bool:
    """Whether the group changes something on each of its hosts, whatever is found there."""
    looked = False
    for step in group.steps:
        if step.changes and step.when is None and step.for_each is None and not looked:
            return True
        looked = looked or step.kind == "detect"
    return False


def _names(hosts: Iterable[Host]) -> tuple[str, ...]:
    return tuple(host.name for host in hosts)


def _said(setting: Any) -> str:
    """A condition as the playbook has it, without its braces."""
    return str(getattr(setting, "text", setting)).strip().removeprefix("{{").removesuffix("}}").strip()


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _result(step: Step, status: Status, **more: Any) -> StepResult:
    return StepResult(step.number, step.name, step.kind, step.subject, status, **more)


def _outcome(
    plan: Plan, target: str, status: Status | None = None, reason: str | None = None, *, certain: bool = True
) -> ItemOutcome:
    return ItemOutcome(
        item=plan.item,
        target=target,
        status=plan.status if status is None else status,
        reason=plan.reason if reason is None else reason,
        before=plan.before,
        after=plan.after,
        effective=plan.effective,
        undo=plan.undo if plan.changes else "",
        certain=certain,
        instead=plan.instead,
    )


def _is_problem(status: Status) -> bool:
    return EXIT_CODES[status] > EXIT_CODES[Status.REFUSED]


def _is_stop(status: Status) -> bool:
    return _is_problem(status) and status is not Status.UNDETERMINED


def _stops(step: Step, result: StepResult) -> bool:
    """Whether no later changing step may start; the table of statuses says so."""
    statuses = {result.status} | {item.status for item in result.items}
    if Status.UNKNOWN in statuses:
        return True
    if result.unapproved:
        return True
    if step.on_failure == "continue":
        return False
    if step.for_each is not None and result.done is not None and result.items:
        whole_step_refused = all(item.status is Status.REFUSED for item in result.items) and bool(result.reason)
        return whole_step_refused or any(_is_stop(item.status) for item in result.items)
    return EXIT_CODES[result.status] >= EXIT_CODES[Status.REFUSED]
