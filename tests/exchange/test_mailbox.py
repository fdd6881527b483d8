"""Mailboxes: what one refers to, and the domain that it lies in."""

from __future__ import annotations

from typing import Any

import pytest

from easops.exchange.directory import domain_of
from easops.exchange.mailbox import DoubtfulMailbox, Mailbox, find_mailbox
from easops.remoting.result import RemoteObject
from tests.exchange.scripted import Scripted

LAURA = {
    "Guid": "1",
    "Name": "Laura Brandt",
    "Alias": "lbrandt",
    "PrimarySmtpAddress": "laura@contoso.com",
    "DistinguishedName": "CN=Laura Brandt,OU=Users,DC=Child,DC=contoso,DC=com",
}


def mailbox(**properties: Any) -> Mailbox:
    found = find_mailbox(Scripted([RemoteObject((), {**LAURA, **properties})]), "lbrandt")
    assert found is not None
    return found


@pytest.mark.parametrize(
    "reference",
    [
        "contoso.com/Configuration/Deleted Objects/Slow phones\nDEL:ab9cc4c8-7d96-4ff7-9c1d-3f0a2d6a8a10",
        "contoso.com/Deleted Objects/Slow phones\r\nDEL:ab9cc4c8-7d96-4ff7-9c1d-3f0a2d6a8a10",
        "CN=Slow phones\\0ADEL:ab9cc4c8-7d96-4ff7-9c1d-3f0a2d6a8a10,CN=Deleted Objects,DC=contoso,DC=com",
    ],
)
def test_a_reference_to_a_deleted_policy_is_none_of_his_own(reference: str) -> None:
    found = mailbox(ThrottlingPolicy=reference)

    assert (found.throttling_policy, found.deleted_policy) == (None, "Slow phones")


def test_any_other_reference_is_kept() -> None:
    found = mailbox(ThrottlingPolicy="contoso.com/Configuration/Deleted phones")

    assert (found.throttling_policy, found.deleted_policy) == ("contoso.com/Configuration/Deleted phones", "")


def test_a_name_logged_without_its_diacritics_finds_the_mailbox() -> None:
    session = Scripted([RemoteObject((), {**LAURA, "Alias": "lbrändt"})])

    found = find_mailbox(session, "CONTOSO\\lbrandt")

    assert found is not None
    assert found.alias == "lbrändt"


def test_a_mailbox_that_nobody_named_is_doubtful() -> None:
    with pytest.raises(DoubtfulMailbox, match="does not have this name"):
        find_mailbox(Scripted([RemoteObject((), LAURA)]), "somebody")


def test_a_mailbox_lies_in_the_domain_of_its_name() -> None:
    assert mailbox().domain == "child.contoso.com"
    assert domain_of("CN=x") == ""
    assert domain_of("Child.contoso.com/Users/Laura Brandt") == "child.contoso.com"
