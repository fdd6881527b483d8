from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from easops.lab.value import NonTerminating

SYNC = "MSExchangeSyncAppPool"
FOLDER = r"C:\inetpub\logs\LogFiles\W3SVC2"


def test_worker_processes_name_their_pool_on_the_command_line(ask: Any) -> None:
    processes = ask("Get-CimInstance", ClassName="Win32_Process", Filter="Name='w3wp.exe'")
    pools = [process.properties["CommandLine"].split('-ap "')[1].split('"')[0] for process in processes]
    assert len(pools) == 10
    assert pools.count(SYNC) == 1
    pids = [process.properties["ProcessId"].value for process in processes]
    assert len(set(pids)) == 10
    assert all(pid % 4 == 0 for pid in pids)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("Name = 'W3WP.EXE'", 10),
        ("Name = 'notepad.exe'", 0),
        ("Name = 'notepad.exe' OR Name='w3wp.exe' AND SessionId = 0", 10),
        ("Name <> 'w3wp.exe'", 0),
        ('Name = "w3wp.exe" and SessionId = 1', 0),
    ],
)
def test_a_filter_of_comparisons_with_and_and_or_is_simulated(ask: Any, query: str, count: int) -> None:
    assert len(ask("Get-CimInstance", ClassName="Win32_Process", Filter=query)) == count


@pytest.mark.parametrize("query", ["Name LIKE 'w3%'", "Nonsense = 1", "Name = 'w3wp.exe' XOR SessionId = 0", "Name ="])
def test_any_other_filter_is_invalid(ask: Any, query: str) -> None:
    assert ask.error("Get-CimInstance", ClassName="Win32_Process", Filter=query).fqid.startswith("HRESULT 0x80041017,")


def test_an_unknown_class_is_invalid(ask: Any) -> None:
    assert ask.error("Get-CimInstance", ClassName="Win32_Nonsense").fqid.startswith("HRESULT 0x80041010,")


def test_properties_that_were_not_asked_for_are_null(ask: Any) -> None:
    (system,) = ask("Get-CimInstance", ClassName="Win32_ComputerSystem", Property=["NumberOfLogicalProcessors"])
    assert system.types[0] == "Microsoft.Management.Infrastructure.CimInstance#root/cimv2/Win32_ComputerSystem"
    assert system.properties["NumberOfLogicalProcessors"].value == 8
    assert system.properties["Domain"] is None


def test_the_server_has_its_own_time_zone(ask: Any) -> None:
    (system,) = ask("Get-CimInstance", ClassName="Win32_OperatingSystem")
    time = system.properties["LocalDateTime"]
    assert time == dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
    assert time.utcoffset() == dt.timedelta(minutes=system.properties["CurrentTimeZone"])
    assert ask("Get-Date") == [time]


def test_the_log_folder_of_a_site_is_in_the_configuration(ask: Any) -> None:
    (found,) = ask(
        "Get-WebConfigurationProperty",
        PSPath="MACHINE/WEBROOT/APPHOST",
        Filter="/system.applicationHost/sites/site[@id='2']/logFile",
        Name="directory",
    )
    assert found.properties["Value"] == r"%SystemDrive%\inetpub\logs\LogFiles"


def test_sites_and_pools_are_listed(ask: Any) -> None:
    assert [site.notes["Name"] for site in ask("Get-Website")] == ["Default Web Site", "Exchange Back End"]
    pools = {pool.notes["name"]: pool.notes["state"] for pool in ask("Get-ChildItem", Path="IIS:\\AppPools")}
    assert pools[SYNC] == "Started"
    assert pools[".NET v4.5 Classic"] == "Stopped"


def test_the_settings_of_a_pool_are_read_by_path(ask: Any) -> None:
    read = {"Path": f"IIS:\\AppPools\\{SYNC}", "Name": "processModel.shutdownTimeLimit"}
    (found,) = ask("Get-ItemProperty", **read)
    assert found.properties["Value"] == dt.timedelta(seconds=90)
    assert ask.error("Get-ItemProperty", Path="IIS:\\AppPools\\none", Name="queueLength").fqid.startswith(
        "PathNotFound,"
    )


def test_a_recycle_gives_a_new_process_beside_the_old(ask: Any) -> None:
    def pids() -> set[int]:
        found = ask("Get-CimInstance", ClassName="Win32_Process")
        return {process.properties["ProcessId"].value for process in found if SYNC in process.properties["CommandLine"]}

    before = pids()
    assert ask("Restart-WebAppPool", Name=SYNC) == []
    assert len(pids()) == 2
    ask.world.advance(91)
    assert len(pids()) == 1
    assert not pids() & before


def test_an_unknown_and_a_stopped_pool_cannot_be_recycled(ask: Any) -> None:
    assert ask.error("Restart-WebAppPool", Name="none").category == "InvalidArgument"
    error = ask.error("Restart-WebAppPool", Name=".NET v4.5 Classic")
    assert error.exception == "System.InvalidOperationException"
    assert ask("Get-WebAppPoolState", Name=".NET v4.5 Classic")[0].notes["Value"] == "Stopped"


def test_log_files_are_listed_with_the_worlds_times(ask: Any) -> None:
    ask.world.advance(100)
    (file,) = ask("Get-ChildItem", LiteralPath=FOLDER, Filter="*.log")
    assert file.properties["FullName"] == rf"{FOLDER}\u_ex261124.log"
    assert file.properties["Length"].value > 10_000
    age = dt.datetime(2026, 11, 24, 12, 1, 40, tzinfo=dt.UTC) - file.properties["LastWriteTimeUtc"]
    assert dt.timedelta() <= age < dt.timedelta(seconds=30)


@pytest.mark.parametrize("path", [r"C:\nowhere", r"D:\Logs", r"C:\inetpub\..\..\..\..", r"\\other\share"])
def test_a_path_that_is_not_there_is_a_non_terminating_error(ask: Any, path: str) -> None:
    (answer,) = ask("Get-ChildItem", LiteralPath=path)
    assert isinstance(answer, NonTerminating)
    assert answer.error.fqid == "PathNotFound,Microsoft.PowerShell.Commands.GetChildItemCommand"
    assert answer.error.exception == "System.Management.Automation.ItemNotFoundException"


def test_an_unknown_module_is_a_non_terminating_error(ask: Any) -> None:
    assert ask("Import-Module", Name="WebAdministration") == []
    (answer,) = ask("Import-Module", Name="Nonsense")
    assert answer.error.fqid.startswith("Modules_ModuleNotFound,")
