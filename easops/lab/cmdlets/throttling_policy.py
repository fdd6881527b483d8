"""Get-, New-, Set- and Remove-ThrottlingPolicy, and who is associated with which.

Without -Explicit a policy shows what it inherits too, with it only what it sets itself, the rest null: so the switch's
documentation reads. That a real server fills the inherited values in was not seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import attrs

from easops.lab.cmdlet import Call, Cmdlet
from easops.lab.cmdlets.answer import (
    AD_OBJECT,
    PRESENTATION,
    ad_id,
    checks_domain_controller,
    directory_properties,
    exchange_error,
    given,
    limited,
    mailbox_id,
    not_found,
    unlimited,
)
from easops.lab.cmdlets.mailbox import one_mailbox, piped_identity, policy_id
from easops.lab.value import Enum, Obj
from easops.lab.world import World
from easops.lab.world.directory import Mailbox, visible
from easops.lab.world.throttling import GLOBAL_VALUES, SETTINGS, Policy

_NAMESPACE: Final = "SystemConfigurationTasks"
_SCOPES: Final = {"Regular": 0, "Organization": 1, "Global": 2}


def _one_policy(world: World, call: Call, identity: Any) -> Policy:
    found = world.directory.find_policy(str(identity))
    if found is None:
        raise not_found(world, call, str(identity), _NAMESPACE)
    return found


def _get(world: World, call: Call) -> Iterable[Any]:
    parameters = given(call, "Identity", "Explicit", "ThrottlingPolicyScope")
    identity = parameters.get("Identity") or piped_identity(call)
    policies = (_one_policy(world, call, identity),) if identity else world.directory.policies
    scope = parameters.get("ThrottlingPolicyScope")
    for policy in policies:
        if scope is None or policy.scope.lower() == str(scope).lower():
            yield _policy(world, policy, explicit=bool(parameters.get("Explicit")))


def _policy(world: World, policy: Policy, *, explicit: bool) -> Obj:
    directory = world.directory
    if explicit or policy.scope == "Global":
        values = policy.values
    else:
        values = directory.effective_policy(policy.guid, world.time)[1]
    dn = directory.policy_dn(policy)
    return Obj(
        ("Microsoft.Exchange.Data.Directory.SystemConfiguration.ThrottlingPolicy",
         "Microsoft.Exchange.Data.Directory.SystemConfiguration.ADConfigurationObject", *AD_OBJECT),
        {
            "ThrottlingPolicyScope": Enum(
                "Microsoft.Exchange.Data.Directory.SystemConfiguration.ThrottlingPolicyScopeType",
                policy.scope,
                _SCOPES[policy.scope],
            ),
            "IsServiceAccount": False,
            **{name: unlimited(values[name]) if name in values else None for name in GLOBAL_VALUES},
            "IsLegacyDefault": False,
            "Diagnostics": None,
            "AdminDisplayName": "",
            "ExchangeVersion": "0.20 (15.0.0.0)",
            **directory_properties(world, dn, policy.guid, policy.name, policy.created),
            "Identity": ad_id(policy.name, dn, policy.guid),
            "Id": ad_id(policy.name, dn, policy.guid),
        },
        text=policy.name,
    )  # fmt: skip


def _settings(call: Call, *others: str) -> tuple[dict[str, str], set[str]]:
    """The limits in a call by their printed names, and the names of those that were given as null."""
    names = {name: SETTINGS[name.lower()] for name in call.parameters if name.lower() in SETTINGS}
    given(call, *others, *names)
    values = {
        printed: _limit(call.parameters[name]) for name, printed in names.items() if call.parameters[name] is not None
    }
    return values, {printed for name, printed in names.items() if call.parameters[name] is None}


def _limit(value: Any) -> str:
    return "Unlimited" if str(value).lower() == "unlimited" else str(int(str(value)))


def _new(world: World, call: Call) -> Iterable[Any]:
    values, _ = _settings(call, "Name", "ThrottlingPolicyScope")
    name = str(call.parameters["Name"])
    scope = str(call.parameters.get("ThrottlingPolicyScope") or "Regular")
    scope = next(known for known in _SCOPES if known.lower() == scope.lower())
    held = world.directory.find_policy(name)
    if held is not None or (scope == "Global"):
        taken = held or world.directory.global_policy
        raise exchange_error(
            world,
            call,
            "Microsoft.Exchange.Data.Directory.ADObjectAlreadyExistsException",
            f"Active Directory operation failed on {world.scenario.dc}. The object "
            f"'{world.directory.policy_dn(taken)}' already exists.",
            _NAMESPACE,
        )
    policy = world.directory.add_policy(name, scope, values, world.time)
    world.policies_changed()
    yield _policy(world, policy, explicit=False)


def _set(world: World, call: Call) -> Iterable[Any]:
    values, cleared = _settings(call, "Identity")
    policy = _one_policy(world, call, call.parameters.get("Identity") or piped_identity(call))
    kept = {name: value for name, value in policy.values.items() if name not in cleared}
    policy.history.append((world.time, {**kept, **values}))
    world.policies_changed()
    return ()


def _remove(world: World, call: Call) -> Iterable[Any]:
    parameters = given(call, "Identity")
    policy = _one_policy(world, call, parameters.get("Identity") or piped_identity(call))
    if policy.scope == "Global" or world.directory.users_of(policy):
        # That it is refused is documented; exception and text are the lab's own.
        why = "it is the Global policy" if policy.scope == "Global" else "users are associated with it"
        raise exchange_error(
            world,
            call,
            "Microsoft.Exchange.Management.SystemConfigurationTasks.CannotRemoveAssociatedThrottlingPolicyException",
            f"The throttling policy '{policy.name}' can't be removed because {why}.",
            _NAMESPACE,
        )
    world.directory.remove_policy(policy)
    world.policies_changed()
    return ()


def _get_association(world: World, call: Call) -> Iterable[Any]:
    parameters = given(call, "Identity", "ThrottlingPolicy", "ResultSize")
    identity = parameters.get("Identity") or piped_identity(call)
    if identity:
        chosen = [one_mailbox(world, call, identity)]
    elif "ThrottlingPolicy" in parameters:
        chosen = list(world.directory.users_of(_one_policy(world, call, parameters["ThrottlingPolicy"])))
    else:
        chosen = list(visible(world.directory.mailboxes, monitoring=False))
    return [_association(world, mailbox) for mailbox in limited(chosen, parameters)[0]]


def _association(world: World, mailbox: Mailbox) -> Obj:
    return Obj(
        ("Microsoft.Exchange.Data.Directory.Management.ThrottlingPolicyAssociation", *PRESENTATION),
        {
            **directory_properties(world, mailbox.dn, mailbox.guid, mailbox.name, float("-inf")),
            "ObjectId": mailbox_id(mailbox),
            "ThrottlingPolicyId": policy_id(world, mailbox),
            "Identity": mailbox_id(mailbox),
        },
        text=mailbox.canonical,
    )


def _set_association(world: World, call: Call) -> Iterable[Any]:
    parameters: Mapping[str, Any] = given(call, "Identity", "ThrottlingPolicy")
    mailbox = one_mailbox(world, call, parameters.get("Identity") or piped_identity(call))
    policy = parameters.get("ThrottlingPolicy") or None
    found = None if policy is None else _one_policy(world, call, policy)
    access = attrs.evolve(mailbox.access, policy=None if found is None else found.guid)
    if access != mailbox.access:
        mailbox.history.append((world.time, access))
    return ()


GET_POLICY: Final = Cmdlet("Get-ThrottlingPolicy", "exchange", checks_domain_controller(_get))
NEW_POLICY: Final = Cmdlet("New-ThrottlingPolicy", "exchange", checks_domain_controller(_new), changes=True)
SET_POLICY: Final = Cmdlet("Set-ThrottlingPolicy", "exchange", checks_domain_controller(_set), changes=True)
REMOVE_POLICY: Final = Cmdlet("Remove-ThrottlingPolicy", "exchange", checks_domain_controller(_remove), changes=True)
GET_ASSOCIATION: Final = Cmdlet(
    "Get-ThrottlingPolicyAssociation", "exchange", checks_domain_controller(_get_association)
)
SET_ASSOCIATION: Final = Cmdlet(
    "Set-ThrottlingPolicyAssociation", "exchange", checks_domain_controller(_set_association), changes=True
)
