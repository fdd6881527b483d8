from __future__ import annotations

from typing import Any


def shown(ask: Any, name: str, **parameters: Any) -> dict[str, str | None]:
    (policy,) = ask("Get-ThrottlingPolicy", Identity=name, **parameters)
    values = {key: policy.properties[key] for key in ("EasMaxBurst", "EasRechargeRate", "EasCutoffBalance")}
    return {key: None if value is None else value.text for key, value in values.items()}


def test_a_regular_policy_shows_what_it_inherits_and_with_explicit_only_its_own(ask: Any) -> None:
    ask("New-ThrottlingPolicy", Name="low", ThrottlingPolicyScope="Regular", EasMaxBurst="240000")
    assert shown(ask, "low") == {"EasMaxBurst": "240000", "EasRechargeRate": "1800000", "EasCutoffBalance": "600000"}
    assert shown(ask, "low", Explicit=True) == {
        "EasMaxBurst": "240000",
        "EasRechargeRate": None,
        "EasCutoffBalance": None,
    }


def test_a_regular_policy_inherits_from_the_organizations_policy_before_the_global_one(ask: Any) -> None:
    ask("New-ThrottlingPolicy", Name="all", ThrottlingPolicyScope="Organization", EasRechargeRate="1000000")
    ask("New-ThrottlingPolicy", Name="low", EasMaxBurst="240000")
    assert shown(ask, "low")["EasRechargeRate"] == "1000000"


def test_there_is_one_global_policy(ask: Any) -> None:
    (policy,) = ask("Get-ThrottlingPolicy", ThrottlingPolicyScope="Global")
    assert policy.properties["Name"].startswith("GlobalThrottlingPolicy_")
    error = ask.error("Remove-ThrottlingPolicy", Identity=policy.properties["Name"])
    assert "Global" in error.message


def test_the_name_of_a_policy_is_unique(ask: Any) -> None:
    ask("New-ThrottlingPolicy", Name="low", EasMaxBurst="240000")
    error = ask.error("New-ThrottlingPolicy", Name="LOW", EasMaxBurst="1")
    assert error.exception.endswith(".ADObjectAlreadyExistsException")


def test_a_policy_with_users_cannot_be_removed_and_one_without_can(ask: Any) -> None:
    assert "can't be removed" in ask.error("Remove-ThrottlingPolicy", Identity="VIP-Unlimited").message
    ask("Set-ThrottlingPolicyAssociation", Identity="Victoria Chen", ThrottlingPolicy=None)
    ask("Remove-ThrottlingPolicy", Identity="VIP-Unlimited")
    error = ask.error("Get-ThrottlingPolicy", Identity="VIP-Unlimited")
    assert error.exception.endswith(".ManagementObjectNotFoundException")


def test_associations_are_shown_by_user_and_by_policy(ask: Any) -> None:
    (by_user,) = ask("Get-ThrottlingPolicyAssociation", Identity="Victoria Chen")
    assert by_user.properties["ThrottlingPolicyId"].text == "VIP-Unlimited"
    assert ask("Get-ThrottlingPolicyAssociation", ThrottlingPolicy="VIP-Unlimited") == [by_user]


def test_an_unknown_policy_cannot_be_associated(ask: Any) -> None:
    error = ask.error("Set-ThrottlingPolicyAssociation", Identity="Laura Brandt", ThrottlingPolicy="none such")
    assert error.exception.endswith(".ManagementObjectNotFoundException")


def test_a_value_set_to_null_is_inherited_again(ask: Any) -> None:
    ask("New-ThrottlingPolicy", Name="low", EasMaxBurst="240000", EASMaxConcurrency=3)
    ask("Set-ThrottlingPolicy", Identity="low", EasMaxBurst=None, EasCutoffBalance="Unlimited")
    assert shown(ask, "low") == {
        "EasMaxBurst": "480000",
        "EasRechargeRate": "1800000",
        "EasCutoffBalance": "Unlimited",
    }
