"""What a server of 2010 answers, and what each version makes of the other's objects."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest

from easops.lab.value import CmdletFailed, NonTerminating

ON_2010, ON_2016 = "Laura Brandt", "Victoria Chen"


def servers(ask: Any) -> dict[str, tuple[str, str]]:
    listed = ask("Get-ExchangeServer")
    return {
        server.properties["Name"]: (server.properties["ServerRole"].text, server.properties["AdminDisplayVersion"].text)
        for server in listed
    }


def test_each_version_lists_all_servers_with_their_own_versions_and_roles(mixed: Any) -> None:
    old, new = "Version 14.3 (Build 123.4)", "Version 15.1 (Build 2507.39)"
    assert servers(mixed) == {
        "AMS-CAS01": ("ClientAccess, HubTransport", old),
        "AMS-MBX01": ("Mailbox, HubTransport", old),
        "AMS-EX01": ("Mailbox", new),
        "AMS-EX02": ("Mailbox", new),
    }
    seen_from_2010 = servers(mixed.at("AMS-CAS01"))
    assert seen_from_2010["AMS-EX01"] == ("Mailbox, ClientAccess, UnifiedMessaging, HubTransport", new)
    assert seen_from_2010["AMS-CAS01"] == ("ClientAccess, HubTransport", old)


def test_a_mailbox_has_the_version_of_its_server(mixed: Any) -> None:
    (mailbox,) = mixed("Get-Mailbox", Identity=ON_2010)
    properties = mailbox.properties
    assert (properties["ServerName"], properties["ExchangeVersion"]) == ("ams-mbx01", "0.10 (14.0.100.0)")
    assert properties["AdminDisplayVersion"].text == "Version 14.3 (Build 123.4)"


def test_a_policy_of_2010_limits_percents_and_has_no_scope(old: Any) -> None:
    (default,) = old("Get-ThrottlingPolicy")
    properties = default.properties
    assert (properties["IsDefault"], properties["EASPercentTimeInCAS"].value, properties["EASPercentTimeInAD"]) == (
        True,
        100,
        None,
    )
    assert properties["EASMaxConcurrency"].value == 10
    assert not {"ThrottlingPolicyScope", "EasMaxBurst", "IsLegacyDefault"} & set(properties)


def test_a_new_policy_of_2010_copies_missing_values_from_the_default_one_and_null_is_no_limit(old: Any) -> None:
    (made,) = old("New-ThrottlingPolicy", Name="low", EASPercentTimeInCAS=30, EASMaxConcurrency=None)
    properties = made.properties
    assert (properties["IsDefault"], properties["EASPercentTimeInCAS"].value, properties["EASMaxConcurrency"]) == (
        False,
        30,
        None,
    )
    assert properties["EWSPercentTimeInCAS"].value == 90
    old("Set-ThrottlingPolicy", Identity="low", EASPercentTimeInCAS=None)
    (edited,) = old("Get-ThrottlingPolicy", Identity="low")
    assert edited.properties["EASPercentTimeInCAS"] is None


def test_the_default_policy_of_2010_is_not_removed(old: Any) -> None:
    (default,) = old("Get-ThrottlingPolicy")
    error = old.error("Remove-ThrottlingPolicy", Identity=default.properties["Name"])
    assert "the default policy" in error.message


@pytest.mark.parametrize(
    ("cmdlet", "parameters"),
    [
        ("New-ThrottlingPolicy", {"Name": "low", "EasMaxBurst": "1"}),
        ("New-ThrottlingPolicy", {"Name": "low", "ThrottlingPolicyScope": "Regular"}),
        ("Get-ThrottlingPolicy", {"Explicit": True}),
        ("Get-ThrottlingPolicyAssociation", {"ThrottlingPolicy": "low"}),
        ("Get-Mailbox", {"Monitoring": True}),
    ],
)
def test_2010_does_not_have_later_parameters(old: Any, cmdlet: str, parameters: dict[str, Any]) -> None:
    assert old.error(cmdlet, **parameters).fqid == f"NamedParameterNotFound,{cmdlet}"


def test_the_error_records_of_2010_have_no_prefix(old: Any) -> None:
    error = old.error("Get-Mailbox", Identity="nobody")
    assert re.fullmatch(r"[0-9A-F]+,Microsoft\.Exchange\.Management\.RecipientTasks\.GetMailbox", error.fqid)


def test_2016_shows_policies_of_2010_without_settings_that_it_does_not_have(mixed: Any) -> None:
    (old,) = [p for p in mixed("Get-ThrottlingPolicy") if p.properties["Name"].startswith("DefaultThrottlingPolicy")]
    properties = old.properties
    assert (properties["IsLegacyDefault"], properties["ThrottlingPolicyScope"].text) == (True, "Regular")
    assert (properties["EasMaxConcurrency"].text, properties["ExchangeVersion"]) == ("10", "0.10 (14.0.100.0)")
    assert not {"EasMaxBurst", "EASPercentTimeInCAS", "IsDefault"} & set(properties)


def test_2010_shows_policies_of_2016_without_settings_that_it_does_not_have(mixed: Any) -> None:
    listed = mixed.at("AMS-CAS01")("Get-ThrottlingPolicy")
    assert [policy.properties["IsDefault"] for policy in listed] == [True, False]
    properties = listed[1].properties
    assert (properties["EASMaxConcurrency"].value, properties["ExchangeVersion"]) == (10, "0.20 (15.0.0.0)")
    assert not {"EasMaxBurst", "EASPercentTimeInCAS", "ThrottlingPolicyScope"} & set(properties)


@pytest.mark.parametrize(("maker", "other"), [("AMS-EX01", "AMS-CAS01"), ("AMS-CAS01", "AMS-EX01")])
def test_a_policy_is_changed_and_removed_only_by_the_version_that_made_it(mixed: Any, maker: str, other: str) -> None:
    mixed.at(maker)("New-ThrottlingPolicy", Name="low")
    for cmdlet, more in (("Set-ThrottlingPolicy", {"EasMaxConcurrency": 3}), ("Remove-ThrottlingPolicy", {})):
        error = mixed.at(other).error(cmdlet, Identity="low", **more)
        assert error.exception == "Microsoft.Exchange.Data.InvalidObjectOperationException"
    mixed.at(maker)("Remove-ThrottlingPolicy", Identity="low")


@pytest.mark.parametrize(
    ("user", "right", "wrong"), [(ON_2010, "AMS-CAS01", "AMS-EX01"), (ON_2016, "AMS-EX01", "AMS-CAS01")]
)
def test_a_policy_is_associated_by_the_version_of_the_mailbox(mixed: Any, user: str, right: str, wrong: str) -> None:
    for server, name in ((right, "own"), (wrong, "foreign")):
        mixed.at(server)("New-ThrottlingPolicy", Name=name)
    refused = [
        mixed.at(wrong).error("Set-ThrottlingPolicyAssociation", Identity=user, ThrottlingPolicy="foreign"),
        mixed.at(wrong).error("Set-ThrottlingPolicyAssociation", Identity=user, ThrottlingPolicy=None),
        mixed.at(right).error("Set-ThrottlingPolicyAssociation", Identity=user, ThrottlingPolicy="foreign"),
    ]
    assert {error.exception for error in refused} == {"Microsoft.Exchange.Data.InvalidObjectOperationException"}
    mixed.at(right)("Set-ThrottlingPolicyAssociation", Identity=user, ThrottlingPolicy="own")
    for server in (right, wrong):
        (mailbox,) = mixed.at(server)("Get-Mailbox", Identity=user)
        assert mailbox.properties["ThrottlingPolicy"].text == "own"


def test_a_mailbox_of_a_newer_version_is_read_only_to_the_older(mixed: Any) -> None:
    error = mixed.at("AMS-CAS01").error("Set-CASMailbox", Identity=ON_2016, ActiveSyncEnabled=False)
    assert error.message.startswith("Object is read only because it was created by a future version of Exchange: 0.20 ")
    mixed("Set-CASMailbox", Identity=ON_2010, ActiveSyncEnabled=False)
    (mailbox,) = mixed.at("AMS-CAS01")("Get-CASMailbox", Identity=ON_2010)
    assert mailbox.properties["ActiveSyncEnabled"] is False


def test_devices_are_also_shown_by_the_older_cmdlets(old: Any, mixed: Any) -> None:
    (device, *_) = old("Get-ActiveSyncDevice", Mailbox=ON_2010)
    assert device.types[0].endswith(".ActiveSyncDevice")
    (statistics,) = old("Get-ActiveSyncDeviceStatistics", Identity=device.properties["Guid"])
    assert statistics.properties["DeviceId"] == device.properties["DeviceId"]
    assert mixed("Get-MobileDevice", Mailbox=ON_2010)[0].types[0].endswith(".MobileDevice")
    assert old.error("Get-MobileDevice", Mailbox=ON_2010).fqid == "CommandNotFoundException"


def test_a_worker_process_of_2010_is_read_by_get_wmi_object(old: Any) -> None:
    assert old.error("Get-CimInstance", ClassName="Win32_Process").fqid == "CommandNotFoundException"
    names = ["ProcessId", "CommandLine", "CreationDate", "PrivatePageCount", "KernelModeTime", "UserModeTime"]
    found = old("Get-WmiObject", Class="Win32_Process", Filter="Name='w3wp.exe'", Property=names)
    (sync,) = [
        process for process in found if '-ap "MSExchangeSyncAppPool" -v "v2.0"' in process.properties["CommandLine"]
    ]
    assert sync.types[0] == r"System.Management.ManagementObject#root\cimv2\Win32_Process"
    assert set(names) == {name for name in sync.properties if not name.startswith("__")}
    started = old.world.servers["AMS-CAS01"].sync_worker.started
    text = sync.properties["CreationDate"]
    assert re.fullmatch(r"\d{14}\.\d{6}\+060", text)
    local = dt.datetime.strptime(text[:21], "%Y%m%d%H%M%S.%f").replace(tzinfo=dt.timezone(dt.timedelta(hours=1)))
    assert local.timestamp() == pytest.approx(started, abs=1e-5)


def test_get_wmi_object_gives_the_whole_object_where_no_property_is_named(old: Any) -> None:
    (system,) = old("Get-WmiObject", Class="Win32_OperatingSystem")
    properties = system.properties
    assert (properties["__SERVER"], properties["__NAMESPACE"], properties["Version"]) == (
        "AMS-CAS01",
        r"root\cimv2",
        "6.1.7601",
    )


@pytest.mark.parametrize(
    ("parameters", "category"),
    [
        ({"Class": "Win32_Nonsense"}, "InvalidType"),
        ({"Class": "Win32_Process", "Filter": "Nonsense = 1"}, "InvalidArgument"),
        ({"Class": "Win32_Process", "Namespace": r"root\nonsense"}, "InvalidType"),
    ],
)
def test_an_error_of_get_wmi_object_is_non_terminating(old: Any, parameters: dict[str, str], category: str) -> None:
    (written,) = old("Get-WmiObject", **parameters)
    assert isinstance(written, NonTerminating)
    assert (written.error.fqid, written.error.category) == (
        "GetWMIManagementException,Microsoft.PowerShell.Commands.GetWmiObjectCommand",
        category,
    )


def test_a_server_may_lack_the_web_administration_module(old: Any) -> None:
    assert old("Import-Module", Name="WebAdministration") == []
    (written,) = old.at("AMS-CAS02")("Import-Module", Name="WebAdministration")
    assert (written.error.exception, written.error.fqid) == (
        "System.IO.FileNotFoundException",
        "Modules_ModuleNotFound,Microsoft.PowerShell.Commands.ImportModuleCommand",
    )


def test_the_iis_of_2010_has_one_web_site_and_its_own_pools(old: Any) -> None:
    assert [site.notes["Name"] for site in old("Get-Website")] == ["Default Web Site"]
    pools = {
        pool.notes["name"]: pool.notes["managedRuntimeVersion"] for pool in old("Get-ChildItem", Path="IIS:\\AppPools")
    }
    assert pools["MSExchangeSyncAppPool"] == "v2.0"
    assert "MSExchangeMapiFrontEndAppPool" not in pools
    with pytest.raises(CmdletFailed, match="AppPools"):
        old.at("AMS-MBX01")("Get-ItemProperty", Path="IIS:\\AppPools\\MSExchangeSyncAppPool")
