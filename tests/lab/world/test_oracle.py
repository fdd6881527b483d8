"""The oracle says what is true, also where the directory says otherwise."""

from __future__ import annotations

from typing import Any

from easops.lab.world.oracle import Oracle
from tests.lab.console import Console

POOL = "MSExchangeSyncAppPool"


def test_a_low_policy_stops_a_flood_only_after_a_recycle(storm: Console) -> None:
    oracle = Oracle(storm.world)
    laura = next(phone for phone in storm.world.phones if phone.mailbox.display_name == "Laura Brandt")
    server = laura.back.name

    def refused() -> dict[str, bool]:
        return {flood.mailbox: flood.refused for flood in oracle.floods()}

    assert set(refused().values()) == {False}
    storm("New-ThrottlingPolicy", Name="low", EasRechargeRate="900000")
    storm.world.advance(1000)  # by now the worker process knows the policy, but not that a user will have it
    storm("Set-ThrottlingPolicyAssociation", Identity="Laura Brandt", ThrottlingPolicy="low")
    assert oracle.limits("Laura Brandt", server).policy.startswith("GlobalThrottlingPolicy")
    storm("Restart-WebAppPool", at=server, Name=POOL)
    assert oracle.limits("Laura Brandt", server).policy == "low"
    assert oracle.limits("Laura Brandt", server).values["EasRechargeRate"] == "900000"
    assert [user for user, is_refused in refused().items() if is_refused] == [laura.mailbox.smtp]


def test_the_worker_processes_of_a_recycled_pool_are_the_old_and_the_new(storm: Console) -> None:
    storm.world.advance(100)
    storm("Restart-WebAppPool", Name=POOL)
    found = [worker for worker in Oracle(storm.world).workers("AMS-EX01") if worker.pool == POOL]
    assert [worker.drains for worker in found] == [True, False]
    assert found[1].started == storm.world.time


def test_what_is_stranded_ends_with_its_worker_process(open_world: Any) -> None:
    console = open_world("stranded-pings")
    oracle = Oracle(console.world)
    assert len(oracle.stranded("AMS-EX01")) > 100
    assert oracle.stranded("AMS-EX03") == ()
    console("Restart-WebAppPool", Name=POOL)
    console.world.advance(120)
    assert len(oracle.stranded("AMS-EX01")) < 5


def test_a_block_shows_in_what_a_devices_requests_are_answered(storm: Console) -> None:
    laura = next(phone for phone in storm.world.phones if phone.mailbox.display_name == "Laura Brandt")
    oracle = Oracle(storm.world)
    storm.world.advance(600)
    assert {answer.status for answer in oracle.answers(laura.device_id, storm.world.start)} == {200}
    storm("Set-CASMailbox", Identity="Laura Brandt", ActiveSyncEnabled=False)
    storm("Restart-WebAppPool", at=laura.back.name, Name=POOL)
    storm.world.advance(100)  # the requests of the old worker process end in 90 seconds
    since = storm.world.time
    storm.world.advance(600)
    refusals = {(answer.status, answer.error) for answer in oracle.answers(laura.device_id, since)}
    assert refusals == {(403, "UserDisabledForSync")}


def test_the_calls_say_who_did_what(storm: Console) -> None:
    storm("Set-CASMailbox", Identity="Laura Brandt", ActiveSyncEnabled=False)
    (call,) = Oracle(storm.world).calls()
    assert (call["user"], call["server"], call["cmdlet"], call["outcome"]) == (
        "CONTOSO\\admin",
        "AMS-EX01",
        "Set-CASMailbox",
        "ok",
    )
