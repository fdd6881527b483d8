"""Which cmdlets and parameters each version has."""

from __future__ import annotations

from typing import Any

import pytest

from easops.lab.call import Endpoint
from easops.lab.signatures.binder import bind
from easops.lab.signatures.compact import VERSIONS
from easops.lab.signatures.table import SignatureTable
from easops.lab.value import CmdletFailed

TABLES = {version: SignatureTable(version) for version in VERSIONS}
EVERY = tuple(VERSIONS)


@pytest.mark.parametrize(
    ("cmdlet", "versions"),
    [
        ("Get-CASMailbox", EVERY),
        ("Get-ActiveSyncDevice", EVERY),
        ("Get-MobileDevice", EVERY[1:]),
        ("Get-MobileDeviceStatistics", EVERY[1:]),
        ("Set-ThrottlingPolicyAssociation", EVERY),
        ("Get-Nothing", ()),
        ("Restart-WebAppPool", ()),
    ],
)
def test_a_version_has_its_own_cmdlets(cmdlet: str, versions: tuple[str, ...]) -> None:
    found = {version: table.find("exchange", cmdlet.upper()) for version, table in TABLES.items()}
    assert tuple(version for version, signature in found.items() if signature is not None) == versions


@pytest.mark.parametrize(
    ("cmdlet", "name", "value", "versions"),
    [
        ("Set-ThrottlingPolicy", "EasMaxConcurrency", 5, EVERY),
        ("Set-ThrottlingPolicy", "EASPercentTimeInCAS", 5, EVERY[:1]),
        ("Set-ThrottlingPolicy", "EasMaxBurst", 5, EVERY[1:]),
        ("Set-ThrottlingPolicy", "EasRechargeRate", 5, EVERY[1:]),
        ("Set-ThrottlingPolicy", "EasCutoffBalance", 5, EVERY[1:]),
    ],
)
def test_a_version_has_its_own_parameters(cmdlet: str, name: str, value: Any, versions: tuple[str, ...]) -> None:
    def takes(version: str) -> bool:
        signature = TABLES[version].find("exchange", cmdlet)
        assert signature is not None
        try:
            return dict(bind(signature, [("Identity", "p"), (name, value)])) != {}
        except CmdletFailed as failed:
            return failed.error.fqid != f"NamedParameterNotFound,{cmdlet}"

    assert tuple(version for version in VERSIONS if takes(version)) == versions


@pytest.mark.parametrize("cmdlet", ["New-ThrottlingPolicy", "Set-ThrottlingPolicy"])
def test_a_limit_of_concurrency_takes_the_word_unlimited_since_2013(cmdlet: str) -> None:
    first = "Name" if cmdlet.startswith("New") else "Identity"
    arguments = [(first, "p"), ("EasMaxConcurrency", "Unlimited")]
    with pytest.raises(CmdletFailed, match="Unlimited"):
        TABLES["2010"].bind("exchange", cmdlet, arguments)
    for version in EVERY[1:]:
        assert TABLES[version].bind("exchange", cmdlet, arguments)[1]["EASMaxConcurrency"] == "Unlimited"


def test_a_limit_of_a_throttling_policy_may_be_null() -> None:
    bound = TABLES["2010"].bind("exchange", "set-throttlingpolicy", [("Identity", "p"), ("EasMaxConcurrency", None)])

    assert bound == ("Set-ThrottlingPolicy", {"Identity": "p", "EASMaxConcurrency": None})


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "cmdlet",
    [
        "Get-CASMailbox",
        "Get-Mailbox",
        "Get-ActiveSyncDevice",
        "Get-ThrottlingPolicy",
        "Get-ThrottlingPolicyAssociation",
    ],
)
def test_plain_calls_bind_without_a_parameter(version: str, cmdlet: str) -> None:
    assert TABLES[version].bind("exchange", cmdlet, []) == (cmdlet, {})


@pytest.mark.parametrize(
    ("endpoint", "cmdlet", "arguments", "bound"),
    [
        (
            "windows",
            "Get-CimInstance",
            [("ClassName", "Win32_Process"), ("Filter", "Name='w3wp.exe'")],
            {"ClassName": "Win32_Process", "Filter": "Name='w3wp.exe'"},
        ),
        ("windows", "gwmi", [(None, "Win32_Process")], {"Class": "Win32_Process"}),
        ("windows", "Import-Module", [(None, "WebAdministration")], {"Name": ["WebAdministration"]}),
        ("windows", "WebAdministration\\Restart-WebAppPool", [("Name", "Pool")], {"Name": "Pool"}),
        ("windows", "Get-Counter", [("Counter", "\\x"), ("MaxSamples", 1)], {"Counter": ["\\x"], "MaxSamples": 1}),
        ("windows", "Get-NetTCPConnection", [("State", "closewait")], {"State": ["CloseWait"]}),
        ("windows", "Get-ChildItem", [("Path", "C:\\x")], {"Path": ["C:\\x"]}),
        ("exchange", "Select-Object", [("Property", ["Name"]), ("First", 1)], {"Property": ["Name"], "First": 1}),
    ],
)
def test_windows_cmdlets_bind(
    endpoint: Endpoint, cmdlet: str, arguments: list[tuple[str | None, Any]], bound: dict[str, Any]
) -> None:
    assert TABLES["2016"].bind(endpoint, cmdlet, arguments, piped=True)[1] == bound


def test_a_cmdlet_that_a_version_does_not_have_is_a_command_not_found() -> None:
    with pytest.raises(CmdletFailed) as failed:
        TABLES["2010"].bind("exchange", "Get-MobileDevice", [])

    error = failed.value.error
    assert (error.fqid, error.category, error.target, error.activity) == (
        "CommandNotFoundException",
        "ObjectNotFound",
        "Get-MobileDevice",
        "",
    )


def test_a_version_without_signatures_is_refused() -> None:
    with pytest.raises(ValueError, match="no signatures of Exchange '2007'"):
        SignatureTable("2007")


def test_only_a_cmdlet_that_supports_should_process_has_confirm() -> None:
    with pytest.raises(CmdletFailed, match="matches parameter name 'Confirm'"):
        TABLES["2016"].bind("exchange", "Get-CASMailbox", [("Confirm", False)])


@pytest.mark.parametrize(
    "cmdlet", ["Get-CimInstance", "Get-NetTCPConnection", "Get-ItemPropertyValue", "Get-IISAppPool"]
)
def test_the_windows_of_2010_has_no_cmdlet_that_came_after_powershell_2(cmdlet: str) -> None:
    assert TABLES["2016"].find("windows", cmdlet) is not None
    assert TABLES["2010"].find("windows", cmdlet) is None


@pytest.mark.parametrize(
    ("endpoint", "cmdlet", "parameter"),
    [
        ("windows", "Get-ChildItem", "File"),
        ("windows", "Get-Content", "Tail"),
        ("windows", "Import-Module", "RequiredVersion"),
        ("windows", "Get-WmiObject", "InformationAction"),
        ("exchange", "Get-Mailbox", "PipelineVariable"),
        ("exchange", "Select-Object", "SkipLast"),
    ],
)
def test_the_windows_of_2010_has_no_parameter_that_came_after_powershell_2(
    endpoint: Endpoint, cmdlet: str, parameter: str
) -> None:
    newer, older = (TABLES[version].find(endpoint, cmdlet) for version in ("2016", "2010"))
    assert newer is not None
    assert older is not None
    assert parameter in newer.parameters
    assert parameter not in older.parameters


def test_a_server_may_lack_a_module() -> None:
    signatures = SignatureTable("2016", lacks=["WebAdministration"])
    assert signatures.find("windows", "WebAdministration\\Restart-WebAppPool") is None
    assert signatures.find("windows", "Get-WmiObject") is not None
