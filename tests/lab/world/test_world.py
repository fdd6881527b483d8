from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

STORM = re.compile(r"_Ty:Co_.*_Cli:2500a")
USER = "laura.brandt@contoso.example"


def storms(text: str) -> list[str]:
    """The lines of Laura Brandt's storm that went through."""
    return [line for line in text.splitlines() if STORM.search(line) and " 200 0 " in line]


def rpc(line: str) -> int:
    found = re.search(r"RPC\.C%5b[^%]*%5d%3d(\d+)", line)
    assert found is not None
    return int(found.group(1))


def busy(storm: Any, server: str = "AMS-EX01", seconds: float = 30.0) -> float:
    """The share of the whole server, 0 to 100, that all sync workers took over the next seconds."""
    host = storm.world.servers[server]

    def total() -> float:
        workers = [worker for worker in host.workers if worker.pool == "MSExchangeSyncAppPool"]
        return float(sum(host.cpu_seconds(worker, storm.world.time) for worker in workers))

    before = total()
    storm.world.advance(seconds)
    return float(100 * (total() - before) / seconds / host.processors)


def limit(storm: Any, **values: str) -> None:
    storm("New-ThrottlingPolicy", Name="low", ThrottlingPolicyScope="Regular", **values)
    for user in ("Laura Brandt", "Marco Ricci"):
        storm("Set-ThrottlingPolicyAssociation", Identity=user, ThrottlingPolicy="low")


def recycle(storm: Any, server: str = "AMS-EX01") -> None:
    storm("Restart-WebAppPool", at=server, Name="MSExchangeSyncAppPool")
    storm.world.advance(91)


def test_a_storm_posts_all_contacts_at_its_interval_with_thousands_of_rpcs(storm: Any) -> None:
    lines = storms(storm.log())
    assert 3 <= len(lines) <= 4  # 15 minutes at 238 seconds
    assert all(2310 <= rpc(line) <= 4100 for line in lines)
    assert all(20_000 <= int(line.rsplit(" ", 1)[1]) <= 91_000 for line in lines)


def test_a_storm_uses_up_the_server_and_ordinary_use_does_not(open_world: Any) -> None:
    assert 85 <= busy(open_world()) <= 99
    assert busy(open_world("calm", folder="calm")) < 8


def test_a_low_policy_stops_the_storm_once_the_worker_has_restarted(storm: Any) -> None:
    limit(storm, EasRechargeRate="900000", EasMaxBurst="240000")
    recycle(storm)
    before = storm.log()
    storm.world.advance(600)
    after = storm.log()[len(before) :]
    assert storms(after) == []
    refused = [
        line
        for line in after.splitlines()
        if "Error:OverBudget" in line and f"SmtpAdrs:{USER.replace('@', '%40')}" in line
    ]
    assert len(refused) >= 2
    assert all(" 503 0 " in line and rpc(line) < 10 and "Policy%3alow%2c" in line for line in refused)
    assert busy(storm) < 8


def test_a_policy_that_no_worker_has_noticed_yet_stops_nothing(storm: Any) -> None:
    limit(storm, EasRechargeRate="900000")
    before = storm.log()
    storm.world.advance(600)
    assert len(storms(storm.log()[len(before) :])) >= 2


def test_a_recycle_alone_does_not_stop_the_storm(storm: Any) -> None:
    recycle(storm)
    storm.world.advance(300)
    assert busy(storm) > 60


def test_a_policy_that_is_not_low_does_not_stop_the_storm(storm: Any) -> None:
    limit(storm, EasRechargeRate="1800000", EasMaxBurst="480000")
    recycle(storm)
    storm.world.advance(300)
    assert busy(storm) > 60


def test_an_edited_policy_is_noticed_within_a_quarter_of_an_hour(storm: Any) -> None:
    limit(storm, EasRechargeRate="1800000")
    recycle(storm)
    storm("Set-ThrottlingPolicy", Identity="low", EasRechargeRate="900000")
    storm.world.advance(1000)
    before = storm.log()
    storm.world.advance(600)
    assert storms(storm.log()[len(before) :]) == []


def test_a_blocked_user_is_refused_after_the_recycle(storm: Any) -> None:
    storm("Set-CASMailbox", Identity="Laura Brandt", ActiveSyncEnabled=False)
    recycle(storm)
    before = storm.log()
    storm.world.advance(600)
    after = storm.log()[len(before) :]
    assert storms(after) == []
    assert any("Error:UserDisabledForSync" in line and " 403 0 " in line for line in after.splitlines())


def test_a_stubborn_phone_goes_on_flooding(open_world: Any) -> None:
    storm = open_world("contacts-storm-stubborn")
    limit(storm, EasRechargeRate="900000")
    recycle(storm)
    before = storm.log()
    storm.world.advance(600)
    assert re.search(r"_Ty:Co_.*_Cli:3180a.* 200 0 ", storm.log()[len(before) :])


def test_a_recycled_worker_ends_its_requests_beside_its_successor_and_then_ends(storm: Any) -> None:
    host = storm.world.servers["AMS-EX01"]
    old = host.sync_worker
    storm("Restart-WebAppPool", Name="MSExchangeSyncAppPool")
    assert host.sync_worker is not old
    assert host.sync_worker.pid not in {old.pid}
    storm.world.advance(30)
    assert old in host.workers
    storm.world.advance(61)
    assert old not in host.workers


def test_a_request_that_does_not_end_within_the_time_limit_leaves_no_line_in_the_back_end(storm: Any) -> None:
    # A Ping that waits longer than 90 seconds is in flight at the recycle, and dies with its worker.
    host = storm.world.servers["AMS-EX01"]
    storm("Restart-WebAppPool", Name="MSExchangeSyncAppPool")
    doomed = [
        r
        for r in storm.world.in_flight.of(host)
        if r.back is host and r.end > storm.world.time + 90 and r.front is host
    ]
    assert doomed
    before = storm.log()
    storm.world.advance(90.5)
    assert all(request.lost for request in doomed)
    ended = storm.log()[len(before) :]
    assert not [line for line in ended.splitlines() if "Cmd=Ping" in line and int(line.rsplit(" ", 1)[1]) > 2_000_000]


def test_a_change_does_not_shift_the_requests_of_others(open_world: Any) -> None:
    one, other = open_world(folder="one"), open_world(folder="other")
    one("Set-CASMailbox", Identity="Laura Brandt", ActiveSyncEnabled=False)
    recycle(one)
    other.world.advance(91)
    for each in (one, other):
        each.world.advance(900)

    def of_the_other_server(console: Any) -> list[str]:
        # The front end of the recycled server serves some of them too: look at those it does not serve.
        return [line for line in console.log("AMS-EX02").splitlines() if "Cafe:AMS-EX02" in line]

    assert of_the_other_server(one) == of_the_other_server(other)


def test_reading_does_not_change_the_world(open_world: Any) -> None:
    one, other = open_world(folder="one"), open_world(folder="other")
    for _ in range(60):
        one.world.advance(10)
        one("Get-CimInstance", ClassName="Win32_Process", Filter="Name='w3wp.exe'")
    other.world.advance(600)
    assert one.log() == other.log()
    hosts = [console.world.servers["AMS-EX01"] for console in (one, other)]
    times = [host.cpu_seconds(host.sync_worker, one.world.time) for host in hosts]
    assert times[0] == pytest.approx(times[1])


def test_another_seed_gives_another_world(tmp_path: Path) -> None:
    from easops.lab.cmdlets import CMDLETS
    from easops.lab.world import World

    worlds = [World.open(tmp_path / str(seed), CMDLETS, scenario="calm", seed=seed, speed=0.0) for seed in (1, 2)]
    for world in worlds:
        world.close()
    first, second = ({mailbox.smtp for mailbox in world.directory.mailboxes} for world in worlds)
    assert first != second
    assert len(first) == len(second) == 202  # two health mailboxes


def test_lines_are_in_the_order_in_which_requests_ended(storm: Any) -> None:
    stamps = [line[:19] for line in storm.log().splitlines() if not line.startswith("#")]
    assert stamps == sorted(stamps)
    assert len(stamps) > 50


def test_every_line_has_as_many_values_as_its_fields(storm: Any) -> None:
    recycle(storm)  # which writes the fields once more
    for site in (1, 2):
        counts = 0
        fields: list[str] = []
        for line in storm.log(site=site).splitlines():
            if line.startswith("#Fields: "):
                fields = line.split()[1:]
                counts += 1
            elif not line.startswith("#"):
                assert len(line.split(" ")) == len(fields), line
        assert counts == 2


def test_a_new_log_file_with_its_own_fields_begins_at_midnight(open_world: Any) -> None:
    console = open_world("calm")
    console.world.advance(12 * 3600 + 60)
    server = console.world.servers["AMS-EX01"]
    folder = server.logs[2].folder
    console.world.flush()
    assert [file.name for file in server.disk.files(folder)] == ["u_ex261124.log", "u_ex261125.log"]
    start = server.disk.read(rf"{folder}\u_ex261125.log", 0, 60)
    assert start.startswith(b"#Software: Microsoft Internet Information Services")


def test_a_job_that_outlives_its_request_ends_with_its_worker(storm: Any) -> None:
    limit(storm, EasRechargeRate="900000")
    host = storm.world.servers["AMS-EX01"]
    assert host.jobs
    recycle(storm)
    assert host.jobs == []
    assert busy(storm, seconds=10) < 8
