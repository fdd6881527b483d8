from __future__ import annotations

import datetime as dt
from pathlib import Path

from easops.inventory.load import load_inventory
from easops.lab import server
from easops.parameter import check_all
from easops.readings import READINGS
from easops.readings.take import take

REQUESTS = READINGS["requests"]


def test_the_oldest_requests_of_each_server_are_shown_with_their_user_and_device(tmp_path: Path) -> None:
    with server.start(tmp_path, scenario="stranded-pings", speed=0) as lab:
        result = take(REQUESTS, check_all(REQUESTS.parameters, {"older": "64m"}), load_inventory(lab.inventory).hosts)

    rows = [(row.host, dict(zip(REQUESTS.columns, row.values, strict=True))) for row in result.rows]
    assert {host for host, _ in rows} == {"AMS-EX01", "AMS-EX02"}
    ages = [row["age"] for host, row in rows if host == "AMS-EX01"]
    assert ages == sorted(ages, reverse=True)
    assert ages[0] > dt.timedelta(days=20)
    assert {row["command"] for _, row in rows} == {"Ping"}
    assert {row["site"] for _, row in rows} == {1, 2}
    back_end = [row for _, row in rows if row["site"] == 2]
    assert all(row["user"] and row["device_id"] and row["client"].startswith("10.20.0.") for row in back_end)


def test_a_server_without_the_module_shows_the_same_through_appcmd(tmp_path: Path) -> None:
    with server.start(tmp_path, scenario="contacts-storm-2010", speed=0) as lab:
        hosts = [host for host in load_inventory(lab.inventory).hosts if host.runs_activesync]
        lacking = {host.name for host in hosts if not lab.world.servers[host.name].web_administration}
        result = take(REQUESTS, check_all(REQUESTS.parameters, {}), hosts)

    rows = [(row.host, dict(zip(REQUESTS.columns, row.values, strict=True))) for row in result.rows]
    assert lacking
    assert lacking < {host for host, _ in rows}
    for _, row in rows:
        assert (row["site"], row["verb"]) == (1, "POST" if row["command"] else "OPTIONS")
        assert row["url"].startswith("/Microsoft-Server-ActiveSync/default.eas")
        assert row["age"] < dt.timedelta(hours=1)
