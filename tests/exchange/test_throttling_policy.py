"""Throttling policies: no value is raised, and one policy of easops serves all users with the same values."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easops.errors import BadInput, UnexpectedAnswer
from easops.exchange.eas_limits import EasBudget, EasPercentTime, Limit
from easops.exchange.throttling_policy import get_default_limits, own_policy_name, set_throttling_policy
from easops.remoting.result import RemoteObject
from tests.exchange.scripted import Scripted

limits: st.SearchStrategy[Limit] = st.one_of(st.none(), st.just("Unlimited"), st.integers(0, 2_000_000))
budgets = st.builds(EasBudget, limits, limits, limits)
WANTED = EasBudget(recharge_rate=900_000, max_burst=240_000)


@pytest.mark.parametrize(
    ("limits", "low"),
    [
        (EasBudget(1_800_000, 480_000, 600_000), False),
        (EasBudget(900_000, 240_000), True),
        (EasBudget(100, 240_000), True),
        (EasBudget(100, "Unlimited"), False),
        (EasBudget(900_000, None), False),
    ],
    ids=["the defaults", "as wanted", "lower", "one has no limit", "one is not set"],
)
def test_limits_are_as_low_as_others_if_each_value_is(limits: EasBudget, low: bool) -> None:
    assert limits.as_low_as(WANTED) is low


@given(budgets, budgets)
def test_lowering_raises_no_value_and_is_as_low_as_both(limits: EasBudget, wanted: EasBudget) -> None:
    lowered = limits.lowered_to(wanted)
    assert lowered.with_defaults(limits).as_low_as(wanted)
    assert lowered.with_defaults(limits).as_low_as(limits)


@given(budgets, budgets)
def test_values_that_a_policy_does_not_set_are_inherited(own: EasBudget, below: EasBudget) -> None:
    merged = own.with_defaults(below)
    assert merged.max_burst == (below.max_burst if own.max_burst is None else own.max_burst)


def test_a_policy_is_named_after_its_values() -> None:
    assert own_policy_name(WANTED) == "easops-eas-r900000-b240000"
    copies = {own_policy_name(WANTED, {"EwsMaxBurst": value}) for value in (1, 2)}
    assert len(copies) == 2
    assert all(len(name) <= 64 for name in copies)


def default(name: str, percent: int) -> RemoteObject:
    return RemoteObject((), {"Name": name, "Guid": name, "IsDefault": True, "EASPercentTimeInCAS": percent})


def test_two_default_policies_that_differ_are_named_with_the_cure() -> None:
    with pytest.raises(UnexpectedAnswer, match=r"Default_1 \(default_1\) and Default_2") as error:
        get_default_limits(Scripted([default("Default_1", 100), default("Default_2", 50)]))

    assert "-IsDefault $true" in error.value.next_step


def test_two_default_policies_with_the_same_values_are_no_question() -> None:
    assert get_default_limits(Scripted([default("A", 100), default("B", 100)])) == EasPercentTime(100)


def test_no_default_policy_is_an_error() -> None:
    with pytest.raises(UnexpectedAnswer, match="no default throttling policy"):
        get_default_limits(Scripted([]))


@pytest.mark.parametrize("name", ["GlobalThrottlingPolicy_1234", "DefaultThrottlingPolicy_1234"])
def test_the_default_policy_is_never_edited(name: str) -> None:
    with pytest.raises(BadInput, match="easops does not edit"):
        set_throttling_policy(cast("Any", None), name, WANTED)


@pytest.mark.parametrize(
    ("limits", "low"), [(100, False), (31, False), (30, True), (5, True), (None, False)], ids=lambda value: str(value)
)
def test_30_percent_of_time_is_low_and_null_means_no_limit(limits: Limit, low: bool) -> None:
    share = EasPercentTime(limits)
    assert share.with_defaults(EasPercentTime(5)).as_low_as(EasPercentTime(30)) is low
    assert share.lowered_to(EasPercentTime(30)) == (share if low else EasPercentTime(30))
    assert own_policy_name(EasPercentTime(30)) == "easops-eas-p30"
