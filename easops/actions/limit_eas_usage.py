"""Limit a user's ActiveSync use: an own throttling policy, associated with the user.

Which values it sets depends on the version of the mailbox's server: for 2010 KB 2711053 gives one (EASPercentTimeInCAS
30); for the budgets of 2013 and later we take half of the defaults, which is our choice.
Source: New-ThrottlingPolicy, Set-ThrottlingPolicyAssociation (2010 to SE).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from easops.actions.action import Plan, Scope
from easops.actions.state_words import state_words
from easops.actions.throttling_policy_change import (
    AssociateThrottlingPolicy,
    HaveThrottlingPolicy,
    associated_policy,
    has_values,
    model_of,
    read_policy,
)
from easops.context import Context
from easops.exchange.cas_mailbox import block_by_hand
from easops.exchange.eas_limits import EasBudget, EasLimits, EasPercentTime, Limit, Model
from easops.exchange.mailbox import Mailbox, require_mailbox
from easops.exchange.server import server_version
from easops.exchange.throttling_policy import ThrottlingPolicy, get_default_limits, own_policy_name
from easops.inventory.host import Version
from easops.parameter import Parameter
from easops.status import Status

WANTED: Final[dict[Model, EasLimits]] = {
    "budget": EasBudget(recharge_rate=900_000, max_burst=240_000),
    "percent": EasPercentTime(percent_time_in_cas=30),
}
"""Half of the defaults of 2013 to SE (1800000 and 480000); for 2010 KB 2711053's value, where the default is 100."""

EFFECTIVE: Final[dict[Model, str]] = {
    "budget": (
        "after replication and a recycle of the application pools that serve the user. The budgets are half of the "
        "defaults, which is our choice: no document gives values. Such a user may be locked out for tens of minutes at "
        "a time"
    ),
    "percent": (
        "after replication and a recycle of the application pools that serve the user. EASPercentTimeInCAS 30 is the "
        "first value to try according to KB 2711053, and the user's devices may be affected. If it is not enough, set "
        "a lower one with Set-ThrottlingPolicy, or type easops do block_user"
    ),
}


class _LimitEasUsage:
    name = "limit_eas_usage"
    summary = "Limit a user's share of ActiveSync (with a throttling policy made for it)"
    scope: Scope = "organisation"
    one_way = False
    stronger = "block_user"
    parameters: tuple[Parameter, ...] = (
        Parameter("user", "text", "the mailbox: address, alias, DOMAIN\\user or Guid"),
        Parameter(
            "replace_policy",
            "choice",
            "what to do if the user has another policy of his own: refuse, or copy it with lower EAS values",
            default="refuse",
            choices=("refuse", "copy"),
        ),
        Parameter(
            "in_force",
            "text",
            "the policy that the ActiveSync log shows in force for the user: whether a limit waits for a recycle",
            None,
        ),
        Parameter("percent_time_in_cas", "integer", "2010: EASPercentTimeInCAS; 30 without it", None, minimum=1),
        Parameter(
            "recharge_rate", "integer", "since 2013: EasRechargeRate, ms an hour; 900000 without it", None, minimum=1
        ),
        Parameter("max_burst", "integer", "since 2013: EasMaxBurst, ms; 240000 without it", None, minimum=1),
        Parameter("cutoff_balance", "integer", "since 2013: EasCutoffBalance, ms; not set without it", None, minimum=1),
    )

    def plan(self, values: Mapping[str, Any], host: str | None, context: Context) -> Plan:
        organisation, dc = context.organisation, context.organisation.domain_controller
        mailbox = require_mailbox(organisation.session(), values["user"], domain_controller=dc)
        version = server_version(organisation.session(), mailbox.server, domain_controller=dc)
        plan = Plan(
            item=mailbox.primary_smtp_address,
            status=Status.OK,
            mailbox=mailbox.guid,
            health_mailbox=mailbox.is_health_mailbox,
        )
        model = model_of(version)
        if model is None:
            lacks = f"Exchange {version}, which has no throttling policies and no remote PowerShell"
            why = f"the mailbox is on {lacks}: {block_by_hand(version, mailbox.primary_smtp_address)}"
            return attrs.evolve(plan, status=Status.REFUSED, reason=why)
        session = organisation.session(version)
        policy = associated_policy(mailbox, session, dc)
        default = get_default_limits(session, domain_controller=dc)
        limits = default if policy is None else policy.eas.with_defaults(default)
        shown = {"policy": None if policy is None else policy.name, **limits.values()}
        plan = attrs.evolve(plan, before=shown, after=shown)
        aim = _aim(model, values)
        if limits.as_low_as(aim):
            why, pending = _already_limited(policy, values["in_force"])
            return attrs.evolve(plan, reason=why, pending=pending)
        copied: dict[str, Limit] | None = None
        if policy is not None and not policy.is_ours and not policy.is_default:
            if values["replace_policy"] != "copy":
                why = f"has policy {policy.name}; replace_policy=copy gives the user a copy of it with lower values"
                copy = {"user": mailbox.primary_smtp_address, "replace_policy": "copy"}
                return attrs.evolve(plan, status=Status.REFUSED, reason=why, after=None, instead=copy)
            copied = _values_to_copy(policy, version, model, context)
        wanted = limits.lowered_to(_ceiling(policy, default, aim))
        return _limiting_plan(plan, mailbox, policy, wanted, copied, version, context)


def _aim(model: Model, values: Mapping[str, Any]) -> EasLimits:
    """The limits to set: those that were given, and the usual ones for the others."""
    usual = WANTED[model]
    given = {name: value for name in usual.PARAMETERS if (value := values[name]) is not None}
    return attrs.evolve(usual, **given)


def _already_limited(policy: ThrottlingPolicy | None, in_force: str | None) -> tuple[str, bool]:
    """What to say of a user who is limited already, and whether the limit may still wait for a recycle.

    A worker process uses the values that it read when it started; only the user's own requests in the log show which
    these are.
    """
    if in_force is None:
        words = "they are in force where the application pools that serve the user were recycled since"
        return f"already limited to these values or lower; {words}", False
    if policy is not None and in_force.lower() == policy.name.lower():
        words = f"the log shows {policy.name} in force: if this is not enough, give lower values"
        return f"already limited to these values or lower; {words}", False
    words = f"the log shows {in_force} in force: the limit waits for a recycle of the application pools"
    return f"already limited to these values or lower; {words}", True


def _values_to_copy(policy: ThrottlingPolicy, version: Version, model: Model, context: Context) -> dict[str, Limit]:
    """All values of another policy but those that ours sets itself."""
    explicit = read_policy(policy.guid, version, context) or policy
    ours = {parameter.lower() for parameter in WANTED[model].parameters()}
    return {name: value for name, value in explicit.values.items() if name.lower() not in ours}


def _ceiling(policy: ThrottlingPolicy | None, default: EasLimits, wanted: EasLimits) -> EasLimits:
    """The most that our policy may give: *wanted*, and no more than *default* where the user has no values of his own.

    Two things are not documented: whether 2013 and later report the Global policy where no policy is associated, and
    whether 2010 takes a value that a policy leaves out from the default policy. Either way nothing is raised.
    """
    has_own_values = policy is not None and not policy.is_default and bool(policy.eas.values())
    return wanted if has_own_values else default.lowered_to(wanted)


def _limiting_plan(
    plan: Plan,
    mailbox: Mailbox,
    policy: ThrottlingPolicy | None,
    wanted: EasLimits,
    copied: dict[str, Limit] | None,
    version: Version,
    context: Context,
) -> Plan:
    model = model_of(version)
    assert model is not None, "a version without policies is refused before"
    name = own_policy_name(wanted, copied)
    existing = read_policy(name, version, context)
    # The copied values may contain ActiveSync values too, and the policy will read back with them.
    values = _with_copied(wanted, copied or {}).values()
    if existing is not None and not has_values(existing.eas.values(), values):
        why = f"a policy {name} exists already, with other values: {state_words(existing.eas.values())}"
        return attrs.evolve(plan, status=Status.REFUSED, reason=why, after=None)
    make = HaveThrottlingPolicy(name, before=None, after=values, copied=copied, version=version)
    associate = AssociateThrottlingPolicy(
        mailbox.primary_smtp_address,
        mailbox.guid,
        None if policy is None else policy.name,
        name,
        version,
        mailbox.domain,
    )
    return attrs.evolve(
        plan,
        status=Status.WOULD_CHANGE,
        changes=(make, associate) if existing is None else (associate,),
        after={**plan.before, "policy": name, **wanted.values()},
        effective=EFFECTIVE[model] + _of_deleted(mailbox),
    )


def _of_deleted(mailbox: Mailbox) -> str:
    if not mailbox.deleted_policy:
        return ""
    return (
        f". The user's policy {mailbox.deleted_policy} was deleted, so he had none of his own: undo leaves him "
        "without one ($null)"
    )


def _with_copied(wanted: EasLimits, copied: Mapping[str, Limit]) -> EasLimits:
    """*wanted*, with those of the copied values that belong to its model."""
    by_parameter = {name.lower(): value for name, value in copied.items()}
    return wanted.filled({name: by_parameter.get(parameter.lower()) for name, parameter in wanted.PARAMETERS.items()})


LIMIT_EAS_USAGE = _LimitEasUsage()
