"""Throttling policies: nothing is raised, and one policy of ours serves all users of the same values."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easops.errors import BadInput
from easops.exchange.eas_limits import EasBudget, Limit
from easops.exchange.throttling_policy import own_policy_name, set_throttling_policy

limits: st.SearchStrategy[Limit] = st.one_of(st.none(), st.just("Unlimited"), st.integers(0, 2_000_000))
budgets = st.builds(EasBudget, limits, limits, limits)
WANTED = EasBudget(recharge_rate=900_000, max_burst=240_000)


@pytest.mark.parametrize(
    ("held", "low"),
    [
        (EasBudget(1_800_000, 480_000, 600_000), False),
        (EasBudget(900_000, 240_000), True),
        (EasBudget(100, 240_000), True),
        (EasBudget(100, "Unlimited"), False),
        (EasBudget(900_000, None), False),
    ],
    ids=["the defaults", "as wanted", "lower", "one has no limit", "one is not set"],
)
def test_as_low_as_wanted_means_each_value(held: EasBudget, low: bool) -> None:
    assert held.as_low_as(WANTED) is low


@given(budgets, budgets)
def test_lowering_raises_nothing_and_is_as_low_as_wanted(held: EasBudget, wanted: EasBudget) -> None:
    lowered = held.lowered_to(wanted)
    assert lowered.over(held).as_low_as(wanted)
    assert lowered.over(held).as_low_as(held)


@given(budgets, budgets)
def test_what_a_policy_leaves_out_is_inherited(own: EasBudget, below: EasBudget) -> None:
    merged = own.over(below)
    assert merged.max_burst == (below.max_burst if own.max_burst is None else own.max_burst)


def test_a_policy_is_named_after_its_values() -> None:
    assert own_policy_name(WANTED) == "easops-eas-r900000-b240000"
    copies = {own_policy_name(WANTED, {"EwsMaxBurst": value}) for value in (1, 2)}
    assert len(copies) == 2
    assert all(len(name) <= 64 for name in copies)


def test_the_global_policy_is_not_edited() -> None:
    with pytest.raises(BadInput, match="not to be edited"):
        set_throttling_policy(cast("Any", None), "GlobalThrottlingPolicy_1234", WANTED)
