"""A verify step: how long it looks, and what it comes to. No server, no engine."""

from __future__ import annotations

import datetime as dt

import pytest

from easops.detectors.finding import Detection, Undetermined

from .fakes import (
    CURE,
    FastClock,
    found,
    interpret_playbook,
    user,
)


def test_a_verify_looks_until_the_fault_is_gone() -> None:
    flooding = found(user("anna"))
    statuses, _, flood = interpret_playbook(flooding, flooding, flooding, found())
    assert statuses[-1] == "ok"
    assert len(flood.seen) == 4


@pytest.mark.parametrize(
    ("rate", "waited"), [(1, 485), (60, 13)], ids=["the servers' clock is ours", "60 times as fast"]
)
def test_a_verify_waits_until_it_can_judge(rate: int, waited: int) -> None:
    def waiting(seconds: float, passed: float) -> Detection:
        item = Undetermined("user", "anna", "too early", required=True, host="A", seconds=seconds)
        time = dt.datetime(2026, 3, 2, tzinfo=dt.UTC) + dt.timedelta(seconds=passed)
        return found(undetermined=(item,), times={"A": time})

    clock = FastClock()
    looks = (waiting(480 + 5 * (rate - 1), 0), waiting(480, 5 * rate))
    statuses, _, flood = interpret_playbook(found(user("anna")), *looks, found(), clock=clock)

    assert statuses[-1] == "ok"
    assert len(flood.seen) == 4
    assert round(clock.seconds) == waited


def test_a_verify_of_several_looks_knows_whom_it_was_asked_about() -> None:
    late = found(asked=("anna",), undetermined=(Undetermined("user", "anna", "too early", required=True, host="A"),))
    _, effects, _ = interpret_playbook(found(user("anna")), late, found(asked=("anna",)))
    seen = effects.results[-1].detection
    assert seen is not None
    assert seen.asked == ("anna",)


def test_a_verify_that_still_finds_it_at_the_end_has_failed() -> None:
    clock = FastClock()
    statuses, _, _ = interpret_playbook(found(user("anna")), clock=clock)
    assert statuses[-1] == "verify_failed"
    assert clock.seconds >= 1800


def test_a_verify_that_could_not_be_judged_at_the_end_is_undetermined() -> None:
    waiting = found(undetermined=(Undetermined("user", "anna", "too early", required=True, host="A"),))
    assert interpret_playbook(found(user("anna")), waiting)[0][-1] == "undetermined"


def test_a_verify_of_a_step_that_was_not_carried_out_is_skipped_at_once() -> None:
    text = CURE.replace('    when: "{{ limited.changed }}"\n    verify', "    verify")
    statuses, _, flood = interpret_playbook(found(), text=text)

    assert statuses[-1] == "skipped"
    assert len(flood.seen) == 1


def test_a_host_that_passed_is_looked_at_again_at_the_end() -> None:
    """Meanwhile the fault may have moved there: it has not passed before all have passed at the same time."""
    at_b = found(user("anna", hosts=("B",)), hosts=("B",))
    text = CURE.replace('    on: "{{ storm.hosts }}"\n    within', "    within")
    _, effects, flood = interpret_playbook(
        found(user("anna", hosts=("A", "B")), hosts=("A", "B")), at_b, found(), at_b_as_a(), found(), found(), text=text
    )

    assert [hosts for hosts, _ in flood.seen[1:]] == [("A", "B"), ("B",), ("A",), ("A",), ("B",)]
    assert str(effects.results[-1].status) == "ok"


def test_a_host_that_the_step_did_not_act_on_is_watched_from_the_first_look_on_by_its_own_clock() -> None:
    """Our clock says nothing of when that was on a server whose clock is off."""
    ahead = {"B": dt.datetime(2027, 1, 1, tzinfo=dt.UTC)}
    text = CURE.replace('    on: "{{ storm.hosts }}"\n    within', "    within")
    early = Undetermined("user", "anna", "too early", required=True, host="B")
    _, _, flood = interpret_playbook(
        found(user("anna")), found(times=ahead, undetermined=(early,)), found(times=ahead), text=text
    )

    afters = [values["after"].ended for _, values in flood.seen[1:]]
    assert [set(ended) for ended in afters] == [{"A"}, {"A", "B"}, {"A", "B"}]
    assert afters[1]["B"] == ahead["B"]


def at_b_as_a() -> Detection:
    return found(user("anna"))
