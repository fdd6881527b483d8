"""A server without Get-CimInstance and without the WebAdministration module is read with what it has."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from easops.errors import BadInput, CommandFailed, OutcomeUnknown, UnexpectedAnswer
from easops.iis import (
    AppPool,
    Site,
    list_app_pools,
    list_sites,
    log_folder,
    read_worker_processes,
    recycle_app_pool,
    shutdown_time_limit,
)

Old = Callable[..., Any]

POOLS_OF_MODULE = "Get-ChildItem -LiteralPath IIS:\\AppPools"
POOLS = (
    '<?xml version="1.0" encoding="UTF-8"?>',
    "<appcmd>",
    '    <APPPOOL APPPOOL.NAME="MSExchangeSyncAppPool" RuntimeVersion="v2.0" state="Started" />',
    '    <APPPOOL APPPOOL.NAME="A &amp; B" RuntimeVersion="" state="Stopped" />',
    "</appcmd>",
)
POOL_TEXT = (
    "APPPOOL",
    '  APPPOOL.NAME:"MSExchangeSyncAppPool"',
    "  [add]",
    '    name:"MSExchangeSyncAppPool"',
    "    [processModel]",
    '      shutdownTimeLimit:"00:01:30"',
    '      startupTimeLimit:"00:01:00"',
)


def test_worker_processes_are_read_through_wmi_and_a_missing_cmdlet_is_tried_once(old_server: Old) -> None:
    worker = {
        "ProcessId": 4711,
        "CommandLine": 'c:\\windows\\system32\\inetsrv\\w3wp.exe -ap "MSExchangeSyncAppPool" -v "v2.0"',
        "CreationDate": "20261124202217.123456+060",
        "KernelModeTime": 20_000_000,
        "UserModeTime": 10_000_000,
        "PrivatePageCount": 5_000,
    }
    session = old_server(
        {
            "Win32_Process": (worker, {**worker, "CommandLine": None, "CreationDate": None}),
            "Win32_ComputerSystem": ({"NumberOfLogicalProcessors": 8},),
            "Win32_OperatingSystem": ({"LocalDateTime": "20261124143000.000000-300"},),
        }
    )

    reading = read_worker_processes(session)
    read_worker_processes(session)

    assert (reading.time, reading.logical_processors) == (dt.datetime(2026, 11, 24, 19, 30, tzinfo=dt.UTC), 8)
    (process,) = reading.processes
    assert process.started == dt.datetime(2026, 11, 24, 19, 22, 17, 123456, tzinfo=dt.UTC)
    assert (process.pid, process.app_pool, process.cpu_seconds) == (4711, "MSExchangeSyncAppPool", 3.0)
    assert ["Get-CimInstance" in call for call in session.invoked] == [True, False, False]


@pytest.mark.parametrize("moment", ["20261124202217.******+060", "20261399202217.000000+000", "", None, 5])
def test_a_server_time_that_is_not_a_time_is_an_error(old_server: Old, moment: object) -> None:
    session = old_server(
        {
            "Win32_Process": (),
            "Win32_ComputerSystem": ({"NumberOfLogicalProcessors": 8},),
            "Win32_OperatingSystem": ({"LocalDateTime": moment},),
        }
    )
    with pytest.raises(UnexpectedAnswer, match="LocalDateTime"):
        read_worker_processes(session)


def test_pools_sites_and_the_log_folder_come_from_appcmd(old_server: Old) -> None:
    session = old_server(
        {"Win32_OperatingSystem": ({"SystemDrive": "C:", "WindowsDirectory": "C:\\Windows"},)},
        {
            ("list", "apppool", "/xml"): (POOLS, 0),
            ("list", "apppool", "MSExchangeSyncAppPool", "/text:*"): (POOL_TEXT, 0),
            ("list", "site", "/xml"): (
                ("<appcmd>", '<SITE SITE.NAME="Default Web Site" SITE.ID="1" state="Started" />', "</appcmd>"),
                0,
            ),
            ("list", "site", "/id:1", "/text:logFile.directory"): (("%SystemDrive%\\inetpub\\logs\\LogFiles",), 0),
        },
    )

    assert list_app_pools(session) == (AppPool("A & B", "Stopped"), AppPool("MSExchangeSyncAppPool", "Started"))
    assert shutdown_time_limit(session, "MSExchangeSyncAppPool") == dt.timedelta(seconds=90)
    assert list_sites(session) == (Site(1, "Default Web Site", "Started"),)
    assert log_folder(session, 1) == "C:\\inetpub\\logs\\LogFiles\\W3SVC1"
    assert [call for call in session.invoked if "Import-Module" in call] == [
        "Import-Module -Name WebAdministration; Get-ChildItem -LiteralPath IIS:\\AppPools"
    ]


def test_a_recycle_is_one_call_of_appcmd_and_no_cmdlet_is_tried_first(old_server: Old) -> None:
    recycle = ("recycle", "apppool", "/apppool.name:MSExchangeSyncAppPool")
    session = old_server(written={recycle: (('"MSExchangeSyncAppPool" successfully recycled',), 0)})

    recycle_app_pool(session, "MSExchangeSyncAppPool")

    assert session.invoked == [f"Import-Module -Name WebAdministration; {POOLS_OF_MODULE}", " ".join(recycle)]


def test_a_refusal_of_appcmd_has_its_own_text(old_server: Old) -> None:
    words = 'ERROR ( message:Cannot find APPPOOL object with identifier "Nope". )'
    session = old_server(written={("recycle", "apppool", "/apppool.name:Nope"): ((words,), 1168)})

    with pytest.raises(CommandFailed) as failed:
        recycle_app_pool(session, "Nope")

    assert [record.message for record in failed.value.records] == [words]


def test_a_recycle_without_an_exit_code_has_an_unknown_outcome(old_server: Old) -> None:
    session = old_server(written={("recycle", "apppool", "/apppool.name:P"): (('"P" successfully recycled',), None)})
    with pytest.raises(OutcomeUnknown):
        recycle_app_pool(session, "P")


@pytest.mark.parametrize("name", ['a" & calc "', "a\\"])
def test_a_name_that_windows_would_change_is_refused(old_server: Old, name: str) -> None:
    session = old_server()
    with pytest.raises(BadInput):
        recycle_app_pool(session, name)
    assert session.invoked == [f"Import-Module -Name WebAdministration; {POOLS_OF_MODULE}"]


@pytest.mark.parametrize(
    "lines",
    [
        ("<!DOCTYPE appcmd [<!ENTITY a 'b'>]>", "<appcmd>&a;</appcmd>"),
        ("<appcmd>",),
        ("<appcmd>", '<SITE SITE.NAME="half a character: \ud800" />', "</appcmd>"),
        ("<html/>",),
        ("<appcmd><APPPOOL/></appcmd>",),
    ],
    ids=["a document type", "cut", "half a character", "something else", "a pool without a name"],
)
def test_other_xml_is_an_error(old_server: Old, lines: tuple[str, ...]) -> None:
    with pytest.raises(UnexpectedAnswer):
        list_app_pools(old_server(written={("list", "apppool", "/xml"): (lines, 0)}))


def test_a_refusal_in_the_xml_form_is_a_refusal(old_server: Old) -> None:
    lines = ('<appcmd><ERROR hresult="80070005" message="Access is denied." /></appcmd>',)
    with pytest.raises(CommandFailed, match=r"Access is denied\."):
        list_app_pools(old_server(written={("list", "apppool", "/xml"): (lines, 0)}))


EMPTY = ('<?xml version="1.0" encoding="UTF-8"?>', "<appcmd>", "</appcmd>")


def test_an_empty_list_may_end_with_0_or_1(old_server: Old) -> None:
    for lines, code in (((), 0), ((), 1), (EMPTY, 0), (EMPTY, 1)):
        assert list_sites(old_server(written={("list", "site", "/xml"): (lines, code)})) == ()


@pytest.mark.parametrize(
    ("lines", "code"),
    [((), -1073741819), ((), -1), (EMPTY, -1073741819), (POOLS, -1073741819)],
    ids=["crashed", "killed", "crashed after an empty list", "crashed after a list"],
)
def test_the_output_of_a_crashed_appcmd_is_not_a_list(old_server: Old, lines: tuple[str, ...], code: int) -> None:
    with pytest.raises(CommandFailed, match=f"exit code {code}") as failed:
        list_app_pools(old_server(written={("list", "apppool", "/xml"): (lines, code)}))
    assert "event log" in failed.value.next_step


def test_the_output_of_a_crashed_appcmd_is_not_a_setting(old_server: Old) -> None:
    with pytest.raises(CommandFailed, match=r"exit code -1073741819 \(0xC0000005\)"):
        shutdown_time_limit(old_server(written={("list", "apppool", "P", "/text:*"): ((), -1073741819)}), "P")
