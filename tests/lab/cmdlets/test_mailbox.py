from __future__ import annotations

from typing import Any

import pytest

from easops.lab.value import Warning_

FORMS = [
    "Laura Brandt",
    "laura.brandt",
    "LAURA.BRANDT@contoso.example",
    "CONTOSO\\lbrandt",
    "lbrandt",
    "lbrandt@contoso.example",
]


@pytest.mark.parametrize("form", FORMS)
def test_a_mailbox_is_found_by_each_form_of_its_name(ask: Any, form: str) -> None:
    (found,) = ask("Get-Mailbox", Identity=form)
    assert found.properties["PrimarySmtpAddress"] == "laura.brandt@contoso.example"


@pytest.mark.parametrize("name", ["Guid", "ExchangeGuid", "DistinguishedName", "LegacyExchangeDN", "Identity"])
def test_a_mailbox_is_found_by_each_of_its_own_identities(ask: Any, name: str) -> None:
    (mailbox,) = ask("Get-Mailbox", Identity="Laura Brandt")
    value = mailbox.properties[name]
    assert ask("Get-Mailbox", Identity=getattr(value, "text", None) or str(value)) == [mailbox]


def test_an_unknown_mailbox_is_the_error_of_a_real_server(ask: Any) -> None:
    error = ask.error("Get-Mailbox", Identity="nobody")
    assert error.exception.endswith(".ManagementObjectNotFoundException")
    assert error.message == (
        "The operation couldn't be performed because object 'nobody' couldn't be found on 'dc01.contoso.example'."
    )
    assert error.fqid.startswith("[Server=AMS-EX01,RequestId=")
    assert "[FailureCategory=Cmdlet-ManagementObjectNotFoundException] " in error.fqid
    assert error.fqid.endswith(",Microsoft.Exchange.Management.RecipientTasks.GetMailbox")


def test_a_display_name_of_two_mailboxes_is_ambiguous(ask: Any) -> None:
    names = [mailbox.properties["DisplayName"] for mailbox in ask("Get-Mailbox")]
    (twice,) = {name for name in names if names.count(name) == 2}
    assert ask.error("Get-Mailbox", Identity=twice).exception.endswith(".ManagementObjectAmbiguousException")


def test_a_null_identity_means_all(ask: Any) -> None:
    assert len(ask("Get-Mailbox", Identity=None)) == 24


def test_result_size_limits_the_output_with_a_warning(ask: Any) -> None:
    answer = ask("Get-Mailbox", ResultSize="5")
    assert len(answer) == 6
    assert isinstance(answer[-1], Warning_)
    assert len(ask("Get-Mailbox", ResultSize="Unlimited")) == 24


def test_the_policy_is_null_where_the_default_applies(ask: Any) -> None:
    (plain,), (special,) = ask("Get-Mailbox", Identity="Laura Brandt"), ask("Get-Mailbox", Identity="Victoria Chen")
    assert plain.properties["ThrottlingPolicy"] is None
    assert special.properties["ThrottlingPolicy"].text == "VIP-Unlimited"


def test_health_mailboxes_are_shown_only_with_monitoring(ask: Any) -> None:
    health = ask("Get-Mailbox", Monitoring=True)
    assert len(health) == 2
    name = health[0].properties["Name"]
    assert name.startswith("HealthMailbox")
    assert ask.error("Get-Mailbox", Identity=name).exception.endswith(".ManagementObjectNotFoundException")


def test_a_filter_by_policy_finds_its_users(ask: Any) -> None:
    (policy,) = ask("Get-ThrottlingPolicy", Identity="VIP-Unlimited")
    (found,) = ask("Get-Mailbox", Filter=f"ThrottlingPolicy -eq '{policy.properties['DistinguishedName']}'")
    assert found.properties["DisplayName"] == "Victoria Chen"
    assert len(ask("Get-Mailbox", Filter="ThrottlingPolicy -eq $null")) == 23


def test_a_filter_or_parameter_that_is_not_simulated_is_a_typed_error(ask: Any) -> None:
    assert ask.error("Get-Mailbox", Filter="Name -like 'a*'").fqid == "LabNotSimulated,Get-Mailbox"
    assert ask.error("Get-Mailbox", Arbitration=True).fqid == "LabNotSimulated,Get-Mailbox"


def test_an_unknown_domain_controller_is_an_error(ask: Any) -> None:
    assert ask("Get-Mailbox", Identity="Laura Brandt", DomainController="dc01.contoso.example")
    error = ask.error("Get-Mailbox", Identity="Laura Brandt", DomainController="dc02.contoso.example")
    assert "dc02.contoso.example" in error.message


def test_the_contacts_folder_has_the_contacts_of_the_storm(ask: Any) -> None:
    folders = ask("Get-MailboxFolderStatistics", Identity="Laura Brandt", FolderScope="Contacts")
    counts = {folder.properties["FolderPath"]: folder.properties["ItemsInFolder"] for folder in folders}
    assert counts == {"/Contacts": 5204, "/Contacts/Recipient Cache": 0}


def test_a_user_is_the_account_of_a_mailbox(ask: Any) -> None:
    (user,) = ask("Get-User", Identity="lbrandt")
    assert user.properties["UserPrincipalName"] == "laura.brandt@contoso.example"


def test_devices_are_found_by_mailbox_and_by_their_own_identity(ask: Any) -> None:
    (device,) = ask("Get-MobileDevice", Mailbox="Laura Brandt")
    assert device.properties["DeviceType"] == "iPhone"
    (by_identity,) = ask("Get-MobileDevice", Identity=device.properties["Identity"].text)
    assert by_identity == device
    (statistics,) = ask("Get-MobileDeviceStatistics", Mailbox="Laura Brandt")
    assert statistics.properties["DeviceId"] == device.properties["DeviceId"]
    assert statistics.properties["LastSuccessSync"] is not None


def test_an_object_from_the_pipe_is_the_identity(ask: Any) -> None:
    (mailbox,) = ask("Get-Mailbox", Identity="Laura Brandt")
    ask("Set-CASMailbox", piped=(mailbox,), ActiveSyncEnabled=False)
    (settings,) = ask("Get-CASMailbox", piped=(mailbox,))
    assert settings.properties["ActiveSyncEnabled"] is False
