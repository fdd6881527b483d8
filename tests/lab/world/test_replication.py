"""Two domain controllers, and a mixed organisation: what is written where, and who knows of it when."""

from __future__ import annotations

import re
from typing import Any

import pytest

from easops.lab.value import CmdletFailed

POOL = "MSExchangeSyncAppPool"
USER = "Tomas Novak"  # his mailbox is on AMS-EX02, which asks dc02


@pytest.fixture
def mixed(open_world: Any) -> Any:
    return open_world("contacts-storm-mixed")


def limit(mixed: Any, **where: str) -> None:
    mixed("New-ThrottlingPolicy", Name="low", EasRechargeRate="900000", **where)
    mixed("Set-ThrottlingPolicyAssociation", Identity=USER, ThrottlingPolicy="low", **where)


def policy_of(mixed: Any, at: str, **where: str) -> str | None:
    (mailbox,) = mixed("Get-Mailbox", at=at, Identity=USER, **where)
    policy = mailbox.properties["ThrottlingPolicy"]
    return None if policy is None else str(policy.text)


def floods(mixed: Any, seconds: float) -> bool:
    before = mixed.log("AMS-EX02")
    mixed.world.advance(seconds)
    return re.search(r"_Ty:Co_.*_Cli:2905a.* 200 0 ", mixed.log("AMS-EX02")[len(before) :]) is not None


def test_a_change_arrives_at_the_other_domain_controller_later(mixed: Any) -> None:
    limit(mixed)  # through AMS-EX01, so on dc01
    assert (policy_of(mixed, "AMS-EX01"), policy_of(mixed, "AMS-EX02")) == ("low", None)
    mixed.world.advance(14)
    assert policy_of(mixed, "AMS-EX02") is None
    mixed.world.advance(1)
    assert policy_of(mixed, "AMS-EX02") == "low"


def test_a_call_reads_and_writes_on_the_domain_controller_that_it_names(mixed: Any) -> None:
    limit(mixed, DomainController="dc02.contoso.example")
    assert policy_of(mixed, "AMS-EX01") is None
    assert policy_of(mixed, "AMS-EX01", DomainController="dc02") == "low"
    (server,) = mixed("Get-ExchangeServer", at="AMS-CAS01", Identity="AMS-EX01", DomainController="dc02")
    assert server.properties["OriginatingServer"] == "dc02.contoso.example"
    assert server.properties["CurrentDomainControllers"].items == ()
    (server,) = mixed("Get-ExchangeServer", at="AMS-CAS01", Identity="AMS-EX01", Status=True)
    assert server.properties["CurrentDomainControllers"].items == ("dc01.contoso.example",)


def test_a_new_policy_is_not_found_on_another_domain_controller(mixed: Any) -> None:
    limit(mixed)
    with pytest.raises(CmdletFailed, match=r"'low' couldn't be found on 'dc02\.contoso\.example'"):
        mixed("Get-ThrottlingPolicy", at="AMS-EX02", Identity="low")


def test_a_removed_policy_is_seen_until_the_removal_arrives(mixed: Any) -> None:
    mixed("New-ThrottlingPolicy", Name="low", EasRechargeRate="900000")
    mixed.world.advance(20)
    mixed("Remove-ThrottlingPolicy", Identity="low")
    assert mixed("Get-ThrottlingPolicy", at="AMS-EX02", Identity="low")
    mixed.world.advance(20)
    with pytest.raises(CmdletFailed):
        mixed("Get-ThrottlingPolicy", at="AMS-EX02", Identity="low")


def test_two_changes_of_one_mailbox_on_two_domain_controllers_are_both_kept(mixed: Any) -> None:
    mixed("Set-CASMailbox", Identity=USER, ActiveSyncEnabled=False)
    mixed("Set-CASMailbox", at="AMS-EX02", Identity=USER, ActiveSyncBlockedDeviceIDs={"Add": ["X"]})
    mixed.world.advance(20)
    (mailbox,) = mixed("Get-CASMailbox", Identity=USER)
    assert mailbox.properties["ActiveSyncEnabled"] is False
    assert mailbox.properties["ActiveSyncBlockedDeviceIDs"].items == ("X",)


def test_a_worker_that_starts_before_the_change_arrives_does_not_apply_it(mixed: Any) -> None:
    limit(mixed)
    mixed("Restart-WebAppPool", at="AMS-EX02", Name=POOL)
    mixed.world.advance(100)
    assert floods(mixed, 500)
    mixed("Restart-WebAppPool", at="AMS-EX02", Name=POOL)
    mixed.world.advance(100)
    assert not floods(mixed, 500)


def test_each_phone_is_served_by_the_version_that_its_mailbox_is_on(mixed: Any) -> None:
    for phone in mixed.world.phones:
        assert phone.front.product is phone.back.product is phone.mailbox.product
    assert {phone.back.name for phone in mixed.world.phones} == {"AMS-CAS01", "AMS-EX01", "AMS-EX02"}


def test_a_restart_gives_the_same_answers(open_world: Any, mixed: Any) -> None:
    limit(mixed, DomainController="dc02")
    mixed.world.advance(5)
    mixed.world.close()
    again = open_world()
    assert (policy_of(again, "AMS-EX01"), policy_of(again, "AMS-EX02")) == (None, "low")
