from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

from easops.lab.cmdlet import Call
from easops.lab.cmdlets import CMDLETS
from easops.lab.scripts import SCRIPTS, appcmd_exe
from easops.lab.value import CmdletFailed
from easops.lab.world import World
from easops.lab.world.scenario import read_scenario
from easops.lab.world.state import Beginning, StateFolder

SYNC = "MSExchangeSyncAppPool"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    state = StateFolder(tmp_path)
    data = {**read_scenario("contacts-storm-2010"), "mailboxes": 12, "history": 300}
    state.write(
        Beginning("contacts-storm-2010", data, 7, dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC).timestamp(), 0.0)
    )
    state.close()
    world = World.open(tmp_path, {**CMDLETS, **SCRIPTS}, speed=0.0)
    yield world
    world.close()


def run(world: World, *arguments: str) -> appcmd_exe.Ended:
    return appcmd_exe.run(world, world.servers["AMS-CAS02"], arguments)


def elements(ended: appcmd_exe.Ended) -> list[dict[str, str]]:
    assert ended.lines[0] == '<?xml version="1.0" encoding="UTF-8"?>'
    return [dict(element.attrib) for element in ET.fromstring("\n".join(ended.lines))]


def test_pools_are_listed_in_xml(world: World) -> None:
    pools = {pool["APPPOOL.NAME"]: pool for pool in elements(run(world, "list", "apppool", "/xml"))}
    assert pools[SYNC] == {
        "APPPOOL.NAME": SYNC,
        "PipelineMode": "Integrated",
        "RuntimeVersion": "v2.0",
        "state": "Started",
    }
    assert run(world, "list", "apppools", "/xml") == run(world, "list", "apppool", "/xml")


def test_objects_are_listed_as_text(world: World) -> None:
    assert run(world, "list", "apppool", SYNC).lines == (
        f'APPPOOL "{SYNC}" (MgdVersion:v2.0,MgdMode:Integrated,state:Started)',
    )
    worker = world.servers["AMS-CAS02"].sync_worker
    assert run(world, "list", "wp", f"/apppool.name:{SYNC}").lines == (f'WP "{worker.pid}" (apppool:{SYNC})',)


def test_worker_processes_and_sites_are_listed_in_xml(world: World) -> None:
    worker = world.servers["AMS-CAS02"].sync_worker
    assert {"WP.NAME": str(worker.pid), "APPPOOL.NAME": SYNC} in elements(run(world, "list", "wp", "/xml"))
    (site,) = elements(run(world, "list", "sites", "/xml"))
    assert (site["SITE.NAME"], site["SITE.ID"], site["state"]) == ("Default Web Site", "1", "Started")


def test_the_settings_of_a_pool_are_an_indented_tree_or_xml_below_it(world: World) -> None:
    lines = run(world, "list", "apppool", SYNC, "/text:*").lines
    assert lines[:2] == ("APPPOOL", f'  APPPOOL.NAME:"{SYNC}"')
    at = lines.index("    [processModel]")
    assert '      shutdownTimeLimit:"00:01:30"' in lines[at:]
    document = ET.fromstring("\n".join(run(world, "list", "apppool", SYNC, "/xml", "/config").lines))
    restart = document.find("APPPOOL/add/recycling/periodicRestart")
    assert restart is not None
    assert restart.attrib == {"time": "00:00:00", "memory": "0", "privateMemory": "0", "requests": "0"}


def test_one_setting_can_be_asked_for(world: World) -> None:
    assert run(world, "list", "site", "/id:1", "/text:logFile.directory").lines == (
        r"%SystemDrive%\inetpub\logs\LogFiles",
    )


def test_a_list_of_nothing_ends_with_1(world: World) -> None:
    assert run(world, "list", "site", "/id:9") == appcmd_exe.Ended((), 1)
    assert elements(run(world, "list", "wp", "/apppool.name:none", "/xml")) == []


@pytest.mark.parametrize(
    "arguments",
    [("list", "apppool", "Nope"), ("recycle", "apppool", "Nope"), ("recycle", "apppool", "/apppool.name:Nope")],
)
def test_what_is_not_there_is_an_error(world: World, arguments: tuple[str, ...]) -> None:
    ended = run(world, *arguments)
    assert ended == appcmd_exe.Ended(('ERROR ( message:Cannot find APPPOOL object with identifier "Nope". )',), 1168)


def test_an_error_in_xml_is_an_element(world: World) -> None:
    ended = run(world, "list", "apppool", "Nope", "/xml")
    assert (elements(ended), ended.code) == ([{"message": 'Cannot find APPPOOL object with identifier "Nope".'}], 1168)


def test_a_recycle_gives_a_new_worker_process(world: World) -> None:
    old = world.servers["AMS-CAS02"].sync_worker
    ended = run(world, "recycle", "apppool", f"/apppool.name:{SYNC.lower()}")
    assert ended == appcmd_exe.Ended((f'"{SYNC}" successfully recycled',), 0)
    assert world.servers["AMS-CAS02"].sync_worker is not old


def test_a_stopped_pool_is_not_recycled(world: World) -> None:
    world.servers["AMS-CAS02"].pools[SYNC.lower()].started = False
    ended = run(world, "recycle", "apppool", SYNC)
    assert "message:Command execution failed." in ended.lines[0]
    assert ended.code == -2147023834


@pytest.mark.parametrize(
    "arguments",
    [(), ("list",), ("list", "vdir"), ("stop", "apppool", SYNC), ("recycle", "apppool"), ("add", "site", "x")],
)
def test_anything_else_is_said_to_be_unknown(world: World, arguments: tuple[str, ...]) -> None:
    with pytest.raises(appcmd_exe.NotSimulated):
        run(world, *arguments)


def test_the_script_gives_the_lines_then_the_exit_code(world: World) -> None:
    twin = SCRIPTS["iis/appcmd.ps1"]
    call = Call("AMS-CAS02", "admin", twin.name, {"Arguments": ["list", "apppool", SYNC, "/text:state"]})
    assert world.perform(twin, call) == ["Started", {"ExitCode": 0}]


def test_a_read_only_lab_refuses_a_recycle_by_script_and_lists_all_the_same(world: World) -> None:
    world.read_only = True
    twin = SCRIPTS["iis/appcmd.ps1"]
    assert world.perform(twin, Call("AMS-CAS02", "admin", twin.name, {"Arguments": ["list", "apppool"]}))
    with pytest.raises(CmdletFailed) as failed:
        world.perform(twin, Call("AMS-CAS02", "admin", twin.name, {"Arguments": ["recycle", "apppool", SYNC]}))
    assert failed.value.error.fqid == "LabReadOnly,iis/appcmd.ps1"
