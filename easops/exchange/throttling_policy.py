"""Throttling policies, their ActiveSync part: the budget model of 2013 and later.

The percent model of 2010 (EASPercentTimeInCAS) has its place beside it: see ``Capabilities.throttling``.
The Global policy is never edited: an update may overwrite it, and it concerns everybody.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Final

import attrs

from easops.errors import BadInput, CommandFailed, UnexpectedAnswer
from easops.exchange.answer import directory_change, directory_read, limit, required, text
from easops.remoting.result import RemoteObject
from easops.remoting.session import Session

Limit = int | str | None
"""A number, ``"Unlimited"``, or None: not set, so inherited from the policy above."""

OWN_PREFIX: Final = "easops-eas-"
"""How the policies that easops makes are named; any other is somebody else's."""

_COMPONENTS: Final = ("Anonymous", "Cpa", "Compliance", "Discovery", "Eas", "EncryptionRecipient", "EncryptionSender",
    "Ews", "Exchange", "Imap", "OutlookService", "Owa", "Pop", "PowerShell", "PushNotification", "Pswsm", "Psws", "Rca",
    "MessageRate", "RecipientRate", "ForwardeeLimit")  # fmt: skip
_NOT_VALUES: Final = ("ExchangeVersion", "ExchangeObjectId")


@attrs.frozen
class EasBudget:
    """The budget of a user's ActiveSync use (2013 and later).

    *recharge_rate* is milliseconds of use regained per hour, *max_burst* milliseconds that may be used at once,
    *cutoff_balance* milliseconds of debt before the user is blocked until it is regained.
    Source: New-ThrottlingPolicy -EasRechargeRate, -EasMaxBurst, -EasCutoffBalance.
    """

    recharge_rate: Limit = None
    max_burst: Limit = None
    cutoff_balance: Limit = None

    def over(self, below: EasBudget) -> EasBudget:
        """This budget, with what it does not set taken from *below* (a policy inherits what it leaves out)."""
        return EasBudget(
            _first(self.recharge_rate, below.recharge_rate),
            _first(self.max_burst, below.max_burst),
            _first(self.cutoff_balance, below.cutoff_balance),
        )

    def as_low_as(self, wanted: EasBudget) -> bool:
        """Whether each value that *wanted* sets is as low here, or lower."""
        return all(
            want is None or _number(have) <= _number(want)
            for have, want in (
                (self.recharge_rate, wanted.recharge_rate),
                (self.max_burst, wanted.max_burst),
                (self.cutoff_balance, wanted.cutoff_balance),
            )
        )

    def lowered_to(self, wanted: EasBudget) -> EasBudget:
        """The lower of each value, so that nothing is raised; what *wanted* leaves out stays out."""
        return EasBudget(
            _lower(self.recharge_rate, wanted.recharge_rate),
            _lower(self.max_burst, wanted.max_burst),
            _lower(self.cutoff_balance, wanted.cutoff_balance),
        )

    def parameters(self) -> dict[str, Limit]:
        """As parameters of New- and Set-ThrottlingPolicy; only what is set."""
        named = {
            "EasRechargeRate": self.recharge_rate,
            "EasMaxBurst": self.max_burst,
            "EasCutoffBalance": self.cutoff_balance,
        }
        return {name: _wire(value) for name, value in named.items() if value is not None}


@attrs.frozen
class ThrottlingPolicy:
    """One policy. *scope* is Regular, Organization or Global; *values* are all that it
    shows (where it was read with *explicit*: sets itself), by the names of New-ThrottlingPolicy's parameters."""

    name: str
    guid: str
    scope: str
    eas: EasBudget
    values: Mapping[str, Limit] = attrs.field(factory=dict, repr=False)

    @property
    def is_ours(self) -> bool:
        return self.name.startswith(OWN_PREFIX)


def own_policy_name(eas: EasBudget, copied: Mapping[str, Limit] | None = None) -> str:
    """The name of our policy for these values: so a lost reply to New- is settled by Get-, and one serves all users.

    *copied* are the further values of a policy that ours is a copy of.
    """
    parts = [("r", eas.recharge_rate), ("b", eas.max_burst), ("c", eas.cutoff_balance)]
    name = OWN_PREFIX + "-".join(f"{sign}{value}" for sign, value in parts if value is not None)
    if copied:
        digest = hashlib.sha256(json.dumps(dict(copied), sort_keys=True).encode()).hexdigest()
        name += f"-{digest[:8]}"
    return name


def list_throttling_policies(session: Session, *, domain_controller: str | None = None) -> tuple[ThrottlingPolicy, ...]:
    """All policies of the organisation. Source: Get-ThrottlingPolicy (budget model: 2013 to SE)."""
    answer = session.invoke(directory_read("Get-ThrottlingPolicy", {}, domain_controller))
    return tuple(_policy(item) for item in answer.objects())


def get_throttling_policy(
    session: Session, identity: str, *, explicit: bool = False, domain_controller: str | None = None
) -> ThrottlingPolicy | None:
    """The policy of that name, Guid or DN; None where there is none.

    A policy shows what it inherits too; with *explicit* only what it sets itself, the rest None.

    Raises BadInput for an empty identity, UnexpectedAnswer where several came back.
    """
    if not identity.strip():
        raise BadInput("a throttling policy needs a name", "an empty identity means all of them", "name one")
    parameters = {"Identity": identity, "Explicit": explicit}
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


def get_default_budget(session: Session, *, domain_controller: str | None = None) -> EasBudget:
    """The budget of a user without a policy of his own: Organization policies over the Global one.

    Where there are several Organization policies, the lowest of each value. Raises UnexpectedAnswer where there is not
    one Global policy. Source: precedence Regular > Organization > Global (workload management, 2013 to SE).
    """
    policies = list_throttling_policies(session, domain_controller=domain_controller)
    default = [policy for policy in policies if policy.scope == "Global"]
    if len(default) != 1:
        raise UnexpectedAnswer("there is not one Global throttling policy", f"there are {len(default)}", "report it")
    merged: EasBudget | None = None
    for policy in policies:
        if policy.scope == "Organization":
            over = policy.eas.over(default[0].eas)
            merged = over if merged is None else merged.lowered_to(over)
    return default[0].eas if merged is None else merged


def count_associations(session: Session, policy: str, *, domain_controller: str | None = None) -> int:
    """How many users are associated with a policy. Source: Get-ThrottlingPolicyAssociation -ThrottlingPolicy."""
    answer = session.invoke(
        directory_read("Get-ThrottlingPolicyAssociation", {"ThrottlingPolicy": policy}, domain_controller)
    )
    return len(answer.objects())


def new_throttling_policy(
    session: Session,
    name: str,
    eas: EasBudget,
    *,
    copied: Mapping[str, Limit] | None = None,
    domain_controller: str | None = None,
) -> None:
    """Make a policy of scope Regular that sets *eas*, and of *copied* all but the ActiveSync values it names too.

    Raises CommandFailed (e.g. the name is taken), UnreachableHost, OutcomeUnknown (settled by reading the name).
    Source: New-ThrottlingPolicy -ThrottlingPolicyScope Regular (2013 to SE); a Regular policy needs only what differs.
    """
    parameters = {
        "Name": name,
        "ThrottlingPolicyScope": "Regular",
        **{key: _wire(value) for key, value in (copied or {}).items()},
        **eas.parameters(),
    }
    session.invoke(directory_change("New-ThrottlingPolicy", parameters, domain_controller))


def set_throttling_policy(
    session: Session, identity: str, eas: EasBudget, *, domain_controller: str | None = None
) -> None:
    """Change the ActiveSync values of a policy of one's own; what *eas* leaves out stays as it is.

    In force 5 to 15 minutes later (policy caches). Source: Set-ThrottlingPolicy (2013 to SE).

    Raises BadInput for the Global policy's name, CommandFailed, UnreachableHost, OutcomeUnknown.
    """
    if identity.lower().startswith("globalthrottlingpolicy"):
        raise BadInput(
            "the Global throttling policy is not to be edited",
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
    values = {
        name: limit(item, name)
        for name, value in item.properties.items()
        if name.startswith(_COMPONENTS) and name not in _NOT_VALUES and _is_limit(value)
    }
    return ThrottlingPolicy(
        name=required(item, "Name"),
        guid=text(item, "Guid").lower(),
        scope=text(item, "ThrottlingPolicyScope"),
        eas=EasBudget(limit(item, "EasRechargeRate"), limit(item, "EasMaxBurst"), limit(item, "EasCutoffBalance")),
        values=values,
    )


def _is_limit(value: object) -> bool:
    text = str(value).replace(",", "")
    return not isinstance(value, bool) and (text.isdigit() or text.lower() == "unlimited")


def _wire(value: Limit) -> Limit:
    # As text: the Unlimited type reads both digits and the word, and no integer width is in question.
    return None if value is None else str(value)


def _first(value: Limit, otherwise: Limit) -> Limit:
    return otherwise if value is None else value


def _number(value: Limit) -> float:
    """Not set and Unlimited are above every number."""
    return float(value) if isinstance(value, int) else float("inf")


def _lower(have: Limit, want: Limit) -> Limit:
    if want is None:
        return None
    return have if _number(have) < _number(want) else want
