"""A resumed run: what earlier attempts changed is neither forgotten nor done again. No server, no engine."""

from __future__ import annotations

import datetime as dt
from typing import Any

import attrs
import pytest

from easops.actions.change import ChangeOutcome
from easops.actions.outcome import Done, ItemOutcome
from easops.actions.recycle_app_pool import RecycleAppPool
from easops.context import Context
from easops.detectors.finding import Detection
from easops.errors import UnreachableHost
from easops.exchange.organisation import Organisation
from easops.inventory.host import Host
from easops.parameter import Parameter
from easops.playbook.language.load import load_playbook_text
from easops.playbook.steps.earlier import Earlier, OneWayChange, SettledItem
from easops.playbook.steps.facts import Facts
from easops.playbook.steps.interpreter import interpret
from easops.playbook.steps.step_result import StepResult
from easops.status import Status

from .fakes import (
    BOTH,
    CURE,
    HOST_BY_HOST,
    HOSTS,
    NOBODY,
    FakeEffects,
    FastClock,
    Flood,
    Limit,
    Recycle,
    found,
    interpret_playbook,
    results_of,
    user,
)


def resumed(
    earlier: FakeEffects, *finds: Detection, limit: Limit | None = None, text: str = CURE
) -> tuple[dict[int, str], FakeEffects]:
    """A later attempt of the same run: the status of each step that it interpreted, by number."""
    actions: Any = {"limit": limit or Limit(), "recycle": Recycle()}
    detectors: Any = {"flood": Flood(list(finds))}
    effects = FakeEffects()
    interpret(
        load_playbook_text(text, "cure.yml", actions=actions, detectors=detectors),
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


def test_a_resumed_run_begins_at_the_first_unfinished_step() -> None:
    first, effects, _ = interpret_playbook(
        found(user("anna")), found(), effects=FakeEffects(outcomes={"A": Status.FAILED})
    )
    assert first == ["ok", "changed", "failed", "ok"]

    statuses, later = resumed(effects, found())

    assert later.applied == [("a", "A")]
    assert statuses == {3: "changed", 4: "ok"}


def test_what_an_earlier_attempt_changed_still_counts_so_the_recycle_is_not_forgotten() -> None:
    first, effects, _ = interpret_playbook(
        found(user("anna"), user("bert")), found(), effects=FakeEffects(outcomes={"bert": Status.UNKNOWN})
    )
    assert first == ["ok", "unknown", "not_started", "skipped"]

    statuses, later = resumed(effects, found(), limit=Limit(ok=("anna", "bert")))

    assert statuses == {2: "changed", 3: "changed", 4: "ok"}
    assert later.applied == [("a", "A")]


@pytest.mark.parametrize(("most", "status"), [(1, "refused"), (2, "changed")])
def test_what_an_earlier_attempt_changed_counts_for_the_limit(most: int, status: str) -> None:
    # The record of the first attempt is the same as if a third user could not be read then.
    _, effects, _ = interpret_playbook(
        found(user("anna"), user("bert")), found(), effects=FakeEffects(outcomes={"bert": Status.FAILED})
    )

    text = CURE.replace("changes: 2", f"changes: {most}")
    statuses, later = resumed(effects, found(), limit=Limit(ok=("anna",)), text=text)

    assert statuses[2] == status
    assert [str(item.status) for item in later.results[0].items] == ["changed", status]
    assert any("bert" in items for _, *items in later.applied) is (status == "changed")


def test_a_host_that_an_earlier_attempt_recycled_is_not_recycled_again() -> None:
    both = found(user("anna", hosts=("A", "B")), hosts=("A", "B"))
    _, effects, _ = interpret_playbook(both, found(), effects=FakeEffects(outcomes={"B": Status.FAILED}))
    assert [str(item.status) for item in effects.results[2].items] == ["changed", "failed"]

    statuses, later = resumed(effects, found())

    assert statuses == {3: "changed", 4: "ok"}
    assert later.applied == [("b", "B")]


def test_a_later_attempt_continues_a_group_at_the_host_where_it_stopped() -> None:
    _, first, _ = interpret_playbook(BOTH, found(), found(user("anna", hosts=("B",)), hosts=("B",)), text=HOST_BY_HOST)
    assert results_of(first)[3:] == [
        ("free", "B", "changed"),
        ("proof", "B", "verify_failed"),
        ("all", None, "not_started"),
    ]

    _, second, flood = interpret_playbook(found(), text=HOST_BY_HOST, earlier=Earlier(tuple(first.results)))

    assert results_of(second) == [("proof", "B", "ok"), ("all", None, "changed")]
    assert flood.seen[0][1]["after"].ended == {"B": dt.datetime(2026, 3, 2, 1, tzinfo=dt.UTC)}


def test_an_attempt_that_stops_early_keeps_what_earlier_ones_changed() -> None:
    flooding = found(user("anna", hosts=("A", "B")), user("boss"), user("bert"), hosts=("A", "B"))
    record: dict[str, StepResult] = {}

    def attempted(*finds: Detection, **more: Any) -> FakeEffects:
        earlier = Earlier(tuple(record.values()), asked=True)
        _, effects, _ = interpret_playbook(*finds, protected=("guid-boss",), earlier=earlier, **more)
        record.update((result.key, result) for result in effects.results)
        return effects

    attempted(flooding, found(), effects=FakeEffects(outcomes={"B": Status.FAILED}))
    away = attempted(found(), limit=Limit(ok=("anna",), errors={"bert": UnreachableHost("away")}))
    assert record["3"].status is Status.NOT_STARTED
    assert [(item.item, str(item.status)) for item in record["3"].items] == [("A", "changed")]
    assert {item.item: item.touched for item in record["2"].items} == {"anna": True, "bert": True, "boss": False}
    assert away.applied == []

    last = attempted(found(), limit=Limit(ok=("anna", "bert")))

    assert last.applied == [("b", "B")], "A was recycled by the first attempt"
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
def test_a_one_way_change_of_an_earlier_attempt_is_recognised_by_what_it_changed(before: list[str], sent: int) -> None:
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


UNKNOWN = ItemOutcome("anna", "organisation contoso", Status.UNKNOWN, "no answer", undo="exact", touched=True)
UNKNOWN_STEP = StepResult(2, "Limit", "do", "limit", Status.UNKNOWN, done=Done("limit", (UNKNOWN,)))


def now(status: Status, *, touched: bool = True) -> dict[str, SettledItem]:
    return {"2.organisation contoso": SettledItem(status, "it was read", touched)}


@pytest.mark.parametrize(
    ("settled", "later", "expected"),
    [
        ({}, (), (Status.UNKNOWN, [(Status.UNKNOWN, True)])),
        (now(Status.UNKNOWN), (), (Status.UNKNOWN, [(Status.UNKNOWN, True)])),
        (now(Status.CHANGED), (), (Status.SKIPPED, [(Status.CHANGED, True)])),
        (now(Status.FAILED, touched=False), (), (Status.SKIPPED, [])),
        (now(Status.UNKNOWN), (Status.UNREACHABLE,), (Status.UNKNOWN, [(Status.UNKNOWN, True)])),
        (now(Status.CHANGED), (Status.UNREACHABLE,), (Status.UNREACHABLE, [(Status.UNREACHABLE, True)])),
        (now(Status.FAILED, touched=False), (Status.OK,), (Status.OK, [(Status.OK, False)])),
    ],
    ids=[
        "skipped now, still not known",
        "skipped now, read and still not known",
        "skipped now, read and done",
        "skipped now, read and not done",
        "cannot be read now",
        "done, and cannot be read now",
        "not done, and somebody else did it",
    ],
)
def test_what_is_not_known_of_an_item_is_not_hidden_by_a_later_attempt(
    settled: dict[str, SettledItem], later: tuple[Status, ...], expected: tuple[Status, list[tuple[Status, bool]]]
) -> None:
    earlier = Earlier((UNKNOWN_STEP,), settled=settled)
    items = tuple(attrs.evolve(UNKNOWN, status=status, touched=False) for status in later)
    status = items[0].status if items else Status.SKIPPED
    result = StepResult(2, "Limit", "do", "limit", status, done=Done("limit", items))

    added = earlier.added_to("2", result)

    assert (added.status, [(item.status, item.touched) for item in added.items]) == expected


IN_A_GROUP = """
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
      - {name: here, detect: flood, as: seen}
      - {name: limit, for_each: "{{ seen.users }}", do: limit, with: {user: "{{ item.user }}"}, because: it floods}
      - {name: free, do: recycle, because: it is full}
"""


def test_a_limit_counts_what_earlier_attempts_changed_on_other_hosts_of_the_group() -> None:
    on_a = found(user("anna"), user("bert"), hosts=("A",))
    on_b = found(user("carl", hosts=("B",)), hosts=("B",))
    failing = FakeEffects(outcomes={"A": Status.FAILED})
    both = found(user("anna"), hosts=("A", "B"))
    _, first, _ = interpret_playbook(both, on_a, text=IN_A_GROUP, effects=failing)
    assert first.applied == [("organisation contoso", "anna", "bert"), ("a", "A")]

    _, second, _ = interpret_playbook(on_b, text=IN_A_GROUP, earlier=Earlier(tuple(first.results), asked=True))

    assert results_of(second)[2] == ("limit", "B", "refused")
    assert second.applied == [("a", "A")]
