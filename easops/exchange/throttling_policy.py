"""Throttling policies, their ActiveSync part, in the model of the server that is asked: see ``exchange.eas_limits``.

The Global policy (2010: the default one) is never edited: an update may overwrite it, and it concerns everybody.
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
"""How the policies that easops makes are named; any other is somebody else's."""

_COMPONENTS: Final = tuple(
    "anonymous cpa cpu compliance discovery eas encryptionrecipient encryptionsender ews exchange imap outlookservice "
    "owa pop powershell pushnotification pswsm psws rca messagerate recipientrate forwardeelimit".split()
)
"""How the names of a policy's values begin, in lower case: 2010 writes EAS, 2013 and later Eas."""

_HOSTED_ONLY: Final = "powershellmaxtenantconcurrency"
"""2010 shows it, and has no parameter of this name outside hosting."""

_NOT_VALUES: Final = ("exchangeversion", "exchangeobjectid")


@attrs.frozen
class ThrottlingPolicy:
    """One policy. *scope* is Regular, Organization or Global, and on 2010 Default or empty; *values* are all that it
    shows (where it was read with *explicit*: sets itself), by the names of New-ThrottlingPolicy's parameters."""

    name: str
    guid: str
    scope: str
    eas: EasLimits
    values: Mapping[str, Limit] = attrs.field(factory=dict, repr=False)

    @property
    def is_ours(self) -> bool:
        return self.name.startswith(OWN_PREFIX)

    @property
    def is_default(self) -> bool:
        """Whether it applies to everybody who has no other."""
        return self.scope in ("Global", "Default")


def own_policy_name(eas: EasLimits, copied: Mapping[str, Limit] | None = None) -> str:
    """The name of our policy for these values: so a lost reply to New- is settled by Get-, and one serves all users.

    *copied* are the further values of a policy that ours is a copy of.
    """
    name = OWN_PREFIX + "-".join(f"{_SIGNS[name]}{value}" for name, value in eas.values().items())
    if copied:
        digest = hashlib.sha256(json.dumps(dict(copied), sort_keys=True).encode()).hexdigest()
        name += f"-{digest[:8]}"
    return name


_SIGNS: Final = {"recharge_rate": "r", "max_burst": "b", "cutoff_balance": "c", "percent_time_in_cas": "p"}


def list_throttling_policies(session: Session, *, domain_controller: str | None = None) -> tuple[ThrottlingPolicy, ...]:
    """All policies of the organisation, in the model of the server asked. Source: Get-ThrottlingPolicy (2010 to SE)."""
    answer = session.invoke(directory_read("Get-ThrottlingPolicy", {}, domain_controller))
    return tuple(_policy(item) for item in answer.objects())


def get_throttling_policy(
    session: Session, identity: str, *, explicit: bool = False, domain_controller: str | None = None
) -> ThrottlingPolicy | None:
    """The policy of that name, Guid or DN; None where there is none.

    A policy shows what it inherits too; with *explicit* only what it sets itself, the rest None (2013 and later: 2010
    has no such switch, and no word on what a policy there inherits).

    Raises BadInput for an empty identity, UnexpectedAnswer where several came back.
    """
    if not identity.strip():
        raise BadInput("a throttling policy needs a name", "an empty identity means all of them", "name one")
    parameters: dict[str, object] = {"Identity": identity, **({"Explicit": True} if explicit else {})}
    try:
        answer = session.invoke(directory_read("Get-ThrottlingPolicy", parameters, domain_controller))
    except CommandFailed as error:
        if error.has_exception("ManagementObjectNotFoundException"):
            return None
        raise
    found = tuple(_policy(item) for item in answer.objects())
    if len(found) > 1:
        raise UnexpectedAnswer(
            f"asked for one throttling policy, {identity!r}", f"the server gave {len(found)}", "use its Guid"
        )
    return found[0] if found else None


def get_default_limits(session: Session, *, domain_controller: str | None = None) -> EasLimits:
    """What a user has without a policy of his own, in the model of the server asked.

    2010: the default policy's values. 2013 and later: Organization policies over the Global one; where there are
    several, the lowest of each value. Raises UnexpectedAnswer where there is not one such policy.
    Source: IsDefault (2010); precedence Regular > Organization > Global (workload management, 2013 to SE).
    """
    policies = list_throttling_policies(session, domain_controller=domain_controller)
    default = [policy for policy in policies if policy.is_default]
    if len(default) != 1:
        raise UnexpectedAnswer("there is not one default throttling policy", f"there are {len(default)}", "report it")
    merged: EasLimits | None = None
    for policy in policies:
        if policy.scope == "Organization":
            over = policy.eas.over(default[0].eas)
            merged = over if merged is None else merged.lowered_to(over)
    return default[0].eas if merged is None else merged


def count_associations(session: Session, policy: ThrottlingPolicy, *, domain_controller: str | None = None) -> int:
    """How many users are associated with a policy. Source: Get-ThrottlingPolicyAssociation (2010 to SE).

    2010 has no -ThrottlingPolicy there: all associations are read, and counted here.
    """
    wanted = {"ResultSize": "Unlimited"}
    if isinstance(policy.eas, EasBudget):
        wanted["ThrottlingPolicy"] = policy.guid
    answer = session.invoke(directory_read("Get-ThrottlingPolicyAssociation", wanted, domain_controller))
    if isinstance(policy.eas, EasBudget):
        return len(answer.objects())
    return sum(_names(item.get("ThrottlingPolicyId"), policy) for item in answer.objects())


def _names(held: object, policy: ThrottlingPolicy) -> bool:
    """Whether a property that refers to a policy, as an object or as its name or DN, means *policy*."""
    told = str(held or "").lower()
    name = policy.name.lower()
    return told == name or told.startswith(f"cn={name},") or told.endswith(f"/{name}")


def new_throttling_policy(
    session: Session,
    name: str,
    eas: EasLimits,
    *,
    copied: Mapping[str, Limit] | None = None,
    domain_controller: str | None = None,
) -> None:
    """Make a policy (of scope Regular, where there are scopes) that sets *eas*, and of *copied* what *eas* does not.

    2010 takes what is left out from the default policy. Raises CommandFailed (e.g. the name is taken),
    UnreachableHost, OutcomeUnknown (settled by reading the name).
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
    """Change the ActiveSync values of a policy of one's own; what *eas* leaves out stays as it is.

    In force 5 to 15 minutes later (policy caches). Source: Set-ThrottlingPolicy (2010 to SE).

    Raises BadInput for the name of the Global or default policy, CommandFailed, UnreachableHost, OutcomeUnknown.
    """
    if identity.lower().startswith(("globalthrottlingpolicy", "defaultthrottlingpolicy")):
        raise BadInput(
            f"the throttling policy {identity} is not to be edited",
            "it concerns everybody, and an update may overwrite it",
            "make a policy of your own with new_throttling_policy and associate the user with it",
        )
    parameters = {"Identity": identity, **eas.parameters()}
    session.invoke(directory_change("Set-ThrottlingPolicy", parameters, domain_controller))


def remove_throttling_policy(session: Session, identity: str, *, domain_controller: str | None = None) -> None:
    """Remove a policy. CommandFailed while a user is associated with it. Source: Remove-ThrottlingPolicy."""
    session.invoke(directory_change("Remove-ThrottlingPolicy", {"Identity": identity}, domain_controller))


def associate_throttling_policy(
    session: Session, mailbox: str, policy: str | None, *, domain_controller: str | None = None
) -> None:
    """Associate a mailbox with *policy*; None dissociates it, so that the default applies again.

    Written is not effective: a changed association may go unnoticed until the worker processes that serve the user
    restart. Source: Set-ThrottlingPolicyAssociation (2010 to SE); KB 2689533.

    Raises CommandFailed, UnreachableHost, OutcomeUnknown (settled by reading the mailbox).
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
    # Null is no limit on 2010, and so a value; from 2013 on it is not set.
    null_too = isinstance(eas, EasPercentTime)
    values = {
        name: limit(item, name)
        for name, value in item.properties.items()
        if name.lower().startswith(_COMPONENTS)
        and name.lower() not in _NOT_VALUES
        and (_is_limit(value) or (value is None and null_too and name.lower() != _HOSTED_ONLY))
    }
    return ThrottlingPolicy(
        name=required(item, "Name"), guid=text(item, "Guid").lower(), scope=scope, eas=eas, values=values
    )


def _is_limit(value: object) -> bool:
    text = str(value).replace(",", "")
    return not isinstance(value, bool) and (text.isdigit() or text.lower() == "unlimited")
