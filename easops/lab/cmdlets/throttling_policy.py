"""Get-, New-, Set- and Remove-ThrottlingPolicy, and the users who are associated with a policy.

Without -Explicit a policy also shows the values that it inherits; with it only those that it sets itself, the rest
null. This is how the switch is documented; it was not seen on a real server.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from easops.lab.cmdlet import Call, Cmdlet
from easops.lab.cmdlets.domain_controller import view_of
from easops.lab.cmdlets.errors import exchange_error, not_found, of_another_version
from easops.lab.cmdlets.mailbox import one_mailbox, piped_identity, policy_id
from easops.lab.cmdlets.objects import AD_OBJECT, PRESENTATION, ad_id, directory_properties, mailbox_id, unlimited
from easops.lab.cmdlets.parameters import checks_domain_controller, limited, parameters_of
from easops.lab.value import U32, Enum, Obj
from easops.lab.world import World
from easops.lab.world.product import Model, Product
from easops.lab.world.recipient import Mailbox, visible
from easops.lab.world.replication import EVER
from easops.lab.world.throttling import GLOBAL_VALUES, PRINTED, Policy

_NAMESPACE: Final = "SystemConfigurationTasks"
_SCOPES: Final = {"Regular": 0, "Organization": 1, "Global": 2}


def _one_policy(world: World, call: Call, identity: Any) -> Policy:
    found = view_of(world, call).find_policy(str(identity))
    if found is None:
        raise not_found(world, call, str(identity), _NAMESPACE)
    return found


def _own_policy(world: World, call: Call, identity: Any) -> Policy:
    """A policy that the server of the call can change: one that its own version made."""
    policy = _one_policy(world, call, identity)
    if policy.model != _model(world, call):
        raise of_another_version(
            world, call, f"The throttling policy '{policy.name}'", _maker(world, policy), _NAMESPACE
        )
    return policy


def _model(world: World, call: Call) -> Model:
    return world.servers[call.server].product.throttling


def _maker(world: World, policy: Policy) -> Product:
    """The version that makes policies like this one."""
    products = (server.product for server in world.servers.values())
    return next(product for product in products if product.throttling == policy.model)


def _get(world: World, call: Call) -> Iterable[Any]:
    parameters = parameters_of(call, "Identity", "Explicit", "ThrottlingPolicyScope")
    identity = parameters.get("Identity") or piped_identity(call)
    policies = (_one_policy(world, call, identity),) if identity else view_of(world, call).policies
    scope = parameters.get("ThrottlingPolicyScope")
    for policy in policies:
        if scope is None or policy.scope.lower() == str(scope).lower():
            yield _policy(world, call, policy, explicit=bool(parameters.get("Explicit")))


def _policy(world: World, call: Call, policy: Policy, *, explicit: bool) -> Obj:
    """A policy as the server of the call shows it.

    One that another version made has only the settings that both versions know. This is an assumption: no listing from
    a mixed organisation was found.
    """
    directory, view = world.directory, view_of(world, call)
    own, model = _model(world, call), policy.model
    default = policy is directory.defaults[model]
    if explicit or default or model != own:
        values = view.values(policy)
    else:
        values = view.effective_policy(policy.guid, model)[1]
    dn = directory.policy_dn(policy)
    shown = {PRINTED[own][name.lower()]: value for name, value in values.items() if name.lower() in PRINTED[own]}
    names = list(GLOBAL_VALUES) if model == own == "budget" else list(shown)
    return Obj(
        ("Microsoft.Exchange.Data.Directory.SystemConfiguration.ThrottlingPolicy",
         "Microsoft.Exchange.Data.Directory.SystemConfiguration.ADConfigurationObject", *AD_OBJECT),
        {
            **(_kind(policy) if own == "budget" else {"IsDefault": default and model == own}),
            **{name: _printed(shown.get(name), own) for name in names},
            **({"IsLegacyDefault": default and model != own} if own == "budget" else {}),
            "Diagnostics": None,
            "AdminDisplayName": "",
            "ExchangeVersion": _maker(world, policy).object_version,
            **directory_properties(world, call, dn, policy.guid, policy.name, policy.created),
            "Identity": ad_id(policy.name, dn, policy.guid),
            "Id": ad_id(policy.name, dn, policy.guid),
        },
        text=policy.name,
    )  # fmt: skip


def _kind(policy: Policy) -> dict[str, Any]:
    scope = "Microsoft.Exchange.Data.Directory.SystemConfiguration.ThrottlingPolicyScopeType"
    return {"ThrottlingPolicyScope": Enum(scope, policy.scope, _SCOPES[policy.scope]), "IsServiceAccount": False}


def _printed(value: str | None, model: Model) -> Any:
    """A limit as the server of *model* shows it: an Unlimited value, or a number that may be null (no limit)."""
    if not value:
        return None
    if model == "budget":
        return unlimited(value)
    return U32(int(value)) if value.isdigit() else None


def _settings(world: World, call: Call, *others: str) -> tuple[dict[str, str], set[str]]:
    """The limits in a call by their printed names, and the names of those that are null."""
    known = PRINTED[_model(world, call)]
    names = {name: known[name.lower()] for name in call.parameters if name.lower() in known}
    parameters_of(call, *others, *names)
    values = {
        printed: _limit(call.parameters[name]) for name, printed in names.items() if call.parameters[name] is not None
    }
    return values, {printed for name, printed in names.items() if call.parameters[name] is None}


def _limit(value: Any) -> str:
    return "Unlimited" if str(value).lower() == "unlimited" else str(int(str(value)))


def _new(world: World, call: Call) -> Iterable[Any]:
    values, cleared = _settings(world, call, "Name", "ThrottlingPolicyScope")
    name = str(call.parameters["Name"])
    scope = str(call.parameters.get("ThrottlingPolicyScope") or "Regular")
    scope = next(known for known in _SCOPES if known.lower() == scope.lower())
    view, model = view_of(world, call), _model(world, call)
    default = world.directory.defaults[model]
    existing = view.find_policy(name)
    if existing is not None or (scope == "Global"):
        raise exchange_error(
            world,
            call,
            "Microsoft.Exchange.Data.Directory.ADObjectAlreadyExistsException",
            f"Active Directory operation failed on {view.dc}. The object "
            f"'{world.directory.policy_dn(existing or default)}' already exists.",
            _NAMESPACE,
        )
    if model == "percent":
        # A value that is not given is that of the default policy (New-ThrottlingPolicy, example 1); null is no limit.
        values = {**view.values(default), **dict.fromkeys(cleared, ""), **values}
    policy = view.add_policy(name, scope, model, values)
    world.policies_changed()
    yield _policy(world, call, policy, explicit=False)


def _set(world: World, call: Call) -> Iterable[Any]:
    values, cleared = _settings(world, call, "Identity")
    policy = _own_policy(world, call, call.parameters.get("Identity") or piped_identity(call))
    view = view_of(world, call)
    kept = {name: value for name, value in view.values(policy).items() if name not in cleared}
    if policy.model == "percent":
        kept |= dict.fromkeys(cleared, "")
    view.set_policy(policy, {**kept, **values})
    world.policies_changed()
    return ()


def _remove(world: World, call: Call) -> Iterable[Any]:
    parameters = parameters_of(call, "Identity")
    policy = _own_policy(world, call, parameters.get("Identity") or piped_identity(call))
    view = view_of(world, call)
    default = policy is world.directory.defaults[policy.model]
    if default or view.users_of(policy):
        # The refusal is documented; its exception and text are the lab's own.
        which = "Global" if policy.scope == "Global" else "default"
        why = f"it is the {which} policy" if default else "users are associated with it"
        raise exchange_error(
            world,
            call,
            "Microsoft.Exchange.Management.SystemConfigurationTasks.CannotRemoveAssociatedThrottlingPolicyException",
            f"The throttling policy '{policy.name}' can't be removed because {why}.",
            _NAMESPACE,
        )
    view.remove_policy(policy)
    world.policies_changed()
    return ()


def _get_association(world: World, call: Call) -> Iterable[Any]:
    parameters = parameters_of(call, "Identity", "ThrottlingPolicy", "ResultSize")
    identity = parameters.get("Identity") or piped_identity(call)
    if identity:
        chosen = [one_mailbox(world, call, identity)]
    elif "ThrottlingPolicy" in parameters:
        chosen = list(view_of(world, call).users_of(_one_policy(world, call, parameters["ThrottlingPolicy"])))
    else:
        chosen = list(visible(world.directory.mailboxes, monitoring=False))
    return [_association(world, call, mailbox) for mailbox in limited(chosen, parameters)[0]]


def _association(world: World, call: Call, mailbox: Mailbox) -> Obj:
    return Obj(
        ("Microsoft.Exchange.Data.Directory.Management.ThrottlingPolicyAssociation", *PRESENTATION),
        {
            **directory_properties(world, call, mailbox.dn, mailbox.guid, mailbox.name, EVER),
            "ObjectId": mailbox_id(mailbox),
            "ThrottlingPolicyId": policy_id(world, call, mailbox),
            "Identity": mailbox_id(mailbox),
        },
        text=mailbox.canonical,
    )


def _set_association(world: World, call: Call) -> Iterable[Any]:
    parameters: Mapping[str, Any] = parameters_of(call, "Identity", "ThrottlingPolicy")
    mailbox = one_mailbox(world, call, parameters.get("Identity") or piped_identity(call))
    policy = parameters.get("ThrottlingPolicy") or None
    found = None if policy is None else _one_policy(world, call, policy)
    own = _model(world, call)
    if mailbox.product.throttling != own:
        raise of_another_version(world, call, f"The mailbox '{mailbox.name}'", mailbox.product, _NAMESPACE)
    if found is not None and found.model != own:
        raise of_another_version(world, call, f"The throttling policy '{found.name}'", _maker(world, found), _NAMESPACE)
    view = view_of(world, call)
    guid = None if found is None else found.guid
    if guid != view.access(mailbox).policy:
        view.set_access(mailbox, policy=guid)
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
