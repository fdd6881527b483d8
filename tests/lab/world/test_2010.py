"""Exchange 2010: its log lines, its percents, and its mailbox server behind the client access servers."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import pytest

USERS = {"AMS-CAS01": ("Laura Brandt", "Marco Ricci"), "AMS-CAS02": ("Tomas Novak",)}
POOL = "MSExchangeSyncAppPool"


@pytest.fixture
def old(open_world: Any) -> Any:
    return open_world("contacts-storm-2010")


def storms(text: str) -> list[str]:
    """The lines of storms that went through."""
    return [line for line in text.splitlines() if "_Ty:Co_" in line and re.search(r"_RpcC[2-9]\d{3}_", line)]


def busy(console: Any, server: str = "AMS-CAS01", seconds: float = 30.0) -> float:
    """The share of the server, 0 to 100, that its sync workers take over the next seconds."""
    host = console.world.servers[server]

    def total() -> float:
        return float(sum(host.cpu_seconds(w, console.world.time) for w in host.workers if w.pool == POOL))

    before = total()
    console.world.advance(seconds)
    return float(100 * (total() - before) / seconds / host.processors)


def limit(console: Any, **values: int) -> None:
    console("New-ThrottlingPolicy", at="AMS-CAS01", Name="low", **values)
    for user in USERS["AMS-CAS01"]:
        console("Set-ThrottlingPolicyAssociation", at="AMS-CAS01", Identity=user, ThrottlingPolicy="low")


def recycle(console: Any) -> None:
    console("Restart-WebAppPool", at="AMS-CAS01", Name=POOL)
    console.world.advance(91)


def test_a_request_is_one_line_with_its_rpcs_in_the_only_site_of_its_client_access_server(old: Any) -> None:
    log = old.log("AMS-CAS01", 1)
    assert list(old.world.servers["AMS-CAS01"].logs) == [1]
    assert log.startswith("#Software: Microsoft Internet Information Services 7.5\r\n")
    assert "cs(Referer)" not in log
    assert "ActivityContextData" not in log
    assert 6 <= len(storms(log)) <= 9  # two phones, a quarter of an hour, four minutes apart
    assert all(" 443 " in line and "_Mbx:AMS-MBX01.contoso.example_" in line for line in storms(log))


def test_every_line_has_as_many_values_as_its_fields(old: Any) -> None:
    lines = old.log("AMS-CAS01", 1).splitlines()
    fields = next(line for line in lines if line.startswith("#Fields: ")).split()[1:]
    wrong = [line for line in lines if not line.startswith("#") and len(line.split(" ")) != len(fields)]
    assert wrong == []


def test_no_phone_speaks_a_newer_protocol_and_a_base64_query_is_logged_as_it_was_sent(old: Any) -> None:
    log = old.log("AMS-CAS01", 1)
    assert set(re.findall(r"&Log=V(\d+)_", log)) <= {"141", "0"}
    encoded = re.findall(r"default\.eas ([A-Za-z0-9+/=]+)&Log=V141", log)
    assert encoded
    assert {base64.b64decode(query)[0] for query in encoded} == {141}


def test_the_storm_uses_up_the_client_access_servers_and_the_mailbox_server_serves_no_phone(old: Any) -> None:
    assert busy(old, "AMS-CAS01") > 85
    assert busy(old, "AMS-CAS02") > 85
    assert POOL.lower() not in old.world.servers["AMS-MBX01"].pools
    assert old.log("AMS-MBX01", 1) == ""


def test_a_low_percent_of_time_stops_the_storm_once_the_worker_has_restarted(old: Any) -> None:
    limit(old, EASPercentTimeInCAS=30)
    before = old.log("AMS-CAS01", 1)
    old.world.advance(300)
    assert storms(old.log("AMS-CAS01", 1)[len(before) :])
    recycle(old)
    before = old.log("AMS-CAS01", 1)
    old.world.advance(600)
    after = old.log("AMS-CAS01", 1)[len(before) :]
    assert storms(after) == []
    refused = [line for line in after.splitlines() if "Error:OverBudget" in line]
    assert refused
    assert all(" 503 0 " in line and "%2f30%25%2cRPC" in line and "Policy%3alow%2c" in line for line in refused)
    assert busy(old) < 8


@pytest.mark.parametrize(
    "values",
    [{"EASPercentTimeInCAS": 90}, {"EASPercentTimeInMailboxRPC": 10}, {"EASMaxConcurrency": 2}],
    ids=["a high percent", "another's percent", "another limit"],
)
def test_another_limit_does_not_stop_the_storm(old: Any, values: dict[str, int]) -> None:
    limit(old, **values)
    recycle(old)
    old.world.advance(300)
    assert busy(old) > 60


def test_there_are_no_health_mailboxes_before_2013(old: Any) -> None:
    assert not any(mailbox.monitoring for mailbox in old.world.directory.mailboxes)


def test_a_restart_replays_a_recycle_by_appcmd(open_world: Any, old: Any, tmp_path: Path) -> None:
    from easops.lab.cmdlet import Call
    from easops.lab.scripts import SCRIPTS

    arguments = {"Arguments": ["recycle", "apppool", f"/apppool.name:{POOL}"]}
    old.world.perform(SCRIPTS["iis/appcmd.ps1"], Call("AMS-CAS02", "admin", "iis/appcmd.ps1", arguments))
    old.world.advance(120)
    worker = old.world.servers["AMS-CAS02"].sync_worker
    log = old.log("AMS-CAS02", 1)
    old.world.close()

    again = open_world()

    other = again.world.servers["AMS-CAS02"].sync_worker
    assert (other.pid, other.started) == (worker.pid, worker.started)
    assert again.log("AMS-CAS02", 1) == log
