"""Limit a user's ActiveSync use: a throttling policy of our own, associated with the user.

Which values it sets is the mailbox server's version's to say: KB 2711053 gives one for 2010 (EASPercentTimeInCAS 30);
for the budget model of 2013 and later the values here are half of the defaults, which is our choice.
Source: New-ThrottlingPolicy, Set-ThrottlingPolicyAssociation (2010 to SE).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import attrs

from easops.actions.action import Plan, Scope
from easops.actions.change import Comparison, WriteSkipped
from easops.context import Context
from easops.errors import CommandFailed, UnexpectedAnswer
from easops.exchange.cas_mailbox import block_by_hand
from easops.exchange.eas_limits import LIMITS, EasBudget, EasLimits, EasPercentTime, Limit, Model
from easops.exchange.mailbox import Mailbox, require_mailbox
from easops.exchange.server import CAPABILITIES, get_exchange_server
from easops.exchange.throttling_policy import (
    ThrottlingPolicy,
    associate_throttling_policy,
    count_associations,
    get_default_limits,
    get_throttling_policy,
    new_throttling_policy,
    own_policy_name,
    remove_throttling_policy,
)
from easops.inventory.host import Version
from easops.parameter import Parameter
from easops.remoting.session import Session
from easops.status import Status

WANTED: Final[dict[Model, EasLimits]] = {
    "budget": EasBudget(recharge_rate=900_000, max_burst=240_000),
    "percent": EasPercentTime(percent_time_in_cas=30),
}
"""Half of the defaults of 2013 to SE (1800000 and 480000); on 2010 KB 2711053's, where the default is 100."""

EFFECTIVE: Final[dict[Model, str]] = {
    "budget": (
        "once replicated, after a recycle of the pools that serve the user. The budgets are half of the defaults, "
        "our choice: no document gives any. Such a user may be locked out for tens of minutes at a time"
    ),
    "percent": (
        "once replicated, after a recycle of the pools that serve the user. EASPercentTimeInCAS 30 is what KB "
        "2711053 starts with, and the user's devices may be affected. Where it is not enough: Set-ThrottlingPolicy "
        "with a lower one, or easops do block_user"
    ),
}


@attrs.frozen
class HaveThrottlingPolicy:
    """A policy of our own is there, or is not: made, and removed again only if no user is associated with it.

    *before* and *after* are the policy's values, None where there is none; *version* is that of the server which
    keeps it (None, in a record of 0.1.0: 2013 or later).
    """

    kind: ClassVar[str] = "throttling_policy"

    name: str
    before: dict[str, Limit] | None
    after: dict[str, Limit] | None
    copied: dict[str, Limit] | None = None
    version: Version | None = None

    undo: ClassVar[str] = "exact"
    visible_within: ClassVar[float] = 0.0

    depends_on: ClassVar[str] = ""

    @property
    def subject(self) -> str:
        return _subject(self.name)

    def read(self, context: Context) -> dict[str, Limit] | None:
        held = _policy(self.name, self.version, context)
        return None if held is None else held.eas.values()

    def compare(self, state: dict[str, Limit] | None) -> Comparison:
        if _shows(state, self.after):
            return Comparison.AFTER
        return Comparison.BEFORE if _shows(state, self.before) else Comparison.NEITHER

    def write(self, context: Context) -> None:
        session, dc = context.organisation.session(self.version), context.organisation.domain_controller
        if self.after is None:
            try:
                remove_throttling_policy(session, self.name, domain_controller=dc)
            except CommandFailed as error:
                held = _policy(self.name, self.version, context)
                users = 0 if held is None else count_associations(session, held, domain_controller=dc)
                if users:
                    who = "another user is" if users == 1 else f"{users} other users are"
                    raise WriteSkipped(
                        f"left behind, since {who} associated with it; the undo of theirs removes it"
                    ) from error
                raise
        else:
            eas = LIMITS[_model(self.version) or "budget"](**self.after)
            new_throttling_policy(session, self.name, eas, copied=self.copied, domain_controller=dc)

    def inverse(self) -> HaveThrottlingPolicy:
        return attrs.evolve(self, before=self.after, after=self.before)

    def prove(self, context: Context) -> str:
        return ""


@attrs.frozen
class AssociateThrottlingPolicy:
    """The policy that a mailbox is associated with, by name; None where it is with none, so that the default applies.

    *version* is that of the mailbox's server (None, in a record of 0.1.0: 2013 or later).
    """

    kind: ClassVar[str] = "throttling_policy_association"

    user: str
    mailbox: str
    before: str | None
    after: str | None
    version: Version | None = None

    undo: ClassVar[str] = "exact"
    visible_within: ClassVar[float] = 0.0

    @property
    def subject(self) -> str:
        return f"throttling policy of {self.user}"

    @property
    def depends_on(self) -> str:
        return _subject(self.after or "")

    def read(self, context: Context) -> str | None:
        session, dc = context.organisation.session(self.version), context.organisation.domain_controller
        held = _associated(require_mailbox(session, self.mailbox, domain_controller=dc), session, dc)
        return None if held is None else held.name

    def compare(self, state: str | None) -> Comparison:
        if state == self.after:
            return Comparison.AFTER
        return Comparison.BEFORE if state == self.before else Comparison.NEITHER

    def write(self, context: Context) -> None:
        session, dc = context.organisation.session(self.version), context.organisation.domain_controller
        associate_throttling_policy(session, self.mailbox, self.after, domain_controller=dc)

    def inverse(self) -> AssociateThrottlingPolicy:
        return attrs.evolve(self, before=self.after, after=self.before)

    def prove(self, context: Context) -> str:
        return ""


class _LimitEasUsage:
    name = "limit_eas_usage"
    summary = "A smaller share of ActiveSync for a user (a throttling policy of our own)"
    scope: Scope = "organisation"
    one_way = False
    stronger = "block_user"
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

    def plan(self, values: Mapping[str, Any], host: str | None, context: Context) -> Plan:
        organisation, dc = context.organisation, context.organisation.domain_controller
        mailbox = require_mailbox(organisation.session(), values["user"], domain_controller=dc)
        version = get_exchange_server(organisation.session(), mailbox.server, domain_controller=dc).version
        plan = Plan(
            item=mailbox.primary_smtp_address,
            status=Status.OK,
            mailbox=mailbox.guid,
            health_mailbox=mailbox.is_health_mailbox,
        )
        model = _model(version)
        if model is None:
            lacks = f"Exchange {version}, which has no throttling policies and no remote PowerShell"
            why = f"the mailbox is on {lacks}: {block_by_hand(version, mailbox.primary_smtp_address)}"
            return attrs.evolve(plan, status=Status.REFUSED, reason=why)
        session = organisation.session(version)
        held = _associated(mailbox, session, dc)
        default = get_default_limits(session, domain_controller=dc)
        effective = default if held is None else held.eas.over(default)
        shown = {"policy": None if held is None else held.name, **effective.values()}
        plan = attrs.evolve(plan, before=shown, after=shown)
        if effective.as_low_as(WANTED[model]):
            # Whether it is in force is not known: a worker process goes by what it knew when it started.
            return attrs.evolve(
                plan, reason="limited as low already; in force where the pools that serve the user were recycled since"
            )
        copied: dict[str, Limit] | None = None
        if held is not None and not held.is_ours and not held.is_default:
            if values["replace_policy"] != "copy":
                why = f"has policy {held.name}; replace_policy=copy would give the user a lowered copy of it"
                copy = {"user": mailbox.primary_smtp_address, "replace_policy": "copy"}
                return attrs.evolve(plan, status=Status.REFUSED, reason=why, after=None, instead=copy)
            own = _policy(held.guid, version, context) or held
            ours = {parameter.lower() for parameter in WANTED[model].parameters()}
            copied = {name: value for name, value in own.values.items() if name.lower() not in ours}
        wanted = effective.lowered_to(_ceiling(held, default, WANTED[model]))
        return _limiting(plan, mailbox, held, wanted, copied, version, context)


def _subject(policy: str) -> str:
    return f"throttling policy {policy}"


def _model(version: Version | None) -> Model | None:
    """The model of the policies of *version*; a record of 0.1.0, which changed no other, names none."""
    return "budget" if version is None else CAPABILITIES[version].throttling


def _policy(identity: str, version: Version | None, context: Context) -> ThrottlingPolicy | None:
    """A policy with what it sets itself, where its version tells."""
    organisation = context.organisation
    return get_throttling_policy(
        organisation.session(version),
        identity,
        explicit=_model(version) == "budget",
        domain_controller=organisation.domain_controller,
    )


def _ceiling(held: ThrottlingPolicy | None, default: EasLimits, wanted: EasLimits) -> EasLimits:
    """What our policy may give at most: *wanted*, and where nothing is set for the user himself no more than *default*.

    Not documented is whether 2013 and later name the Global policy also where none is associated, and whether a value
    left out on 2010 is the default policy's; either way nothing is raised.
    """
    own = held is not None and not held.is_default and bool(held.eas.values())
    return wanted if own else default.lowered_to(wanted)


def _limiting(
    plan: Plan,
    mailbox: Mailbox,
    held: ThrottlingPolicy | None,
    wanted: EasLimits,
    copied: dict[str, Limit] | None,
    version: Version,
    context: Context,
) -> Plan:
    model = _model(version)
    assert model is not None, "refused before"
    name = own_policy_name(wanted, copied)
    there = _policy(name, version, context)
    # A copy carries ActiveSync values among the copied ones too; what the policy will read back is what it sets.
    values = _with_copied(wanted, copied or {}).values()
    if there is not None and not _shows(there.eas.values(), values):
        return attrs.evolve(
            plan,
            status=Status.REFUSED,
            reason=f"policy {name} is there with other values: {there.eas.values()}",
            after=None,
        )
    make = HaveThrottlingPolicy(name, before=None, after=values, copied=copied, version=version)
    associate = AssociateThrottlingPolicy(
        mailbox.primary_smtp_address, mailbox.guid, None if held is None else held.name, name, version
    )
    return attrs.evolve(
        plan,
        status=Status.WOULD_CHANGE,
        changes=(make, associate) if there is None else (associate,),
        after={**plan.before, "policy": name, **wanted.values()},
        effective=EFFECTIVE[model],
    )


def _associated(mailbox: Mailbox, session: Session, domain_controller: str | None) -> ThrottlingPolicy | None:
    if mailbox.throttling_policy is None:
        return None
    held = get_throttling_policy(session, mailbox.throttling_policy, domain_controller=domain_controller)
    if held is None:
        raise UnexpectedAnswer(
            f"{mailbox.primary_smtp_address} has throttling policy {mailbox.throttling_policy}, which is not found",
            "what applies to the user is not known",
            "look with Get-ThrottlingPolicy; nothing was changed",
        )
    return held


def _shows(state: Mapping[str, Limit] | None, wanted: Mapping[str, Limit] | None) -> bool:
    """Whether a policy reads as *wanted*: whether it also shows values that it inherits is not documented."""
    if state is None or wanted is None:
        return state is wanted
    return all(state.get(name) == value for name, value in wanted.items())


def _with_copied(wanted: EasLimits, copied: Mapping[str, Limit]) -> EasLimits:
    """*wanted*, and what of the copied values is of its model too."""
    by_parameter = {name.lower(): value for name, value in copied.items()}
    return wanted.filled({name: by_parameter.get(parameter.lower()) for name, parameter in wanted.PARAMETERS.items()})


LIMIT_EAS_USAGE = _LimitEasUsage()
