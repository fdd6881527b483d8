from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

from easops.lab.cmdlet import Call
from easops.lab.scripts import SCRIPTS, appcmd_exe
from easops.lab.value import CmdletFailed
from easops.lab.world import World
from tests.lab.console import open_small_world

SYNC = "MSExchangeSyncAppPool"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = open_small_world(tmp_path, "contacts-storm-2010", mailboxes=12, history=300)
    yield world
    world.close()


def run(world: World, *arguments: str) -> appcmd_exe.Result:
    return appcmd_exe.run(world, world.servers["AMS-CAS02"], arguments)


def elements(result: appcmd_exe.Result) -> list[dict[str, str]]:
    assert result.lines[0] == '<?xml version="1.0" encoding="UTF-8"?>'
    return [dict(element.attrib) for element in ET.fromstring("\n".join(result.lines))]


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


def test_a_single_setting_can_be_listed(world: World) -> None:
    assert run(world, "list", "site", "/id:1", "/text:logFile.directory").lines == (
        r"%SystemDrive%\inetpub\logs\LogFiles",
    )


def test_an_empty_list_ends_with_exit_code_1(world: World) -> None:
    assert run(world, "list", "site", "/id:9") == appcmd_exe.Result((), 1)
    assert elements(run(world, "list", "wp", "/apppool.name:none", "/xml")) == []


@pytest.mark.parametrize(
    "arguments",
    [("list", "apppool", "Nope"), ("recycle", "apppool", "Nope"), ("recycle", "apppool", "/apppool.name:Nope")],
)
def test_a_pool_that_does_not_exist_is_an_error(world: World, arguments: tuple[str, ...]) -> None:
    result = run(world, *arguments)
    assert result == appcmd_exe.Result(('ERROR ( message:Cannot find APPPOOL object with identifier "Nope". )',), 1168)


def test_an_error_in_xml_is_an_element(world: World) -> None:
    result = run(world, "list", "apppool", "Nope", "/xml")
    assert (elements(result), result.code) == (
        [{"message": 'Cannot find APPPOOL object with identifier "Nope".'}],
        1168,
    )


def test_a_recycle_gives_a_new_worker_process(world: World) -> None:
    old = world.servers["AMS-CAS02"].sync_worker
    result = run(world, "recycle", "apppool", f"/apppool.name:{SYNC.lower()}")
    assert result == appcmd_exe.Result((f'"{SYNC}" successfully recycled',), 0)
    assert world.servers["AMS-CAS02"].sync_worker is not old


def test_a_stopped_pool_is_not_recycled(world: World) -> None:
    world.servers["AMS-CAS02"].pools[SYNC.lower()].started = False
    result = run(world, "recycle", "apppool", SYNC)
    assert "message:Command execution failed." in result.lines[0]
    assert result.code == -2147023834


@pytest.mark.parametrize(
    "arguments",
    [(), ("list",), ("list", "vdir"), ("stop", "apppool", SYNC), ("recycle", "apppool"), ("add", "site", "x")],
)
def test_any_other_command_is_not_simulated(world: World, arguments: tuple[str, ...]) -> None:
    with pytest.raises(appcmd_exe.NotSimulated):
        run(world, *arguments)


def test_the_script_gives_the_lines_then_the_exit_code(world: World) -> None:
    twin = SCRIPTS["iis/appcmd.ps1"]
    call = Call("AMS-CAS02", "admin", twin.name, {"Arguments": ["list", "apppool", SYNC, "/text:state"]})
    assert world.perform(twin, call) == ["Started", {"ExitCode": 0}]


def test_a_read_only_lab_refuses_a_recycle_by_script_but_still_lists(world: World) -> None:
    world.read_only = True
    twin = SCRIPTS["iis/appcmd.ps1"]
    assert world.perform(twin, Call("AMS-CAS02", "admin", twin.name, {"Arguments": ["list", "apppool"]}))
    with pytest.raises(CmdletFailed) as failed:
        world.perform(twin, Call("AMS-CAS02", "admin", twin.name, {"Arguments": ["recycle", "apppool", SYNC]}))
    assert failed.value.error.fqid == "LabReadOnly,iis/appcmd.ps1"
