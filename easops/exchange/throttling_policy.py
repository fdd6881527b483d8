"""Throttling policies and their ActiveSync values, in the model of the server that is asked (``exchange.eas_limits``).

easops never edits the Global policy (2010: the default policy): it applies to everybody, and an update may overwrite
it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Final

import attrs

from easops.errors import BadInput, CommandFailed, UnexpectedAnswer
from easops.exchange.directory import directory_change, directory_read
from easops.exchange.eas_limits import EasBudget, EasLimits, EasPercentTime, Limit, wire
from easops.exchange.properties import limit, required, text
from easops.remoting.result import RemoteObject
from easops.remoting.session import Session

OWN_PREFIX: Final = "easops-eas-"
"""How the names of the policies that easops makes begin. It does not touch any other policy."""

_COMPONENTS: Final = tuple(
    "anonymous cpa cpu compliance discovery eas encryptionrecipient encryptionsender ews exchange imap outlookservice "
    "owa pop powershell pushnotification pswsm psws rca messagerate recipientrate forwardeelimit".split()
)
"""How the names of a policy's values begin, in lower case: 2010 writes EAS, 2013 and later write Eas."""

_HOSTED_ONLY: Final = "powershellmaxtenantconcurrency"
"""2010 shows this value, but has no such parameter except in hosting mode."""

_NOT_VALUES: Final = ("exchangeversion", "exchangeobjectid")
"""Properties whose names begin like those of values."""


@attrs.frozen
class ThrottlingPolicy:
    """One policy.

    *guid* is in lower case; *name* is as Exchange has it. *scope* is Regular, Organization or Global; on 2010 it is
    Default or empty. *eas* are its ActiveSync values. *values* are all values that it shows, by the names of the
    parameters of New-ThrottlingPolicy; if it was read with ``explicit=True``, only those that it sets itself.
    """

    name: str
    guid: str
    scope: str
    eas: EasLimits
    values: Mapping[str, Limit] = attrs.field(factory=dict, repr=False)

    @property
    def is_ours(self) -> bool:
        """Whether easops made it: its name begins with ``easops-eas-``."""
        return self.name.startswith(OWN_PREFIX)

    @property
    def is_default(self) -> bool:
        """Whether it applies to everybody who has no policy of their own."""
        return self.scope in ("Global", "Default")


def own_policy_name(eas: EasLimits, copied: Mapping[str, Limit] | None = None) -> str:
    """The name of the policy that easops makes for these values.

    The same values always give the same name. So one policy serves all users with these values, and after a lost reply
    to New-ThrottlingPolicy, reading the name shows whether the policy was made. *copied* are the other values, if the
    policy is a copy of another one; they are in the name as a digest.
    """
    name = OWN_PREFIX + "-".join(f"{_LETTERS[name]}{value}" for name, value in eas.values().items())
    if copied:
        digest = hashlib.sha256(json.dumps(dict(copied), sort_keys=True).encode()).hexdigest()
        name += f"-{digest[:8]}"
    return name


_LETTERS: Final = {"recharge_rate": "r", "max_burst": "b", "cutoff_balance": "c", "percent_time_in_cas": "p"}


def list_throttling_policies(session: Session, *, domain_controller: str | None = None) -> tuple[ThrottlingPolicy, ...]:
    """All policies of the organisation, in the model of the server that is asked.

    Raises UnreachableHost, CommandFailed, OutcomeUnknown, UnexpectedAnswer.
    Source: Get-ThrottlingPolicy (2010 to SE).
    """
    answer = session.invoke(directory_read("Get-ThrottlingPolicy", {}, domain_controller))
    return tuple(_policy(item) for item in answer.objects())


def get_throttling_policy(
    session: Session, identity: str, *, explicit: bool = False, domain_controller: str | None = None
) -> ThrottlingPolicy | None:
    """The policy with this name, Guid or DN; None if there is none.

    Its values include those that it inherits. With *explicit*, only those that it sets itself are there, and the others
    are None. (2013 and later. 2010 has no such switch, and the documentation does not say what a policy inherits
    there.)

    Raises:
        BadInput: *identity* is empty; Exchange would return all policies.
        UnexpectedAnswer: the server returned several.
        UnreachableHost, CommandFailed, OutcomeUnknown: as any reading.
    """
    if not identity.strip():
        raise BadInput("the name of the policy is empty", "to Exchange that means all policies", "name one policy")
    parameters: dict[str, object] = {"Identity": identity, **({"Explicit": True} if explicit else {})}
    try:
        answer = session.invoke(directory_read("Get-ThrottlingPolicy", parameters, domain_controller))
    except CommandFailed as error:
        if error.has_exception("ManagementObjectNotFoundException"):
            return None
        raise
    policies = tuple(_policy(item) for item in answer.objects())
    if len(policies) > 1:
        raise UnexpectedAnswer(
            f"{identity!r} is not one throttling policy",
            f"the server returned {len(policies)}",
            "name the policy by its Guid",
        )
    return policies[0] if policies else None


def get_default_limits(session: Session, *, domain_controller: str | None = None) -> EasLimits:
    """The ActiveSync values of a user without a policy of their own, in the model of the server that is asked.

    On 2010 they are those of the default policy. On 2013 and later they are those of the Organization policies, and of
    the Global policy for what those do not set; with several Organization policies, the lowest of each value.

    Raises UnexpectedAnswer if there is no default policy, or several that differ; and UnreachableHost, CommandFailed,
    OutcomeUnknown.
    Source: IsDefault (2010); precedence Regular > Organization > Global (workload management, 2013 to SE).
    """
    policies = list_throttling_policies(session, domain_controller=domain_controller)
    default = [policy for policy in policies if policy.is_default]
    if not default:
        raise UnexpectedAnswer(
            "there is no default throttling policy",
            f"there are {', '.join(policy.name for policy in policies) or 'no policies at all'}",
            "check it with Get-ThrottlingPolicy: easops cannot tell what applies to a user without a policy of his own",
        )
    if len({policy.eas for policy in default}) > 1:
        raise UnexpectedAnswer(
            f"there are {len(default)} default throttling policies with different ActiveSync values",
            " and ".join(f"{policy.name} ({policy.guid})" for policy in default),
            "keep one: on 2010 Set-ThrottlingPolicy -Identity … -IsDefault $true for it; from 2013 on remove the "
            "surplus Global policy, after Get-ThrottlingPolicyAssociation shows no user of it",
        )
    merged: EasLimits | None = None
    for policy in policies:
        if policy.scope == "Organization":
            limits = policy.eas.with_defaults(default[0].eas)
            merged = limits if merged is None else merged.lowered_to(limits)
    return default[0].eas if merged is None else merged


def count_associations(session: Session, policy: ThrottlingPolicy, *, domain_controller: str | None = None) -> int:
    """How many users are associated with *policy*.

    Raises UnreachableHost, CommandFailed, OutcomeUnknown.
    Source: Get-ThrottlingPolicyAssociation (2010 to SE).
    """
    parameters = {"ResultSize": "Unlimited"}
    if isinstance(policy.eas, EasBudget):
        parameters["ThrottlingPolicy"] = policy.guid
    answer = session.invoke(directory_read("Get-ThrottlingPolicyAssociation", parameters, domain_controller))
    if isinstance(policy.eas, EasBudget):
        return len(answer.objects())
    # 2010's cmdlet has no -ThrottlingPolicy, so all associations are read and counted here.
    return sum(_refers_to(item.get("ThrottlingPolicyId"), policy) for item in answer.objects())


def _refers_to(reference: object, policy: ThrottlingPolicy) -> bool:
    """Whether a property that refers to a policy, by its name, canonical name or DN, means *policy*."""
    text = str(reference or "").lower()
    name = policy.name.lower()
    return text == name or text.startswith(f"cn={name},") or text.endswith(f"/{name}")


def new_throttling_policy(
    session: Session,
    name: str,
    eas: EasLimits,
    *,
    copied: Mapping[str, Limit] | None = None,
    domain_controller: str | None = None,
) -> None:
    """Make a policy that sets *eas*, and the values of *copied* that *eas* does not set. On 2013 and later its scope is
    Regular.

    2010 takes the values that are left out from the default policy.

    Raises:
        CommandFailed: Exchange refused it, for instance because there is a policy with this name.
        UnreachableHost: nothing was sent.
        OutcomeUnknown: it may have been made; read the policy of this name.

    Source: New-ThrottlingPolicy (2010 to SE; -ThrottlingPolicyScope from 2013 on).
    """
    parameters = {
        "Name": name,
        **({"ThrottlingPolicyScope": "Regular"} if isinstance(eas, EasBudget) else {}),
        **{key: wire(value) for key, value in (copied or {}).items()},
        **eas.parameters(),
    }
    session.invoke(directory_change("New-ThrottlingPolicy", parameters, domain_controller))


def set_throttling_policy(
    session: Session, identity: str, eas: EasLimits, *, domain_controller: str | None = None
) -> None:
    """Change the ActiveSync values of one of your own policies. Values that *eas* does not set are not changed.

    It takes effect 5 to 15 minutes later, when servers read the policy again.

    Raises:
        BadInput: *identity* is the name of the Global or the default policy, which easops never edits.
        CommandFailed: Exchange refused it, for instance because there is no such policy.
        UnreachableHost: nothing was sent.
        OutcomeUnknown: it may have been written; read the policy.

    Source: Set-ThrottlingPolicy (2010 to SE).
    """
    if identity.lower().startswith(("globalthrottlingpolicy", "defaultthrottlingpolicy")):
        raise BadInput(
            f"easops does not edit the throttling policy {identity}",
            "it applies to everybody, and an update may overwrite it",
            "make a policy of your own with new_throttling_policy and associate the user with it",
        )
    parameters = {"Identity": identity, **eas.parameters()}
    session.invoke(directory_change("Set-ThrottlingPolicy", parameters, domain_controller))


def remove_throttling_policy(session: Session, identity: str, *, domain_controller: str | None = None) -> None:
    """Remove a policy.

    Raises:
        CommandFailed: Exchange refused it, for instance because a user is still associated with it.
        UnreachableHost: nothing was sent.
        OutcomeUnknown: it may have been removed; read the policy.

    Source: Remove-ThrottlingPolicy (2010 to SE).
    """
    session.invoke(directory_change("Remove-ThrottlingPolicy", {"Identity": identity}, domain_controller))


def associate_throttling_policy(
    session: Session, mailbox: str, policy: str | None, *, domain_controller: str | None = None
) -> None:
    """Associate a mailbox with *policy*; with None, remove the association, so that the default policy applies again.

    Servers may not notice it until the worker processes that serve the user restart.

    Raises:
        CommandFailed: Exchange refused it, for instance because there is no such policy.
        UnreachableHost: nothing was sent.
        OutcomeUnknown: it may have been written; read the mailbox.

    Source: Set-ThrottlingPolicyAssociation (2010 to SE); KB 2689533.
    """
    parameters = {"Identity": mailbox, "ThrottlingPolicy": policy}
    session.invoke(directory_change("Set-ThrottlingPolicyAssociation", parameters, domain_controller))


def _policy(item: RemoteObject) -> ThrottlingPolicy:
    scope = text(item, "ThrottlingPolicyScope")
    eas: EasLimits
    if scope or item.get("IsDefault") is None:
        eas = EasBudget(limit(item, "EasRechargeRate"), limit(item, "EasMaxBurst"), limit(item, "EasCutoffBalance"))
    else:
        scope = "Default" if item.get("IsDefault") is True else ""
        eas = EasPercentTime(limit(item, "EASPercentTimeInCAS"))
    # On 2010 null means "no limit", so it is a value; from 2013 on it means "not set".
    null_is_a_value = isinstance(eas, EasPercentTime)
    values = {
        name: limit(item, name)
        for name, value in item.properties.items()
        if name.lower().startswith(_COMPONENTS)
        and name.lower() not in _NOT_VALUES
        and (_is_limit(value) or (value is None and null_is_a_value and name.lower() != _HOSTED_ONLY))
    }
    return ThrottlingPolicy(
        name=required(item, "Name"), guid=text(item, "Guid").lower(), scope=scope, eas=eas, values=values
    )


def _is_limit(value: object) -> bool:
    text = str(value).replace(",", "")
    return not isinstance(value, bool) and (text.isdigit() or text.lower() == "unlimited")
