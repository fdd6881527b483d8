from __future__ import annotations

import pytest

from easops.errors import BadInput
from easops.lab.world.directory import Directory
from easops.lab.world.scenario import build_scenario, read_scenario, scenario_names


@pytest.mark.parametrize("name", scenario_names())
def test_each_scenario_is_complete_and_its_people_exist(name: str) -> None:
    scenario = build_scenario(name, read_scenario(name))
    directory = Directory(scenario, 1)
    people = {mailbox.display_name for mailbox in directory.mailboxes}
    assert {storm.user for storm in scenario.storms} <= people
    assert scenario.stubborn <= {storm.user for storm in scenario.storms}
    assert sum(not mailbox.monitoring for mailbox in directory.mailboxes) == scenario.mailboxes
    assert scenario.description


def test_a_scenario_takes_missing_keys_from_the_one_that_it_extends() -> None:
    calm, storm = read_scenario("calm"), read_scenario("contacts-storm")
    assert calm["storms"] == []
    assert calm["servers"] == storm["servers"]


def test_storms_are_on_both_servers() -> None:
    scenario = build_scenario("contacts-storm", read_scenario("contacts-storm"))
    assert {storm.server for storm in scenario.storms} == {server.name for server in scenario.servers}


def test_an_unknown_scenario_is_refused() -> None:
    with pytest.raises(BadInput, match="there is no lab scenario 'storm'"):
        read_scenario("storm")
