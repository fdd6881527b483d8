"""What the steps of a playbook mean, in plain Python that knows no engine.

``interpret`` decides. Everything that touches the world goes through an ``Effects``: the one of ``--check`` only reads,
the engine's makes each touch durable. The decisions are the same with both.

The steps are taken in order. A step that stops the run keeps every later changing step from starting; ``detect`` and
``verify`` steps still run. A resumed run begins at the first step that no earlier attempt has finished.
Source: docs/explanation/playbooks.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from easops.actions import ACTIONS
from easops.actions.action import Action
from easops.actions.outcome import Done
from easops.context import Context
from easops.detectors import DETECTORS
from easops.detectors.detection_status import judged_enough
from easops.detectors.detector import Detector
from easops.detectors.finding import Detection
from easops.errors import BadInput, Refused
from easops.inventory.host import Host
from easops.inventory.select import require_one_organisation
from easops.playbook.language.expression import Setting, evaluate
from easops.playbook.language.model import Group, Playbook, Step
from easops.playbook.steps.approval_request import Foreseen
from easops.playbook.steps.approval_step import approval_step, foreseen
from easops.playbook.steps.changing_step import changing_step
from easops.playbook.steps.detect_step import detect_step
from easops.playbook.steps.earlier import Earlier
from easops.playbook.steps.effects import Effects, ReadOnlyEffects
from easops.playbook.steps.facts import Facts
from easops.playbook.steps.observer import Silent
from easops.playbook.steps.run_state import RunState
from easops.playbook.steps.step_result import StepResult
from easops.playbook.steps.verify_step import verify_step
from easops.status import FINISHED_WELL, ITEM_STOPS, NOT_JUDGED, STOPS_LATER_CHANGES, Status


def interpret(
    playbook: Playbook,
    inputs: Mapping[str, Any],
    facts: Facts,
    hosts: Sequence[Host],
    context: Context,
    effects: Effects,
    target_of: Callable[[Host], str],
    *,
    left_out: Sequence[Host] = (),
    earlier: Earlier | None = None,
    actions: Mapping[str, Action] = ACTIONS,
    detectors: Mapping[str, Detector] = DETECTORS,
) -> tuple[StepResult, ...]:
    """Take the steps of *playbook* in order, over *hosts*; the result of each.

    *inputs* are checked values by name. *target_of* gives the target of a host. *left_out* are hosts of the playbook
    that the run must not touch; they are passed over where an ``on:`` names them. With *earlier* the first step is the
    first that no earlier attempt of the same run has finished. Raises Refused for hosts of two organisations.
    """
    require_one_organisation(tuple(hosts))
    earlier = earlier or Earlier()
    state = RunState(
        playbook,
        facts,
        tuple(hosts),
        tuple(left_out),
        context,
        effects,
        target_of,
        actions,
        detectors,
        earlier,
        namespace=dict(inputs),
        confirmed=earlier.asked,
    )
    interpreter = _Interpreter(state, list(playbook.parts))
    interpreter.take_all()
    return tuple(interpreter.results)


@attrs.frozen
class _HostOfGroup:
    """The steps of a group for one host, which are still to come."""

    group: Group
    host: Host


@attrs.frozen
class _GroupEnd:
    """The end of a group. After it, expressions see the names from before it again."""

    namespace: Mapping[str, Any]


@attrs.define
class _Interpreter:
    state: RunState
    remaining: list[Step | Group | _HostOfGroup | _GroupEnd]
    """What is still to come, in order."""
    begun: bool = False
    """Whether a step was reached that no earlier attempt has finished."""
    stopped_at: str = ""
    """The name of the step that stopped the run; empty while changes go on."""
    results: list[StepResult] = attrs.field(factory=list)
    moves_reported: int = 0
    """How many of the moves to another exchange endpoint are in the results so far."""

    def take_all(self) -> None:
        while self.remaining:
            part = self.remaining.pop(0)
            if isinstance(part, Step):
                self._take(part)
            elif isinstance(part, Group):
                self._begin_group(part)
            elif isinstance(part, _HostOfGroup):
                self._begin_host(part)
            else:
                self.state.host = None
                self.state.namespace = dict(part.namespace)

    # -- groups -----------------------------------------------------------------------------------------------------

    def _begin_group(self, group: Group) -> None:
        """All steps on one host come before the next host begins; after a stop no further host begins."""
        hosts: tuple[Host, ...] = ()
        if not self.stopped_at:
            try:
                hosts = self.state.chosen(group.each_host)
            except BadInput as error:
                self._pass_over(group, Status.FAILED, str(error))
                return
        most = self.state.limit("changes")
        if len(hosts) > most and _changes_each_host(group):
            # Refused before the first host, so that it does not stop in the middle with some of the hosts changed.
            reason = f"it would change {len(hosts)} hosts, and limits.changes is {most}"
            self._pass_over(group, Status.REFUSED, reason)
            return
        if not hosts:
            self._pass_over(group, Status.SKIPPED, "no hosts")
        self.remaining[:0] = [*(_HostOfGroup(group, host) for host in hosts), _GroupEnd(dict(self.state.namespace))]

    def _begin_host(self, part: _HostOfGroup) -> None:
        self.state.host = part.host
        self.state.namespace["host"] = part.host.name
        if self.stopped_at:
            self._pass_over(part.group)
        else:
            self.remaining[:0] = part.group.steps

    def _pass_over(self, group: Group, status: Status = Status.NOT_STARTED, reason: str = "") -> None:
        """Give each step of a group its result, and do nothing: *status*, or not started once the run has stopped."""
        for step in group.steps:
            was_stopped = bool(self.stopped_at)
            result = self._not_started(step) if was_stopped else StepResult.of(step, status, reason=reason)
            self.state.effects.finished(self._keep(step, result))
            if self.stopped_at and not was_stopped:
                self.stopped_at = group.name

    # -- steps ------------------------------------------------------------------------------------------------------

    def _take(self, step: Step) -> None:
        """Do a step, unless an earlier attempt of the run has finished it."""
        state = self.state
        finished = None if self.begun else state.earlier.finished().get(state.key(step))
        if finished is not None:
            self._keep(step, finished)
            return
        self.begun = True
        on_host = "" if state.host is None else f" ({state.host.name})"
        state.context.progress(f"step {step.number} of {len(state.playbook.steps)}: {step.name}{on_host}")
        started = state.context.clock.monotonic()
        try:
            result = self._result_of(step)
        except (BadInput, Refused) as error:
            status = Status.REFUSED if isinstance(error, Refused) else Status.FAILED
            result = StepResult.of(step, status, reason=str(error))
        result = attrs.evolve(result, seconds=round(state.context.clock.monotonic() - started, 3))
        state.effects.finished(self._keep(step, result))

    def _result_of(self, step: Step) -> StepResult:
        if self.stopped_at and (step.changes or step.kind == "approval"):
            return self._not_started(step)
        if step.when is not None and not evaluate(step.when, self.state.namespace):
            return StepResult.of(step, Status.SKIPPED, reason=f"its condition is not met: {_without_braces(step.when)}")
        if step.kind == "approval":
            return self._approval(step)
        if step.kind == "do":
            return changing_step(step, self.state)
        return verify_step(step, self.state) if step.kind == "verify" else detect_step(step, self.state)

    def _not_started(self, step: Step) -> StepResult:
        return StepResult.of(step, Status.NOT_STARTED, reason=f"the run stopped at {self.stopped_at!r}")

    def _keep(self, step: Step, result: StepResult) -> StepResult:
        """Make a result known to the steps that follow, and find out whether it stops the run."""
        state = self.state
        result = state.earlier.added_to(state.key(step), result)
        result = attrs.evolve(result, host=state.host_name, position=len(self.results) + 1)
        if result.approval is not None and result.status in FINISHED_WELL and not state.effects.checking:
            state.approved = result.approval
            state.confirmed = state.confirmed or result.status is Status.OK
        if step.as_ is not None:
            empty: Any = Done(step.subject) if step.kind == "do" else Detection(step.subject)
            state.namespace[step.as_] = result.done or result.detection or empty
            state.results_by_name[step.as_] = (step, result)
        if not self.stopped_at and _stops(step, result, state.limit("unreachable")):
            self.stopped_at = step.name if state.host is None else f"{step.name} ({state.host.name})"
            result = attrs.evolve(result, stops=True)
        result = self._with_moves(result)
        self.results.append(result)
        return result

    def _with_moves(self, result: StepResult) -> StepResult:
        """*result*, which says if the organisation was reached through another endpoint from some moment on."""
        moves = self.state.context.organisation.moves
        new = moves[self.moves_reported :]
        self.moves_reported = len(moves)
        return attrs.evolve(result, reason="; ".join((*filter(None, [result.reason]), *new))) if new else result

    # -- looking ahead ----------------------------------------------------------------------------------------------

    def _approval(self, step: Step) -> StepResult:
        if self.state.foreseen is not None:
            # Met while looking ahead for another approval: what follows is for this one to ask for.
            self.remaining.clear()
            return StepResult.of(step, Status.SKIPPED)
        return approval_step(step, self.state, self._foresee)

    def _foresee(self) -> Foreseen:
        """What the steps to come would change, up to the next approval step or the end.

        A copy of this interpreter finds out, which only reads: what is foreseen is planned by the same rules as what
        is then done.
        """
        state = self.state

        def progress(text: str) -> None:
            state.context.progress(f"planning the changes to approve: {text}")

        changes: list[Any] = []
        ahead = attrs.evolve(
            self,
            state=attrs.evolve(
                state,
                context=attrs.evolve(state.context, progress=progress),
                effects=ReadOnlyEffects(Silent()),
                namespace=dict(state.namespace),
                results_by_name=dict(state.results_by_name),
                changes_by_step={number: set(items) for number, items in state.changes_by_step.items()},
                foreseen=changes,
            ),
            remaining=list(self.remaining),
            results=[],
        )
        ahead.take_all()
        return foreseen(changes, ahead.results)


def _changes_each_host(group: Group) -> bool:
    """Whether the group changes something on each of its hosts, whatever is found there."""
    looked = False
    for step in group.steps:
        if step.changes and step.when is None and step.for_each is None and not looked:
            return True
        looked = looked or step.kind == "detect"
    return False


def _without_braces(condition: Setting) -> str:
    """A condition as the playbook has it, without its braces."""
    return str(getattr(condition, "text", condition)).strip().removeprefix("{{").removesuffix("}}").strip()


def _stops(step: Step, result: StepResult, unreachable: int) -> bool:
    """Whether no later changing step may start after *result*.

    ``on_failure: continue`` is a promise that later steps do not need this one. It does not cover an unknown outcome
    (the next change might meet one that is still under way), nor a plan that was not approved.

    A look stops it where too many hosts gave no verdict (more than *unreachable*, ``limits.unreachable``).

    The items of a loop are independent of each other: one that a rule refused, or that could not be judged, does not
    stop what the others are followed by. A loop that was refused as a whole (its result then has a reason) does.
    """
    if Status.UNKNOWN in {result.status, *(item.status for item in result.items)} or result.unapproved:
        return True
    if step.on_failure == "continue":
        return False
    if step.kind == "detect" and result.detection is not None and result.status in NOT_JUDGED:
        return not judged_enough(result.detection, unreachable)
    if step.for_each is not None and result.done is not None and result.items:
        refused_whole = bool(result.reason) and all(item.status is Status.REFUSED for item in result.items)
        return refused_whole or any(item.status in ITEM_STOPS for item in result.items)
    return result.status in STOPS_LATER_CHANGES
