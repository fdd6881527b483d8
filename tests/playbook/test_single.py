from __future__ import annotations

import pytest

from easops.actions import ACTIONS
from easops.errors import BadInput
from easops.playbook.do import inputs_of, single
from easops.playbook.language.load import check_inputs


def test_every_action_makes_a_playbook_of_one_step_whose_values_are_inputs() -> None:
    for action in ACTIONS.values():
        names = [parameter.name for parameter in action.parameters if parameter.kind != "result"]
        playbook = single(action, names, on=True, because=True)
        (step,) = playbook.steps
        assert step.subject == action.name
        assert {held.name for held in playbook.inputs} == {*names, "protect", "selected_hosts", "reason"}


def test_the_result_of_an_earlier_step_is_nothing_that_can_be_given() -> None:
    with pytest.raises(BadInput, match="after of recycle_app_pool is the result of an earlier step"):
        single(ACTIONS["recycle_app_pool"], ["after"], on=True, because=True)


def test_a_value_that_looks_like_an_expression_stays_text() -> None:
    playbook = single(ACTIONS["block_user"], ["user"])
    values = inputs_of({"user": "{{ 7 * 7 }}"}, on=None, because=None, protect=("anna",))
    checked = check_inputs(playbook, values)
    assert playbook.steps[0].arguments(ACTIONS["block_user"].parameters, checked) == {"user": "{{ 7 * 7 }}"}
    assert "7 * 7" not in playbook.text


def test_a_server_action_needs_hosts_and_a_pulse_a_reason() -> None:
    with pytest.raises(BadInput, match="acts on servers"):
        single(ACTIONS["recycle_app_pool"], [], because=True)
    with pytest.raises(BadInput, match="needs a reason"):
        single(ACTIONS["recycle_app_pool"], [], on=True)
