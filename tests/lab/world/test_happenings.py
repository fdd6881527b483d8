"""What a scenario has happen after the start: colleagues' changes, storms that begin and end, servers that go down."""

from __future__ import annotations

from typing import Any

import pytest

from easops.document import DocumentError
from easops.errors import UnreachableHost
from easops.iis import read_worker_processes
from easops.inventory import load_inventory
from easops.lab import server
from easops.lab.cmdlets import CMDLETS
from easops.lab.scripts import SCRIPTS
from easops.lab.world import World
from easops.lab.world.scenario import build_scenario, read_scenario
from easops.lab.world.state import Beginning, MemoryState, StateFolder
from easops.lab.world.world import Answer
from easops.remoting.pool import SessionPool
from tests.lab.console import START, Console
from tests.simulation.session import InProcessSession


def console(*happenings: dict[str, Any], state: MemoryState | None = None, **data: Any) -> Console:
    """A console in a small world with these happenings."""
    changed = {
        **read_scenario("contacts-storm"), "mailboxes": 24, "history": 300, **data, "happenings": list(happenings),
    }  # fmt: skip
    answers: dict[str, Answer] = {**CMDLETS, **SCRIPTS}
    beginning = Beginning("test", changed, 7, START.timestamp(), 0.0)
    return Console(World(state or MemoryState(), beginning, answers, read_only=False))


def test_a_colleague_blocks_and_unblocks_a_user() -> None:
    ask = console(
        {"at": 60, "what": "block_user", "whom": "Laura Brandt"},
        {"at": "3m", "what": "unblock_user", "whom": "Laura Brandt"},
    )
    seen = []
    for _ in range(4):
        seen.append(ask("Get-CASMailbox", Identity="Laura Brandt")[0].properties["ActiveSyncEnabled"])
        ask.world.advance(60)
    assert seen == [True, False, False, True]


def test_a_colleague_edits_a_policy_associates_it_and_is_refused_its_removal() -> None:
    state = MemoryState()
    policies = [{"name": "low", "values": {"EasMaxBurst": 240000}, "users": []}]
    ask = console(
        {"at": 10, "what": "edit_policy", "whom": "low", "values": {"EasMaxBurst": 100000}},
        {"at": 20, "what": "associate_policy", "whom": "Marco Ricci", "policy": "low"},
        {"at": 30, "what": "remove_policy", "whom": "low"},
        state=state,
        policies=policies,
    )
    ask.world.advance(60)
    assert ask("Get-ThrottlingPolicy", Identity="low")[0].properties["EasMaxBurst"].text == "100000"
    done = [(call["user"], call["cmdlet"], call["outcome"] == "ok") for call in state.calls[:3]]
    assert done == [
        ("CONTOSO\\colleague", "Set-ThrottlingPolicy", True),
        ("CONTOSO\\colleague", "Set-ThrottlingPolicyAssociation", True),
        ("CONTOSO\\colleague", "Remove-ThrottlingPolicy", False),
    ]


def test_a_colleague_recycles_a_pool() -> None:
    ask = console({"at": 60, "what": "recycle_pool", "whom": "AMS-EX01"})
    before = ask.world.servers["AMS-EX01"].sync_worker
    ask.world.advance(61)
    assert ask.world.servers["AMS-EX01"].sync_worker.started == START.timestamp() + 60
    assert before.drains_until is not None


def test_a_storm_begins_and_its_device_is_repaired() -> None:
    ask = console(
        {"at": 60, "what": "begin_storm", "whom": "Sam Quiet", "interval": 100},
        {"at": 2000, "what": "fix_device", "whom": "Sam Quiet"},
        storms=[],
    )
    phone = next(phone for phone in ask.world.phones if phone.mailbox.display_name == "Sam Quiet")
    ask = ask.at(phone.back.name)
    counts = []
    for until in (60, 2000, 4000):
        ask.world.reach(until + 90)  # a post takes up to 90 seconds
        counts.append(sum(phone.device_id in line for line in ask.log(ask.server).splitlines()))
    assert counts[1] - counts[0] > 15
    assert counts[2] - counts[1] < 15


def test_a_world_that_is_resumed_has_the_same_happenings() -> None:
    state = MemoryState()
    happenings = (
        {"at": 60, "what": "block_user", "whom": "Laura Brandt"},
        {"at": 90, "what": "recycle_pool", "whom": "AMS-EX01"},
        {"at": 100, "what": "server_down", "whom": "AMS-EX02", "for": "5m"},
    )
    first = console(*happenings, state=state)
    first.world.advance(600)
    first("Set-CASMailbox", Identity="Marco Ricci", ActiveSyncEnabled=False)
    first.world.advance(600)
    first.world.close()
    logs, calls = [first.log(name) for name in first.world.servers], len(state.calls)

    again = console(*happenings, state=state)

    assert [again.log(name) for name in again.world.servers] == logs
    assert len(state.calls) == calls


def test_a_server_that_is_down_answers_nobody_until_it_is_up_again() -> None:
    ask = console({"at": 60, "what": "server_down", "whom": "AMS-EX02", "for": 120})
    session = InProcessSession(ask.world, "AMS-EX02", "windows")
    before = read_worker_processes(session).of_pool("MSExchangeSyncAppPool")
    ask.world.advance(61)
    with pytest.raises(UnreachableHost):
        read_worker_processes(session)
    ask.world.advance(120)
    (after,) = read_worker_processes(session).of_pool("MSExchangeSyncAppPool")
    assert after.pid not in {worker.pid for worker in before}
    assert after.started.timestamp() == START.timestamp() + 180


def test_phones_get_no_answer_from_a_server_that_is_down() -> None:
    ask = console({"at": 60, "what": "server_down", "whom": "AMS-EX02"})
    ask.world.advance(60)
    before = ask.log("AMS-EX02")
    ask.world.advance(1800)
    assert ask.log("AMS-EX02") == before


def test_over_the_wire_too_it_answers_nobody(tmp_path: Any) -> None:
    happenings = [{"at": 60, "what": "server_down", "whom": "AMS-EX02", "for": 120}]
    data = {**read_scenario("contacts-storm"), "mailboxes": 24, "history": 300, "happenings": happenings}
    state = StateFolder(tmp_path / "lab")
    state.write(Beginning("contacts-storm", data, 7, START.timestamp(), 0.0))
    state.close()
    with server.start(tmp_path / "lab", speed=0) as lab, SessionPool() as pool:
        host = next(host for host in load_inventory(lab.inventory).hosts if host.name == "AMS-EX02")
        session = pool.open(host, "windows")
        read_worker_processes(session)
        lab.world.advance(61)
        session.close()
        with pytest.raises(UnreachableHost):
            read_worker_processes(session)
        lab.world.advance(120)
        assert read_worker_processes(session).of_pool("MSExchangeSyncAppPool")


@pytest.mark.parametrize(
    ("happening", "why"),
    [
        ({"at": 5, "what": "earthquake", "whom": "AMS-EX01"}, "'earthquake' cannot happen"),
        ({"what": "block_user", "whom": "Laura Brandt"}, "at is missing"),
        ({"at": "soon", "what": "block_user", "whom": "Laura Brandt"}, "'soon' is not a duration"),
        ({"at": -5, "what": "block_user", "whom": "Laura Brandt"}, "before the start"),
        ({"at": 5, "what": "block_user", "whom": "Laura Brandt", "pool": "x"}, "block_user has no pool"),
        ({"at": 5, "what": "associate_policy", "whom": "Laura Brandt"}, "associate_policy needs policy"),
        ({"at": 5, "what": "begin_storm", "whom": "Laura Brandt", "rpc": 7}, "a value of a wrong kind"),
        ({"at": 5, "what": "server_down", "whom": "AMS-EX09"}, "there is no server 'AMS-EX09'"),
    ],
)
def test_a_mistake_is_refused_with_its_reason(happening: dict[str, Any], why: str) -> None:
    with pytest.raises(DocumentError) as refused:
        build_scenario("test", {**read_scenario("contacts-storm"), "happenings": [happening]})
    assert why in str(refused.value)
