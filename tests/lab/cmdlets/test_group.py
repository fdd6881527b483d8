from __future__ import annotations

from typing import Any

import pytest

from easops.lab.signatures.table import SignatureTable
from easops.lab.value import Warning_


def members(group: Any) -> list[str]:
    return [member.properties["Name"] for member in group.properties["Members"].items]


def of_group(ask: Any, cmdlet: str, name: str) -> dict[str, str]:
    """What is in a group by a cmdlet's filter, with its type."""
    (group,) = ask("Get-Group", Identity=name)
    found = ask(cmdlet, Filter=f"MemberOfGroup -eq '{group.properties['DistinguishedName']}'", ResultSize="Unlimited")
    return {one.properties["Name"]: one.properties["RecipientType"].text for one in found}


def test_a_group_names_its_members(ask: Any) -> None:
    (group,) = ask("Get-Group", Identity="executives")
    assert members(group) == ["Victoria Chen", "Helen Strand", "George Amari", "Irina Petrova"]
    assert ask.error("Get-Group", Identity="nobodies").exception.endswith(".ManagementObjectNotFoundException")


def test_two_groups_may_be_in_each_other(ask: Any) -> None:
    (one,), (other,) = ask("Get-Group", Identity="Leadership"), ask("Get-Group", Identity="Project Leads")
    assert "Project Leads" in members(one)
    assert "Leadership" in members(other)


def test_a_group_is_found_by_its_address_and_its_guid(ask: Any) -> None:
    (group,) = ask("Get-Group", Identity="Project Leads")
    for form in ("project.leads@contoso.example", str(group.properties["Guid"]), group.properties["DistinguishedName"]):
        assert ask("Get-Group", Identity=form) == [group]


def test_everything_with_an_address_is_a_recipient_and_a_security_group_is_not(ask: Any) -> None:
    kinds = {name: ask("Get-Recipient", Identity=name)[0].properties["RecipientType"].text for name in (
        "Victoria Chen", "Executives", "Olga Weiss", "Jan Prins", "All Staff",
    )}  # fmt: skip
    assert kinds == {
        "Victoria Chen": "UserMailbox",
        "Executives": "MailUniversalDistributionGroup",
        "Olga Weiss": "MailContact",
        "Jan Prins": "MailUser",
        "All Staff": "DynamicDistributionGroup",
    }
    error = ask.error("Get-Recipient", Identity="Leadership")
    assert error.exception.endswith(".ManagementObjectNotFoundException")


def test_a_filter_by_group_gives_only_its_direct_members(ask: Any) -> None:
    assert of_group(ask, "Get-Recipient", "Leadership") == {
        "Executives": "MailUniversalDistributionGroup",
        "Project Leads": "MailUniversalDistributionGroup",
        "Olga Weiss": "MailContact",
    }
    assert of_group(ask, "Get-Group", "Project Leads") == {"Leadership": "Group"}
    assert of_group(ask, "Get-Mailbox", "Project Leads") == {"Tomas Novak": "UserMailbox"}


def test_a_filter_that_is_not_simulated_is_a_typed_error(ask: Any) -> None:
    assert ask.error("Get-Recipient", Filter="RecipientType -eq 'MailUser'").fqid == "LabNotSimulated,Get-Recipient"


def test_result_size_limits_recipients_with_a_warning(ask: Any) -> None:
    answer = ask("Get-Recipient", ResultSize="3")
    assert len(answer) == 4
    assert isinstance(answer[-1], Warning_)


@pytest.mark.parametrize("version", ["2010", "2013", "2016", "2019", "SE"])
@pytest.mark.parametrize("cmdlet", ["Get-Group", "Get-Recipient"])
def test_every_version_has_the_filter_parameter(version: str, cmdlet: str) -> None:
    arguments = [
        ("Filter", "MemberOfGroup -eq 'x'"),
        ("ResultSize", "Unlimited"),
        ("DomainController", "dc01.x.example"),
    ]
    assert SignatureTable(version).bind("exchange", cmdlet, arguments)[0] == cmdlet
