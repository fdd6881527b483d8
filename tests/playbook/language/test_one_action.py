"""The playbook of a single action: its values are inputs, and what it cannot do without is required."""

from __future__ import annotations

import pytest

from easops.actions import ACTIONS
from easops.errors import BadInput
from easops.playbook.language.load import check_inputs
from easops.playbook.language.one_action import one_action_inputs, one_action_playbook


def test_every_action_makes_a_playbook_of_one_step_whose_values_are_inputs() -> None:
    for action in ACTIONS.values():
        names = [parameter.name for parameter in action.parameters if parameter.kind != "result"]
        playbook = one_action_playbook(action, names, on=True, because=True)
        (step,) = playbook.steps
        assert step.subject == action.name
        assert {parameter.name for parameter in playbook.inputs} == {*names, "protect", "selected_hosts", "reason"}


def test_a_single_action_cannot_take_the_result_of_an_earlier_step() -> None:
    with pytest.raises(BadInput, match="after of recycle_app_pool is the result of an earlier step"):
        one_action_playbook(ACTIONS["recycle_app_pool"], ["after"], on=True, because=True)


def test_a_value_that_looks_like_an_expression_stays_text() -> None:
    playbook = one_action_playbook(ACTIONS["block_user"], ["user"])
    values = one_action_inputs({"user": "{{ 7 * 7 }}"}, on=None, because=None, protect=("anna",))
    checked = check_inputs(playbook, values)
    assert playbook.steps[0].arguments(ACTIONS["block_user"].parameters, checked) == {"user": "{{ 7 * 7 }}"}
    assert "7 * 7" not in playbook.text


def test_an_action_on_servers_needs_hosts_and_a_one_way_action_needs_a_reason() -> None:
    with pytest.raises(BadInput, match="acts on servers"):
        one_action_playbook(ACTIONS["recycle_app_pool"], [], because=True)
    with pytest.raises(BadInput, match="needs a reason"):
        one_action_playbook(ACTIONS["recycle_app_pool"], [], on=True)
