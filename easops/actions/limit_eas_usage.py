"""Limit a user's ActiveSync use: a throttling policy of our own, associated with the user.

Source: New-ThrottlingPolicy, Set-ThrottlingPolicyAssociation (2013 to SE). KB 2711053 gives a value for 2010 alone
(EASPercentTimeInCAS 30); for the budget model the values here are half of the defaults, which is our choice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import attrs

from easops.actions.action import Plan, Scope
from easops.actions.change import LeftAlone, Standing
from easops.detectors.detector import Surroundings
from easops.errors import CommandFailed, UnexpectedAnswer
from easops.exchange.mailbox import Mailbox, require_mailbox
from easops.exchange.server import CAPABILITIES, get_exchange_server
from easops.exchange.throttling_policy import (
    EasBudget,
    Limit,
    ThrottlingPolicy,
    associate_throttling_policy,
    count_associations,
    get_default_budget,
    get_throttling_policy,
    new_throttling_policy,
    own_policy_name,
    remove_throttling_policy,
)
from easops.parameter import Parameter
from easops.status import Status

BUDGET: Final = EasBudget(recharge_rate=900_000, max_burst=240_000)
"""Half of the defaults of 2013 to SE (1800000 and 480000)."""

EFFECTIVE: Final = (
    "after a recycle of the pools that serve the user. The values are half of the defaults, our choice: no document "
    "gives one for this version. Such a user may be locked out for tens of minutes at a time"
)


@attrs.frozen
class HaveThrottlingPolicy:
    """A policy of our own is there, or is not: made, and removed again only if no user is associated with it.

    *before* and *after* are the policy's values, None where there is none.
    """

    kind: ClassVar[str] = "throttling_policy"

    name: str
    before: dict[str, Limit] | None
    after: dict[str, Limit] | None
    copied: dict[str, Limit] | None = None

    undo: ClassVar[str] = "exact"
    patience: ClassVar[float] = 0.0

    @property
    def subject(self) -> str:
        return f"throttling policy {self.name}"

    def read(self, around: Surroundings) -> dict[str, Limit] | None:
        organisation = around.organisation
        held = get_throttling_policy(
            organisation.session(), self.name, explicit=True, domain_controller=organisation.domain_controller
        )
        return None if held is None else _values(held.eas)

    def standing(self, state: dict[str, Limit] | None) -> Standing:
        if _shows(state, self.after):
            return Standing.AFTER
        return Standing.BEFORE if _shows(state, self.before) else Standing.OTHER

    def write(self, around: Surroundings) -> None:
        organisation = around.organisation
        session, dc = organisation.session(), organisation.domain_controller
        if self.after is None:
            try:
                remove_throttling_policy(session, self.name, domain_controller=dc)
            except CommandFailed as error:
                if count_associations(session, self.name, domain_controller=dc):
                    raise LeftAlone(f"left behind, since others are associated with it: {error.why}") from error
                raise
        else:
            new_throttling_policy(session, self.name, EasBudget(**self.after), copied=self.copied, domain_controller=dc)

    def inverse(self) -> HaveThrottlingPolicy:
        return attrs.evolve(self, before=self.after, after=self.before)

    def prove(self, around: Surroundings) -> str:
        return ""


@attrs.frozen
class AssociateThrottlingPolicy:
    """The policy that a mailbox is associated with, by name; None where the default applies."""

    kind: ClassVar[str] = "throttling_policy_association"

    user: str
    mailbox: str
    before: str | None
    after: str | None

    undo: ClassVar[str] = "exact"
    patience: ClassVar[float] = 0.0

    @property
    def subject(self) -> str:
        return f"throttling policy of {self.user}"

    def read(self, around: Surroundings) -> str | None:
        organisation = around.organisation
        session, dc = organisation.session(), organisation.domain_controller
        mailbox = require_mailbox(session, self.mailbox, domain_controller=dc)
        held = _associated(mailbox, around)
        return None if held is None else held.name

    def standing(self, state: str | None) -> Standing:
        if state == self.after:
            return Standing.AFTER
        return Standing.BEFORE if state == self.before else Standing.OTHER

    def write(self, around: Surroundings) -> None:
        organisation = around.organisation
        associate_throttling_policy(
            organisation.session(), self.mailbox, self.after, domain_controller=organisation.domain_controller
        )

    def inverse(self) -> AssociateThrottlingPolicy:
        return attrs.evolve(self, before=self.after, after=self.before)

    def prove(self, around: Surroundings) -> str:
        return ""


class _LimitEasUsage:
    name = "limit_eas_usage"
    summary = "A smaller share of ActiveSync for a user (a throttling policy of our own)"
    scope: Scope = "organisation"
    pulse = False
    parameters = (
        Parameter("user", "text", "the mailbox: address, alias, DOMAIN\\user or Guid"),
        Parameter(
            "replace_policy",
            "choice",
            "what to do with a user who has a policy of somebody else's: refuse, or copy it with lower EAS values",
            default="refuse",
            choices=("refuse", "copy"),
        ),
    )

    def plan(self, values: Mapping[str, Any], host: str | None, around: Surroundings) -> Plan:
        organisation = around.organisation
        session, dc = organisation.session(), organisation.domain_controller
        mailbox = require_mailbox(session, values["user"], domain_controller=dc)
        lacking = _lacking(mailbox, around)
        if lacking:
            return Plan(mailbox.primary_smtp_address, Status.REFUSED, lacking, mailbox=mailbox.guid)
        held = _associated(mailbox, around)
        effective = get_default_budget(session, domain_controller=dc)
        if held is not None:
            effective = held.eas.over(effective)
        plan = Plan(
            item=mailbox.primary_smtp_address,
            status=Status.OK,
            before={"policy": None if held is None else held.name, **_values(effective)},
            after={"policy": None if held is None else held.name, **_values(effective)},
            mailbox=mailbox.guid,
            health_mailbox=mailbox.is_health_mailbox,
        )
        if effective.as_low_as(BUDGET):
            return attrs.evolve(
                plan, reason="limited as low already, in force since the last recycle of the pools that serve the user"
            )
        copied: dict[str, Limit] | None = None
        if held is not None and not held.is_ours:
            if values["replace_policy"] != "copy":
                return attrs.evolve(plan, status=Status.REFUSED, reason=f"has policy {held.name}", after=None)
            own = get_throttling_policy(session, held.guid, explicit=True, domain_controller=dc) or held
            copied = {name: value for name, value in own.values.items() if name not in BUDGET.parameters()}
        return _limiting(plan, mailbox, held, effective.lowered_to(BUDGET), copied, around)


def _lacking(mailbox: Mailbox, around: Surroundings) -> str:
    """Why the version of the mailbox's server cannot have a budget, and what to use instead; empty where it can."""
    organisation = around.organisation
    server = get_exchange_server(
        organisation.session(), mailbox.server, domain_controller=organisation.domain_controller
    )
    match CAPABILITIES[server.version].throttling:
        case "budget":
            return ""
        case "percent":
            return (
                f"the mailbox is on Exchange {server.version}, whose policies limit percent of time: a policy "
                "with EASPercentTimeInCAS 30 (KB 2711053) is to be associated by hand, or block_user used"
            )
        case None:
            return f"the mailbox is on Exchange {server.version}, which has no throttling policies: use block_user"


def _limiting(
    plan: Plan,
    mailbox: Mailbox,
    held: ThrottlingPolicy | None,
    wanted: EasBudget,
    copied: dict[str, Limit] | None,
    around: Surroundings,
) -> Plan:
    organisation = around.organisation
    name = own_policy_name(wanted, copied)
    there = get_throttling_policy(
        organisation.session(), name, explicit=True, domain_controller=organisation.domain_controller
    )
    # A copy carries its EAS values among the copied ones too; what the policy will read back is what it sets.
    values = _values(wanted if not copied else wanted.over(_copied_eas(copied)))
    if there is not None and not _shows(_values(there.eas), values):
        return attrs.evolve(
            plan,
            status=Status.REFUSED,
            reason=f"policy {name} is there with other values: {_values(there.eas)}",
            after=None,
        )
    make = HaveThrottlingPolicy(name, before=None, after=values, copied=copied)
    associate = AssociateThrottlingPolicy(
        mailbox.primary_smtp_address, mailbox.guid, before=None if held is None else held.name, after=name
    )
    return attrs.evolve(
        plan,
        status=Status.WOULD_CHANGE,
        changes=(make, associate) if there is None else (associate,),
        after={**plan.before, "policy": name, **_values(wanted)},
        effective=EFFECTIVE,
    )


def _associated(mailbox: Mailbox, around: Surroundings) -> ThrottlingPolicy | None:
    if mailbox.throttling_policy is None:
        return None
    organisation = around.organisation
    held = get_throttling_policy(
        organisation.session(), mailbox.throttling_policy, domain_controller=organisation.domain_controller
    )
    if held is None:
        raise UnexpectedAnswer(
            f"{mailbox.primary_smtp_address} has throttling policy {mailbox.throttling_policy}, which is not found",
            "what applies to the user is not known",
            "look with Get-ThrottlingPolicy; nothing was changed",
        )
    # 2013 and later may name the Global policy where none is associated: it is the default all the same.
    return None if held.scope == "Global" else held


def _values(eas: EasBudget) -> dict[str, Limit]:
    return {name: value for name, value in attrs.asdict(eas).items() if value is not None}


def _shows(state: Mapping[str, Limit] | None, wanted: Mapping[str, Limit] | None) -> bool:
    """Whether a policy reads as *wanted*: whether it also shows values that it inherits is not documented."""
    if state is None or wanted is None:
        return state is wanted
    return all(state.get(name) == value for name, value in wanted.items())


def _copied_eas(copied: Mapping[str, Limit]) -> EasBudget:
    return EasBudget(copied.get("EasRechargeRate"), copied.get("EasMaxBurst"), copied.get("EasCutoffBalance"))


LIMIT_EAS_USAGE = _LimitEasUsage()
