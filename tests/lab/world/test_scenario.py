from __future__ import annotations

import itertools
import random
from typing import Any

import pytest

from easops.document import DocumentError
from easops.errors import BadInput
from easops.lab.cmdlets import CMDLETS
from easops.lab.scripts import SCRIPTS
from easops.lab.world import World
from easops.lab.world.directory import Directory
from easops.lab.world.names import people
from easops.lab.world.scenario import build_scenario, read_scenario, scenario_names
from easops.lab.world.state import Beginning, MemoryState
from easops.lab.world.world import Answer
from tests.lab.console import START


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


def small(**data: Any) -> dict[str, Any]:
    return {**read_scenario("contacts-storm"), "history": 60, "mailboxes": 24, **data}


def opened(data: dict[str, Any]) -> World:
    answers: dict[str, Answer] = {**CMDLETS, **SCRIPTS}
    return World(MemoryState(), Beginning("test", data, 1, START.timestamp(), 0.0), answers, read_only=False)


def test_an_organisation_may_have_more_people_than_there_are_names() -> None:
    names = [mailbox.name for mailbox in Directory(build_scenario("test", small(mailboxes=2600)), 1).mailboxes]
    assert len(names) == len(set(names)) == 2602  # two are health mailboxes


def test_the_people_stay_the_same_when_there_are_more() -> None:
    few, many = (itertools.islice(people(random.Random(1), frozenset()), count) for count in (2400, 4000))
    assert list(itertools.islice(many, 2400)) == list(few)


def test_on_a_server_without_phones_nothing_strands() -> None:
    third = {"name": "AMS-EX03", "ip": "10.20.0.13", "processors": 8}
    servers = [*read_scenario("contacts-storm")["servers"], third]
    world = opened(small(servers=servers, stranding=[{"server": "AMS-EX03", "days": 20, "every": 600}]))
    world.advance(7200)
    assert not any(request.stranded for request in world.in_flight.of(world.servers["AMS-EX03"]))


@pytest.mark.parametrize(
    "data",
    [
        {"stranding": [{"server": "AMS-EX09", "days": 1, "every": 600}]},
        {"heavy": {"user": "Peter Lang", "server": "AMS-EX09", "every": 7}},
    ],
    ids=["stranding", "heavy"],
)
def test_a_server_that_no_phone_uses_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(DocumentError, match="no phone uses a server 'AMS-EX09'"):
        build_scenario("test", small(**data))
