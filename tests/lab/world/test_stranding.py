"""The worlds of KB 4337638."""

from __future__ import annotations

from typing import Any

DAY = 86_400
LONGEST = 3540.0


def ages(console: Any, server: str = "AMS-EX01") -> list[float]:
    """Of all requests in flight, in seconds, the oldest first."""
    found = console("Get-WebRequest", at=server)
    return sorted((request.notes["timeElapsed"].value / 1000 for request in found), reverse=True)


def memory(console: Any, server: str = "AMS-EX01") -> int:
    host = console.world.servers[server]
    return sum(host.private_bytes(w, console.world.time) for w in host.workers if w.pool == "MSExchangeSyncAppPool")


def test_two_of_three_servers_have_pings_that_are_weeks_old(open_world: Any) -> None:
    sick = open_world("stranded-pings")
    oldest = {server: ages(sick, server)[0] for server in sick.world.servers}
    assert 20 * DAY < oldest["AMS-EX01"] < 24 * DAY
    assert 14 * DAY < oldest["AMS-EX02"] < 17 * DAY
    assert oldest["AMS-EX03"] < LONGEST
    assert memory(sick) > memory(sick, "AMS-EX02") > 2 * memory(sick, "AMS-EX03")


def test_stranded_pings_grow_in_number_and_memory(open_world: Any) -> None:
    sick = open_world("stranded-pings")
    count_before, memory_before = len([age for age in ages(sick) if age > LONGEST]), memory(sick)
    sick.world.advance(DAY)
    more = len([age for age in ages(sick) if age > LONGEST]) - count_before
    assert more > 20
    assert memory(sick) - memory_before > 20 * 6 * 1024**2


def test_a_recycle_ends_stranded_pings_within_the_shutdown_time_limit(open_world: Any) -> None:
    sick = open_world("stranded-pings")
    host = sick.world.servers["AMS-EX01"]
    old, memory_before = host.sync_worker, memory(sick)
    sick("Restart-WebAppPool", Name="MSExchangeSyncAppPool")
    sick.world.advance(89)
    assert old in host.workers, "it drains: what never ends keeps it until the limit"
    sick.world.advance(2)
    assert old not in host.workers
    assert ages(sick)[0] < 100
    assert memory(sick) < memory_before / 3
    sick.world.advance(60)  # nobody comes back for what was stranded
    assert len([r for r in sick.world.in_flight.of(host) if r.stranded]) <= 1


def test_the_phone_of_a_stranded_ping_sends_another_and_is_answered(open_world: Any) -> None:
    sick = open_world("stranded-pings")
    stranded = {r.client.phone.device_id for r in sick.world.in_flight.of(sick.world.servers["AMS-EX01"]) if r.stranded}
    before = sick.log()
    sick.world.advance(3600)
    lines = [line for line in sick.log()[len(before) :].splitlines() if " 200 0 0 " in line]
    assert stranded
    assert all(any(f"DeviceId={device}" in line for line in lines) for device in stranded)


def test_a_resumed_world_has_the_same_pings(open_world: Any) -> None:
    one = open_world("stranded-pings")
    ids = sorted(request.notes["requestId"] for request in one("Get-WebRequest"))
    one.world.close()
    assert sorted(request.notes["requestId"] for request in open_world("stranded-pings")("Get-WebRequest")) == ids


def test_a_busy_server_has_long_pings_but_none_that_is_too_long(open_world: Any) -> None:
    busy = open_world("busy-but-healthy", mailboxes=150, history=7200)
    found = ages(busy)
    assert len(found) > 60
    assert 0.7 * LONGEST < found[0] < LONGEST + 5


def test_a_server_of_2010_lists_each_request_once_in_its_one_site(open_world: Any) -> None:
    found = open_world("contacts-storm-2010")("Get-WebRequest", at="AMS-CAS01")
    assert {request.notes["siteId"].value for request in found} == {1}
    assert len({request.notes["requestId"] for request in found}) == len(found)
