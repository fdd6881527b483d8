"""The walker: what steps mean, what stops what, what is predicted. No server, no engine."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

import attrs
import pytest

from easops.actions.action import Plan
from easops.actions.change import ChangeOutcome
from easops.actions.outcome import ItemOutcome
from easops.actions.recycle_app_pool import RecycleAppPool
from easops.clock import SystemClock
from easops.context import Context
from easops.detectors.finding import Detection, Undetermined, UserFinding
from easops.errors import CommandFailed, EasopsError, Refused, UnreachableHost
from easops.exchange.organisation import Organisation
from easops.identity import Person
from easops.inventory.host import Host
from easops.parameter import Parameter
from easops.playbook.execution.execute_run import _owes
from easops.playbook.language.load import load_playbook_text
from easops.playbook.steps.approval_request import Approval, Verdict
from easops.playbook.steps.earlier import Earlier, OneWayChange
from easops.playbook.steps.effects import Job, Preview
from easops.playbook.steps.facts import Facts
from easops.playbook.steps.interpreter import interpret
from easops.playbook.steps.step_result import StepResult
from easops.remoting.pool import Sessions
from easops.remoting.unreachable import Unreachable
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
    """A detector that finds what it is told, one thing after another; the last for ever."""

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
    """An action on users: who is in *ok* is so already, who is in *errors* cannot be planned. *befores* is what each
    has, at one look after another; the last for ever."""

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
    """Fake that change nothing and say that they did; *outcomes* says otherwise, by item."""

    checking: bool = False
    yes: bool = True
    outcomes: Mapping[str, Status] = attrs.field(factory=dict)
    standing: list[str] = attrs.field(factory=list)
    """The digests that somebody approved, and nobody has used yet."""
    jobs: list[Job] = attrs.field(factory=list)
    applied: list[tuple[str, ...]] = attrs.field(factory=list)
    asked: list[Preview] = attrs.field(factory=list)
    results: list[StepResult] = attrs.field(factory=list)

    def once(self, key: str, kind: type[T], look: Callable[[], T]) -> T:
        return look()

    def ask(self, preview: Preview) -> bool:
        self.asked.append(preview)
        return self.yes

    def approval(self, key: str, step: str, asked: Approval) -> Verdict:
        if asked.digest not in self.standing:
            return Verdict(SOON, (ANNA,))
        self.standing.remove(asked.digest)
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


def go(
    *finds: Detection,
    effects: FakeEffects | None = None,
    limit: Limit | None = None,
    recycle: Recycle | None = None,
    text: str = CURE,
    protected: tuple[str, ...] = (),
    clock: FastClock | None = None,
    earlier: Earlier | None = None,
    hosts: tuple[Host, ...] = HOSTS,
) -> tuple[list[str], FakeEffects, Flood]:
    """Walk, and give each step's status."""
    flood, held = Flood(list(finds)), effects or FakeEffects()
    actions: Any = {"limit": limit or Limit(), "recycle": recycle or Recycle()}
    detectors: Any = {"flood": flood}
    playbook = load_playbook_text(text, "cure.yml", actions=actions, detectors=detectors)
    interpret(
        playbook,
        {"protect": ()},
        Facts("organisation contoso", "dc", protected),
        hosts,
        Context(NOBODY, Organisation(HOSTS, NOBODY), clock or FastClock()),
        held,
        lambda host: host.name.lower(),
        earlier=earlier,
        left_out=tuple(host for host in HOSTS if host not in hosts),
        actions=actions,
        detectors=detectors,
    )
    return [str(result.status) for result in held.results], held, flood


def test_it_limits_most_hits_first_then_recycles_then_proves() -> None:
    statuses, effects, flood = go(found(user("anna", 5), user("bert", 9)), found())

    assert statuses == ["ok", "changed", "changed", "ok"]
    assert effects.applied == [("organisation contoso", "bert", "anna"), ("a", "A")]
    hosts, values = flood.seen[-1]
    assert hosts == ("A",)
    assert values["users"] == ("bert", "anna")
    assert values["after"].ended == {"A": dt.datetime(2026, 3, 2, 1, tzinfo=dt.UTC)}


def test_a_host_that_the_run_leaves_out_is_passed_over_where_a_step_names_it() -> None:
    text = CURE.replace('on: "{{ storm.hosts }}"\n    because', "on: [A, B]\n    because")
    _, effects, _ = go(found(user("anna")), found(), text=text, hosts=HOSTS[:1])
    assert effects.applied == [("organisation contoso", "anna"), ("a", "A")]
    statuses, _, _ = go(found(user("anna")), found(), text=text.replace("[A, B]", "[B]"), hosts=HOSTS[:1])
    assert statuses[2] == "skipped"


def test_with_no_flood_it_does_nothing() -> None:
    statuses, effects, _ = go(found())
    assert (statuses, effects.applied, effects.asked) == (["ok", "skipped", "skipped", "skipped"], [], [])


def test_who_is_limited_already_is_ok_and_nothing_is_recycled() -> None:
    statuses, effects, _ = go(found(user("anna")), limit=Limit(ok=("anna",)))
    assert (statuses, effects.applied) == (["ok", "ok", "skipped", "skipped"], [])


def test_a_protected_user_is_refused_and_the_others_go_on() -> None:
    statuses, effects, _ = go(found(user("boss", 9), user("anna", 5)), found(), protected=("guid-boss",))
    assert statuses == ["ok", "refused", "changed", "ok"]
    assert effects.applied[0] == ("organisation contoso", "anna")


def test_a_health_mailbox_is_always_protected() -> None:
    statuses, effects, _ = go(found(user("probe")), limit=Limit(health=("probe",)))
    assert (statuses, effects.applied) == (["ok", "refused", "skipped", "skipped"], [])


def test_over_the_limit_of_changes_nothing_is_sent() -> None:
    statuses, effects, _ = go(found(user("a"), user("b"), user("c")))
    assert (statuses, effects.applied) == (["ok", "refused", "not_started", "skipped"], [])


def test_who_says_no_is_obeyed() -> None:
    statuses, effects, _ = go(found(user("anna")), effects=FakeEffects(yes=False))
    assert (statuses, effects.applied) == (["ok", "refused", "not_started", "skipped"], [])
    assert [preview.later for preview in effects.asked] == [("free (recycle)",)]


def test_it_asks_once() -> None:
    _, effects, _ = go(found(user("anna")), found())
    assert len(effects.asked) == 1


@pytest.mark.parametrize(
    ("error", "status"),
    [(CommandFailed("no"), "failed"), (UnreachableHost("away"), "unreachable"), (Refused("no", rule="r"), "refused")],
)
def test_an_item_that_cannot_be_planned_does_not_stop_the_others(error: EasopsError, status: str) -> None:
    statuses, effects, _ = go(found(user("anna"), user("bert")), found(), limit=Limit(errors={"anna": error}))
    after = "changed" if status == "refused" else "not_started"
    assert statuses == ["ok", status, after, "ok"]
    assert effects.applied[0] == ("organisation contoso", "bert")


def test_an_unknown_outcome_stops_the_changes_even_where_a_failure_may_go_on() -> None:
    text = CURE.replace("    as: limited\n", "    as: limited\n    on_failure: continue\n")
    flooding = found(user("anna"))
    assert go(flooding, found(), effects=FakeEffects(outcomes={"anna": Status.FAILED}), text=text)[0][2] == "skipped"
    assert (
        go(flooding, found(), effects=FakeEffects(outcomes={"anna": Status.UNKNOWN}), text=text)[0][2] == "not_started"
    )


def test_after_a_server_that_failed_no_further_one_starts() -> None:
    both = found(user("anna", hosts=("A", "B")), hosts=("A", "B"))
    statuses, effects, _ = go(both, found(), effects=FakeEffects(outcomes={"A": Status.FAILED}))
    assert statuses[2] == "failed"
    assert effects.applied[1:] == [("a", "A")]
    assert [str(item.status) for item in effects.results[2].items] == ["failed", "not_started"]


def test_a_server_that_cannot_be_planned_keeps_those_behind_it_from_starting() -> None:
    both = found(user("anna", hosts=("A", "B")), hosts=("A", "B"))
    statuses, effects, _ = go(both, found(), recycle=Recycle(errors={"A": UnreachableHost("away")}))
    assert statuses[2] == "unreachable"
    assert effects.applied[1:] == []


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"unreachable": (Unreachable("B", "away", "x"),)}, "unreachable"),
        ({"undetermined": (Undetermined("host", "B", "no log", required=True),)}, "undetermined"),
    ],
)
def test_a_host_that_was_not_judged_stops_the_changes(more: dict[str, Any], status: str) -> None:
    statuses, effects, _ = go(found(user("anna"), **more))
    assert (statuses, effects.applied) == ([status, "not_started", "not_started", "skipped"], [])


def test_unreachable_hosts_that_the_limits_allow_stop_nothing() -> None:
    text = CURE.replace("{changes: 2}", "{changes: 2, unreachable: 1}")
    statuses, _, _ = go(found(user("anna"), unreachable=(Unreachable("B", "away", "x"),)), found(), text=text)
    assert statuses == ["ok", "changed", "changed", "ok"]


def test_a_name_that_was_only_met_in_a_log_stops_nothing() -> None:
    met = Undetermined("user", "ghost", "no mailbox", required=False)
    assert go(found(user("anna"), undetermined=(met,)), found())[0] == ["ok", "changed", "changed", "ok"]


def test_a_verify_looks_until_the_fault_is_gone() -> None:
    flooding = found(user("anna"))
    statuses, _, flood = go(flooding, flooding, flooding, found())
    assert statuses[-1] == "ok"
    assert len(flood.seen) == 4


@pytest.mark.parametrize(
    ("rate", "waited"), [(1, 485), (60, 13)], ids=["the servers' clock is ours", "60 times as fast"]
)
def test_a_verify_waits_until_anything_can_be_told(rate: int, waited: int) -> None:
    def waiting(seconds: float, passed: float) -> Detection:
        item = Undetermined("user", "anna", "too early", required=True, host="A", seconds=seconds)
        time = dt.datetime(2026, 3, 2, tzinfo=dt.UTC) + dt.timedelta(seconds=passed)
        return found(undetermined=(item,), times={"A": time})

    clock = FastClock()
    looks = (waiting(480 + 5 * (rate - 1), 0), waiting(480, 5 * rate))
    statuses, _, flood = go(found(user("anna")), *looks, found(), clock=clock)

    assert statuses[-1] == "ok"
    assert len(flood.seen) == 4
    assert round(clock.seconds) == waited


def test_a_verify_of_several_looks_knows_of_whom_it_was_asked() -> None:
    late = found(asked=("anna",), undetermined=(Undetermined("user", "anna", "too early", required=True, host="A"),))
    _, effects, _ = go(found(user("anna")), late, found(asked=("anna",)))
    seen = effects.results[-1].detection
    assert seen is not None
    assert seen.asked == ("anna",)


def test_a_verify_that_still_finds_it_at_the_end_has_failed() -> None:
    clock = FastClock()
    statuses, _, _ = go(found(user("anna")), clock=clock)
    assert statuses[-1] == "verify_failed"
    assert clock.seconds >= 1800


def test_a_verify_that_could_not_be_judged_at_the_end_is_undetermined() -> None:
    waiting = found(undetermined=(Undetermined("user", "anna", "too early", required=True, host="A"),))
    assert go(found(user("anna")), waiting)[0][-1] == "undetermined"


def test_a_check_predicts_and_applies_nothing() -> None:
    statuses, effects, _ = go(found(user("anna")), effects=FakeEffects(checking=True))
    assert statuses == ["ok", "would_change", "would_change", "skipped"]
    assert (effects.applied, effects.asked) == ([], [])
    limited, freed = effects.results[1], effects.results[2]
    assert (limited.certain, freed.certain, freed.reason) == (True, False, "depends on 'limit'")


def again(earlier: FakeEffects, *finds: Detection, limit: Limit | None = None) -> tuple[dict[int, str], FakeEffects]:
    """A later walk of the same run: each walked step's status by number."""
    actions: Any = {"limit": limit or Limit(), "recycle": Recycle()}
    detectors: Any = {"flood": Flood(list(finds))}
    effects = FakeEffects()
    interpret(
        load_playbook_text(CURE, "cure.yml", actions=actions, detectors=detectors),
        {"protect": ()},
        Facts("organisation contoso", "dc"),
        HOSTS,
        Context(NOBODY, Organisation(HOSTS, NOBODY), FastClock()),
        effects,
        lambda host: host.name.lower(),
        earlier=Earlier(tuple(earlier.results), asked=True),
        actions=actions,
        detectors=detectors,
    )
    return {result.number: str(result.status) for result in effects.results}, effects


def test_a_resumed_walk_begins_at_the_first_step_not_done() -> None:
    first, effects, _ = go(found(user("anna")), found(), effects=FakeEffects(outcomes={"A": Status.FAILED}))
    assert first == ["ok", "changed", "failed", "ok"]

    statuses, later = again(effects, found())

    assert later.applied == [("a", "A")]
    assert statuses == {3: "changed", 4: "ok"}


def test_what_an_earlier_walk_changed_still_counts_so_the_recycle_is_not_forgotten() -> None:
    first, effects, _ = go(
        found(user("anna"), user("bert")), found(), effects=FakeEffects(outcomes={"bert": Status.UNKNOWN})
    )
    assert first == ["ok", "unknown", "not_started", "ok"]

    statuses, later = again(effects, found(), limit=Limit(ok=("anna", "bert")))

    assert statuses == {2: "changed", 3: "changed", 4: "ok"}
    assert later.applied == [("a", "A")]


def test_a_host_that_an_earlier_walk_recycled_is_not_recycled_again() -> None:
    both = found(user("anna", hosts=("A", "B")), hosts=("A", "B"))
    _, effects, _ = go(both, found(), effects=FakeEffects(outcomes={"B": Status.FAILED}))
    assert [str(item.status) for item in effects.results[2].items] == ["changed", "failed"]

    statuses, later = again(effects, found())

    assert statuses == {3: "changed", 4: "ok"}
    assert later.applied == [("b", "B")]


def owes(*finds: Detection, effects: FakeEffects, **more: Any) -> bool:
    go(*finds, effects=effects, **more)
    return _owes(effects.results)


def test_a_run_owes_what_a_failure_kept_from_starting_and_never_what_a_refusal_did() -> None:
    flooding = found(user("anna"))
    both = found(user("anna", hosts=("A", "B")), hosts=("A", "B"))
    assert owes(flooding, found(), effects=FakeEffects(outcomes={"anna": Status.FAILED}))
    assert owes(both, found(), effects=FakeEffects(outcomes={"A": Status.FAILED}))
    assert owes(both, found(), effects=FakeEffects(outcomes={"B": Status.FAILED}))
    assert not owes(flooding, found(), effects=FakeEffects())
    assert not owes(flooding, effects=FakeEffects())  # not verified: nothing is left to do
    assert not owes(flooding, found(), effects=FakeEffects(yes=False))
    assert not owes(found(user("a"), user("b"), user("c")), effects=FakeEffects())


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


def told(effects: FakeEffects) -> list[tuple[str, str | None, str]]:
    return [(result.name, result.host, str(result.status)) for result in effects.results]


def test_a_group_is_done_host_by_host() -> None:
    _, effects, flood = go(BOTH, found(), text=HOST_BY_HOST)

    assert told(effects)[1:5] == [
        ("free", "A", "changed"),
        ("proof", "A", "ok"),
        ("free", "B", "changed"),
        ("proof", "B", "ok"),
    ]
    assert effects.applied[:2] == [("a", "A"), ("b", "B")]
    assert [hosts for hosts, _ in flood.seen] == [("A", "B"), ("A",), ("B",)]
    assert [set(values["after"].ended) for _, values in flood.seen[1:]] == [{"A"}, {"B"}]
    assert effects.results[1].because == "A is full"
    assert [result.position for result in effects.results] == [1, 2, 3, 4, 5, 6]
    assert len(effects.asked) == 1


def test_the_first_stop_ends_a_group_and_what_comes_after_it() -> None:
    _, effects, _ = go(BOTH, found(user("anna")), text=HOST_BY_HOST)

    assert told(effects)[1:] == [
        ("free", "A", "changed"),
        ("proof", "A", "verify_failed"),
        ("free", "B", "not_started"),
        ("proof", "B", "not_started"),
        ("all", None, "not_started"),
    ]
    assert effects.results[3].reason == "the run stopped at 'proof (A)'"
    assert effects.applied == [("a", "A")]
    assert _owes(effects.results)


def test_a_group_of_no_hosts_is_skipped() -> None:
    _, effects, _ = go(found(), text=HOST_BY_HOST)
    assert told(effects)[1:3] == [("free", None, "skipped"), ("proof", None, "skipped")]


def test_a_group_behind_a_stop_is_not_begun() -> None:
    away = attrs.evolve(BOTH, unreachable=(Unreachable("B", "away", "x"),))
    _, effects, _ = go(away, text=HOST_BY_HOST)
    assert [status for _, _, status in told(effects)] == ["unreachable", "not_started", "not_started", "not_started"]


def test_a_group_of_more_hosts_than_the_limit_is_refused_before_anything_is_sent() -> None:
    _, effects, _ = go(BOTH, found(), text=HOST_BY_HOST.replace("{changes: 2}", "{changes: 1}"))
    assert told(effects)[1:] == [
        ("free", None, "refused"),
        ("proof", None, "not_started"),
        ("all", None, "not_started"),
    ]
    assert "2 hosts, and limits.changes is 1" in effects.results[1].reason
    assert not effects.applied


def test_under_check_a_group_predicts_every_host() -> None:
    _, effects, _ = go(BOTH, text=HOST_BY_HOST, effects=FakeEffects(checking=True))
    assert told(effects)[1:5] == [
        ("free", "A", "would_change"),
        ("proof", "A", "skipped"),
        ("free", "B", "would_change"),
        ("proof", "B", "skipped"),
    ]


def test_a_later_walk_takes_a_group_up_at_the_host_where_it_stopped() -> None:
    _, first, _ = go(BOTH, found(), found(user("anna", hosts=("B",)), hosts=("B",)), text=HOST_BY_HOST)
    assert told(first)[3:] == [
        ("free", "B", "changed"),
        ("proof", "B", "verify_failed"),
        ("all", None, "not_started"),
    ]

    _, second, flood = go(found(), text=HOST_BY_HOST, earlier=Earlier(tuple(first.results)))

    assert told(second) == [("proof", "B", "ok"), ("all", None, "changed")]
    assert flood.seen[0][1]["after"].ended == {"B": dt.datetime(2026, 3, 2, 1, tzinfo=dt.UTC)}


def test_a_walk_that_stops_early_keeps_what_earlier_ones_changed() -> None:
    flooding = found(user("anna", hosts=("A", "B")), user("boss"), user("bert"), hosts=("A", "B"))
    record: dict[str, StepResult] = {}

    def walked(*finds: Detection, **more: Any) -> FakeEffects:
        earlier = Earlier(tuple(record.values()), asked=True)
        _, effects, _ = go(*finds, protected=("guid-boss",), earlier=earlier, **more)
        record.update((result.key, result) for result in effects.results)
        return effects

    walked(flooding, found(), effects=FakeEffects(outcomes={"B": Status.FAILED}))
    away = walked(found(), limit=Limit(ok=("anna",), errors={"bert": UnreachableHost("away")}))
    assert record["3"].status is Status.NOT_STARTED
    assert [(item.item, str(item.status)) for item in record["3"].items] == [("A", "changed")]
    assert {item.item: item.touched for item in record["2"].items} == {"anna": True, "bert": True, "boss": False}
    assert away.applied == []

    last = walked(found(), limit=Limit(ok=("anna", "bert")))

    assert last.applied == [("b", "B")], "A was recycled by the first walk"
    assert [(item.item, str(item.status)) for item in record["3"].items] == [("A", "changed"), ("B", "changed")]


TWO_POOLS = """
easops: 1
name: cure
hosts: all
steps:
  - name: free
    for_each: [X, Y]
    do: recycle_app_pool
    with: {pool: "{{ item }}"}
    on: name=A
    because: they are full
"""


@attrs.define
class RecyclePool(Recycle):
    """An action on pools of servers."""

    name = "recycle_app_pool"
    parameters: Any = (Parameter("pool", "text"), Parameter("after", "result", default=None))


@pytest.mark.parametrize(("before", "sent"), [(["X"], 1), (["x", "Y"], 0), (["Z"], 2)])
def test_a_pulse_that_an_earlier_walk_made_is_told_by_what_it_was(before: list[str], sent: int) -> None:
    pulses = tuple(
        OneWayChange(f"1.a.{at}.0", RecycleAppPool("A", pool, []), ChangeOutcome(Status.CHANGED))
        for at, pool in enumerate(before)
    )
    actions: Any = {"recycle_app_pool": RecyclePool()}
    playbook = load_playbook_text(TWO_POOLS, "cure.yml", actions=actions, detectors={})
    effects = FakeEffects()
    context = Context(NOBODY, Organisation(HOSTS, NOBODY), FastClock())
    facts = Facts("organisation contoso", "dc")
    earlier = Earlier(pulses=pulses)

    def target(host: Host) -> str:
        return host.name.lower()

    interpret(playbook, {}, facts, HOSTS, context, effects, target, earlier=earlier, actions=actions)

    assert sum(len(items) for _, *items in effects.applied) == sent
    assert [str(item.status) for item in effects.results[0].items] == ["changed", "changed"]


def test_the_limit_of_a_step_counts_over_the_hosts_of_its_group() -> None:
    look = "- {name: look, detect: flood, as: here}\n      "
    text = HOST_BY_HOST.replace("- {name: free, do: recycle", look + "- {name: free, do: recycle")
    _, effects, _ = go(BOTH, found(), text=text.replace("{changes: 2}", "{changes: 1}"))
    frees = [(host, status) for name, host, status in told(effects) if name == "free"]
    assert frees == [("A", "changed"), ("B", "refused")]
    assert effects.applied == [("a", "A")]


def test_a_group_that_looks_first_is_refused_for_nothing_that_it_may_not_do() -> None:
    text = """
easops: 1
name: health
inputs:
  protect: {type: list, default: []}
hosts: all
limits: {changes: 1}
steps:
  - name: each
    each_host: all
    steps:
      - {name: look, detect: flood, as: here}
      - {name: free, when: "{{ here.found }}", do: recycle, because: full}
"""
    statuses, _, flood = go(found(), text=text)
    assert statuses == ["ok", "skipped", "ok", "skipped"]
    assert [hosts for hosts, _ in flood.seen] == [("A",), ("B",)]


def test_a_group_that_is_refused_names_itself() -> None:
    _, effects, _ = go(BOTH, found(), text=HOST_BY_HOST.replace("{changes: 2}", "{changes: 1}"))
    assert effects.results[2].reason == "the run stopped at 'one after the other'"
