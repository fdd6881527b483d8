"""Stand-ins for a detector, actions, a clock and the world, and the playbooks that the tests of steps interpret."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

import attrs

from easops.actions.action import Plan
from easops.actions.outcome import ItemOutcome
from easops.clock import SystemClock
from easops.context import Context
from easops.detectors.finding import Detection, UserFinding
from easops.errors import EasopsError
from easops.exchange.organisation import Organisation
from easops.identity import Person
from easops.inventory.host import Host
from easops.parameter import Parameter
from easops.playbook.language.load import load_playbook_text
from easops.playbook.steps.approval_request import Approval, Verdict
from easops.playbook.steps.earlier import Earlier
from easops.playbook.steps.effects import Job, Preview
from easops.playbook.steps.facts import Facts
from easops.playbook.steps.interpreter import interpret
from easops.playbook.steps.step_result import StepResult
from easops.remoting.pool import Sessions
from easops.status import Status

T = TypeVar("T")


NOBODY = cast("Sessions", None)


ANNA, BERT = Person("anna", "adm01"), Person("bert", "adm02")


SOON = dt.datetime(2026, 3, 2, 4, tzinfo=dt.UTC)


class FastClock(SystemClock):
    """Time passes when somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += max(seconds, 0.001)

    def now(self) -> dt.datetime:
        return dt.datetime(2026, 3, 2, tzinfo=dt.UTC) + dt.timedelta(seconds=self.seconds)


def host(name: str) -> Host:
    return Host(name, "contoso", "2016", frozenset({"mailbox"}))


HOSTS = (host("A"), host("B"))


def user(name: str, hits: int = 5, hosts: tuple[str, ...] = ("A",)) -> UserFinding:
    return UserFinding(name, f"guid-{name}", True, hits, (), hosts, None, f"{hits} hits")


def found(*users: UserFinding, hosts: tuple[str, ...] = ("A",), **more: Any) -> Detection:
    return Detection("flood", users=users, hosts=hosts if users else (), judged=("A", "B"), **more)


@attrs.define
class Flood:
    """A detector that finds *finds*, one after another; the last one for ever."""

    finds: list[Detection]
    seen: list[tuple[tuple[str, ...], Mapping[str, Any]]] = attrs.field(factory=list)

    name = "flood"
    summary = ""
    parameters = (Parameter("users", "list", default=None), Parameter("after", "result", default=None))

    def detect(self, hosts: Sequence[Host], values: Mapping[str, Any], context: Context) -> Detection:
        self.seen.append((tuple(host.name for host in hosts), values))
        return self.finds.pop(0) if len(self.finds) > 1 else self.finds[0]


@attrs.define
class Limit:
    """An action on users. Users in *ok* are already as wanted, users in *errors* cannot be planned. *befores* are the
    policies that successive reads of a user find; the last one for ever."""

    ok: tuple[str, ...] = ()
    errors: Mapping[str, EasopsError] = attrs.field(factory=dict)
    health: tuple[str, ...] = ()
    befores: Mapping[str, list[str]] = attrs.field(factory=dict)

    name = "limit"
    summary = ""
    scope = "organisation"
    one_way = False
    stronger = ""
    parameters = (Parameter("user", "text"),)

    def plan(self, values: Mapping[str, Any], host: str | None, context: Context) -> Plan:
        who = values["user"]
        if who in self.errors:
            raise self.errors[who]
        if who in self.ok:
            return Plan(who, Status.OK, mailbox=f"guid-{who}")
        looks = self.befores.get(who, ["none"])
        before = {"policy": looks.pop(0) if len(looks) > 1 else looks[0]}
        plan = Plan(who, Status.WOULD_CHANGE, mailbox=f"guid-{who}", health_mailbox=who in self.health)
        return attrs.evolve(plan, before=before, after={"policy": "ours"})


@attrs.define
class Recycle:
    """An action on servers."""

    errors: Mapping[str, EasopsError] = attrs.field(factory=dict)

    name = "recycle"
    summary = ""
    scope = "server"
    one_way = True
    stronger = ""
    parameters: Any = ()

    def plan(self, values: Mapping[str, Any], host: str | None, context: Context) -> Plan:
        assert host is not None
        if host in self.errors:
            raise self.errors[host]
        return Plan(host, Status.WOULD_CHANGE, host=host)


@attrs.define
class FakeEffects:
    """Effects that change nothing and report that they did. *outcomes* has other statuses, by item."""

    checking: bool = False
    yes: bool = True
    outcomes: Mapping[str, Status] = attrs.field(factory=dict)
    standing: list[str] = attrs.field(factory=list)
    """The digests that somebody has approved, and that are not used up."""
    jobs: list[Job] = attrs.field(factory=list)
    applied: list[tuple[str, ...]] = attrs.field(factory=list)
    asked: list[Preview] = attrs.field(factory=list)
    results: list[StepResult] = attrs.field(factory=list)

    def once(self, key: str, kind: type[T], read: Callable[[], T]) -> T:
        return read()

    def ask(self, preview: Preview) -> bool:
        self.asked.append(preview)
        return self.yes

    def approval(self, key: str, step: str, request: Approval) -> Verdict:
        if request.digest not in self.standing:
            return Verdict(SOON, (ANNA,))
        self.standing.remove(request.digest)
        return Verdict(SOON, (ANNA,), BERT)

    def apply(self, jobs: Sequence[Job], at_once: int) -> list[tuple[Job, tuple[ItemOutcome, ...]]]:
        self.jobs += jobs
        done = []
        for job in jobs:
            self.applied.append((job.target, *(plan.item for plan in job.plans)))
            items = []
            for plan in job.plans:
                status = self.outcomes.get(plan.item, Status.CHANGED)
                ended = dt.datetime(2026, 3, 2, 1, tzinfo=dt.UTC) if job.host else None
                touched = status in (Status.CHANGED, Status.UNKNOWN, Status.VERIFY_FAILED)
                items.append(ItemOutcome(plan.item, job.target, status, ended=ended, touched=touched))
            done.append((job, tuple(items)))
            if any(item.status in (Status.FAILED, Status.UNKNOWN) for item in items):
                break
        return done

    def finished(self, result: StepResult) -> None:
        self.results.append(result)


CURE = """
easops: 1
name: cure
inputs:
  protect: {type: list, default: []}
hosts: all
limits: {changes: 2}
steps:
  - {name: look, detect: flood, as: storm}
  - name: limit
    for_each: "{{ storm.users }}"
    do: limit
    with: {user: "{{ item.user }}"}
    because: "{{ item.evidence }}"
    as: limited
  - name: free
    when: "{{ limited.changed }}"
    do: recycle
    on: "{{ storm.hosts }}"
    because: "{{ limited.count }} were limited"
    as: freed
  - name: proof
    when: "{{ limited.changed }}"
    verify: flood
    with: {users: "{{ limited.treated }}", after: "{{ freed }}"}
    on: "{{ storm.hosts }}"
    within: 30m
"""


def interpret_playbook(
    *finds: Detection,
    effects: FakeEffects | None = None,
    limit: Limit | None = None,
    recycle: Recycle | None = None,
    text: str = CURE,
    protected: tuple[str, ...] = (),
    clock: FastClock | None = None,
    earlier: Earlier | None = None,
    hosts: tuple[Host, ...] = HOSTS,
    inputs: Mapping[str, Any] | None = None,
) -> tuple[list[str], FakeEffects, Flood]:
    """Interpret a playbook with these detections; the status of each step, the effects and the detector."""
    flood, effects = Flood(list(finds)), effects or FakeEffects()
    actions: Any = {"limit": limit or Limit(), "recycle": recycle or Recycle()}
    detectors: Any = {"flood": flood}
    playbook = load_playbook_text(text, "cure.yml", actions=actions, detectors=detectors)
    interpret(
        playbook,
        {"protect": (), **(inputs or {})},
        Facts("organisation contoso", "dc", protected),
        hosts,
        Context(NOBODY, Organisation(HOSTS, NOBODY), clock or FastClock()),
        effects,
        lambda host: host.name.lower(),
        earlier=earlier,
        left_out=tuple(host for host in HOSTS if host not in hosts),
        actions=actions,
        detectors=detectors,
    )
    return [str(result.status) for result in effects.results], effects, flood


HOST_BY_HOST = """
easops: 1
name: cure
inputs:
  protect: {type: list, default: []}
hosts: all
limits: {changes: 2}
steps:
  - {name: look, detect: flood, as: storm}
  - name: one after the other
    each_host: "{{ storm.hosts }}"
    steps:
      - {name: free, do: recycle, because: "{{ host }} is full", as: freed}
      - {name: proof, verify: flood, with: {after: "{{ freed }}"}}
  - {name: all, do: recycle, on: all, because: once more}
"""


BOTH = found(user("anna", hosts=("A", "B")), hosts=("A", "B"))


def results_of(effects: FakeEffects) -> list[tuple[str, str | None, str]]:
    return [(result.name, result.host, str(result.status)) for result in effects.results]
