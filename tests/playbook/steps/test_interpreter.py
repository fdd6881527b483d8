"""The interpreter: the order of the steps, what stops what, and groups. No server, no engine."""

from __future__ import annotations

import datetime as dt
from typing import Any

import attrs
import pytest

from easops.detectors.finding import Undetermined
from easops.playbook.steps.unfinished import has_unfinished_steps
from easops.remoting.unreachable import Unreachable
from easops.status import Status

from .fakes import (
    BOTH,
    CURE,
    HOST_BY_HOST,
    HOSTS,
    FakeEffects,
    found,
    interpret_playbook,
    results_of,
    user,
)


def test_it_limits_most_hits_first_then_recycles_then_verifies() -> None:
    statuses, effects, flood = interpret_playbook(found(user("anna", 5), user("bert", 9)), found())

    assert statuses == ["ok", "changed", "changed", "ok"]
    assert effects.applied == [("organisation contoso", "bert", "anna"), ("a", "A")]
    hosts, values = flood.seen[-1]
    assert hosts == ("A",)
    assert values["users"] == ("bert", "anna")
    assert values["after"].ended == {"A": dt.datetime(2026, 3, 2, 1, tzinfo=dt.UTC)}


def test_a_host_that_the_run_leaves_out_is_passed_over_where_a_step_names_it() -> None:
    text = CURE.replace('on: "{{ storm.hosts }}"\n    because', "on: [A, B]\n    because")
    _, effects, _ = interpret_playbook(found(user("anna")), found(), text=text, hosts=HOSTS[:1])
    assert effects.applied == [("organisation contoso", "anna"), ("a", "A")]
    statuses, _, _ = interpret_playbook(
        found(user("anna")), found(), text=text.replace("[A, B]", "[B]"), hosts=HOSTS[:1]
    )
    assert statuses[2] == "skipped"


def test_with_no_flood_it_does_nothing() -> None:
    statuses, effects, _ = interpret_playbook(found())
    assert (statuses, effects.applied, effects.asked) == (["ok", "skipped", "skipped", "skipped"], [], [])


def test_an_unknown_outcome_stops_the_changes_even_where_a_failure_may_go_on() -> None:
    text = CURE.replace("    as: limited\n", "    as: limited\n    on_failure: continue\n")
    flooding = found(user("anna"))
    assert (
        interpret_playbook(flooding, found(), effects=FakeEffects(outcomes={"anna": Status.FAILED}), text=text)[0][2]
        == "skipped"
    )
    assert (
        interpret_playbook(flooding, found(), effects=FakeEffects(outcomes={"anna": Status.UNKNOWN}), text=text)[0][2]
        == "not_started"
    )


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"unreachable": (Unreachable("B", "away", "x"),)}, "unreachable"),
        ({"undetermined": (Undetermined("host", "B", "no log", required=True),)}, "undetermined"),
    ],
)
def test_a_host_that_was_not_judged_stops_the_changes_if_the_limits_say_so(more: dict[str, Any], status: str) -> None:
    text = CURE.replace("{changes: 2}", "{changes: 2, unreachable: 0}")
    statuses, effects, _ = interpret_playbook(found(user("anna"), **more), text=text)
    assert (statuses, effects.applied) == ([status, "not_started", "not_started", "skipped"], [])


def test_one_host_without_an_answer_stops_nothing_and_is_reported() -> None:
    statuses, _, _ = interpret_playbook(found(user("anna"), unreachable=(Unreachable("B", "away", "x"),)), found())
    assert statuses == ["unreachable", "changed", "changed", "ok"]


def test_a_flooding_user_without_a_mailbox_stops_nothing_and_is_reported() -> None:
    ghost = attrs.evolve(user("ghost"), resolved=False, mailbox=None)
    statuses, _, _ = interpret_playbook(found(user("anna"), unresolved=(ghost,)), found())
    assert statuses == ["undetermined", "changed", "changed", "ok"]


def test_a_limit_may_come_from_an_input() -> None:
    text = CURE.replace("{changes: 2}", '{changes: "{{ most }}"}').replace(
        "inputs:\n", "inputs:\n  most: {type: integer, default: 1}\n"
    )
    flooding = found(user("anna"), user("bob"))
    assert interpret_playbook(flooding, text=text, inputs={"most": 1})[0][1] == "refused"
    assert interpret_playbook(flooding, found(), text=text, inputs={"most": 2})[0][1] == "changed"


def test_an_unknown_name_in_a_log_stops_nothing() -> None:
    met = Undetermined("user", "ghost", "no mailbox", required=False)
    assert interpret_playbook(found(user("anna"), undetermined=(met,)), found())[0] == [
        "ok",
        "changed",
        "changed",
        "ok",
    ]


def test_a_group_is_done_host_by_host() -> None:
    _, effects, flood = interpret_playbook(BOTH, found(), text=HOST_BY_HOST)

    assert results_of(effects)[1:5] == [
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
    _, effects, _ = interpret_playbook(BOTH, found(user("anna")), text=HOST_BY_HOST)

    assert results_of(effects)[1:] == [
        ("free", "A", "changed"),
        ("proof", "A", "verify_failed"),
        ("free", "B", "not_started"),
        ("proof", "B", "not_started"),
        ("all", None, "not_started"),
    ]
    assert effects.results[3].reason == "the run stopped at 'proof (A)'"
    assert effects.applied == [("a", "A")]
    assert has_unfinished_steps(effects.results)


def test_a_group_of_no_hosts_is_skipped() -> None:
    _, effects, _ = interpret_playbook(found(), text=HOST_BY_HOST)
    assert results_of(effects)[1:3] == [("free", None, "skipped"), ("proof", None, "skipped")]


def test_a_group_after_a_stop_does_not_begin() -> None:
    away = attrs.evolve(BOTH, unreachable=tuple(Unreachable(host, "away", "x") for host in "AB"))
    _, effects, _ = interpret_playbook(away, text=HOST_BY_HOST)
    assert [status for _, _, status in results_of(effects)] == [
        "unreachable",
        "not_started",
        "not_started",
        "not_started",
    ]


def test_a_group_of_more_hosts_than_the_limit_is_refused_before_anything_is_sent() -> None:
    _, effects, _ = interpret_playbook(BOTH, found(), text=HOST_BY_HOST.replace("{changes: 2}", "{changes: 1}"))
    assert results_of(effects)[1:] == [
        ("free", None, "refused"),
        ("proof", None, "not_started"),
        ("all", None, "not_started"),
    ]
    assert "2 hosts, and limits.changes is 1" in effects.results[1].reason
    assert not effects.applied


def test_under_check_a_group_predicts_every_host() -> None:
    _, effects, _ = interpret_playbook(BOTH, text=HOST_BY_HOST, effects=FakeEffects(checking=True))
    assert results_of(effects)[1:5] == [
        ("free", "A", "would_change"),
        ("proof", "A", "skipped"),
        ("free", "B", "would_change"),
        ("proof", "B", "skipped"),
    ]


def test_a_group_that_looks_first_is_not_refused_for_changes_that_it_may_not_make() -> None:
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
    statuses, _, flood = interpret_playbook(found(), text=text)
    assert statuses == ["ok", "skipped", "ok", "skipped"]
    assert [hosts for hosts, _ in flood.seen] == [("A",), ("B",)]


def test_a_group_that_is_refused_names_itself() -> None:
    _, effects, _ = interpret_playbook(BOTH, found(), text=HOST_BY_HOST.replace("{changes: 2}", "{changes: 1}"))
    assert effects.results[2].reason == "the run stopped at 'one after the other'"
