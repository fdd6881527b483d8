"""What is known while the steps of a run are interpreted: what is fixed, and what the steps so far have added."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs

from easops.actions.action import Action
from easops.context import Context
from easops.detectors.detector import Detector
from easops.errors import BadInput
from easops.inventory.host import Host
from easops.inventory.select import select
from easops.parameter import ParameterError
from easops.playbook.language.expression import Setting, evaluate, expressions_in
from easops.playbook.language.load import LIMITS
from easops.playbook.language.model import Group, Playbook, Step
from easops.playbook.steps.approval_request import Approval, PlannedChange
from easops.playbook.steps.earlier import Earlier
from easops.playbook.steps.effects import Effects
from easops.playbook.steps.facts import Facts
from easops.playbook.steps.step_result import StepResult, step_key


@attrs.define
class RunState:
    """What a step can see and use. The interpreter moves it on; the kinds of steps read it, and note what they planned.

    *hosts* are the run's hosts, *left_out* the hosts of the playbook that the run must not touch. *target_of* gives the
    target of a host (a claim is made on it before anything is changed).
    """

    playbook: Playbook
    facts: Facts
    hosts: tuple[Host, ...]
    left_out: tuple[Host, ...]
    context: Context
    effects: Effects
    target_of: Callable[[Host], str]
    actions: Mapping[str, Action]
    detectors: Mapping[str, Detector]
    earlier: Earlier
    namespace: dict[str, Any]
    """What expressions can look up: inputs, results of steps, and ``host`` in an ``each_host``."""
    confirmed: bool
    """Whether somebody has confirmed the changes of this run."""
    host: Host | None = None
    """The current host, in an ``each_host``."""
    approved: Approval | None = None
    """What was approved of the changes to come; None where they need no approval."""
    results_by_name: dict[str, tuple[Step, StepResult]] = attrs.field(factory=dict)
    """The results of the steps that have an ``as``."""
    changes_by_step: dict[int, set[str]] = attrs.field(factory=dict)
    """The items that each step of a group would have changed on the hosts so far, by the number of the step."""
    foreseen: list[PlannedChange] | None = None
    """The planned changes, where the interpreter only looks ahead for an approval step; else None."""

    def limit(self, name: str) -> int:
        """A limit of the playbook (``changes``). Raises BadInput for an expression whose value is none."""
        try:
            value = LIMITS[name].check(evaluate(getattr(self.playbook.limits, name), self.namespace))
        except ParameterError as error:
            raise BadInput(
                f"limits.{name} is not valid", str(error), "correct the input that it is taken from"
            ) from None
        return max(1, (len(self.hosts) + len(self.left_out)) // 4) if value is None else int(value)

    @property
    def host_name(self) -> str | None:
        """The name of the current host, in an ``each_host``."""
        return None if self.host is None else self.host.name

    def key(self, step: Step) -> str:
        """The name of the step in the record."""
        return step_key(step.number, self.host_name)

    def effect_key(self, step: Step) -> str:
        """The name, or its beginning, of what the step does to the world. The engine's replay depends on it."""
        return f"{self.key(step)}.{step.kind}.{step.subject}"

    def evidence_of(self, step: Step) -> dict[str, dt.datetime]:
        """When each host was last read, by its own clock, for the detections that *step* (or its group) names."""
        settings = [step.when, step.for_each, step.on, step.with_, step.because]
        settings += [part.each_host for part in self.playbook.parts if isinstance(part, Group) and step in part.steps]
        names = {name for setting in settings for expression in expressions_in(setting) for name in expression.names()}
        evidence: dict[str, dt.datetime] = {}
        for name, (_, result) in self.results_by_name.items():
            if name in names and result.detection is not None:
                for host, time in result.detection.times.items():
                    evidence[host] = max(time, evidence.get(host, time))
        return evidence

    def hosts_of(self, step: Step) -> tuple[Host, ...]:
        """The hosts that a step is about."""
        if self.host is not None:
            return (self.host,)
        return self.hosts if step.on is None else self.chosen(step.on)

    def chosen(self, setting: Setting) -> tuple[Host, ...]:
        """The hosts of the run that an ``on:`` or ``each_host:`` names. Hosts that are left out are passed over.

        Raises BadInput for a host that is not in the playbook's choice.
        """
        value = evaluate(setting, self.namespace)
        if not value:
            return ()
        known = (*self.hosts, *self.left_out)
        chosen = select(value if isinstance(value, str) else tuple(str(name) for name in value), known)
        return tuple(host for host in self.hosts if host in chosen)


def host_names(hosts: Iterable[Host]) -> tuple[str, ...]:
    return tuple(host.name for host in hosts)
