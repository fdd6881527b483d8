"""The changes to throttling policies: that an own policy exists, and that a user is associated with a policy.

Source: New-ThrottlingPolicy, Remove-ThrottlingPolicy, Set-ThrottlingPolicyAssociation (2010 to SE).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

import attrs

from easops.actions.change import Comparison, WriteSkipped
from easops.clock import Waiting
from easops.context import Context
from easops.errors import CommandFailed, EasopsError, UnexpectedAnswer, UnreachableHost
from easops.exchange.eas_limits import LIMITS, Limit, Model
from easops.exchange.mailbox import Mailbox, require_mailbox
from easops.exchange.server import CAPABILITIES
from easops.exchange.throttling_policy import (
    ThrottlingPolicy,
    associate_throttling_policy,
    count_associations,
    get_throttling_policy,
    new_throttling_policy,
    remove_throttling_policy,
)
from easops.inventory.host import Version
from easops.remoting.session import Session

_REPLICATION_TIME: Final = 900.0
"""Seconds that a policy has to reach a domain controller of another domain."""

_READ_AGAIN: Final = 5.0
"""Seconds until a domain controller is asked again."""


@attrs.frozen
class HaveThrottlingPolicy:
    """An own policy exists, or not: it is made, and removed again only if no user is associated with it.

    *before* and *after* are the policy's values, None if it does not exist; *copied* are the values that it takes over
    from another policy; *version* is that of the server which has the policy (None, in a record of 0.1.0: 2013 or
    later).
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
    waits_for_recycle: ClassVar[bool] = False

    @property
    def subject(self) -> str:
        return _subject(self.name)

    def read(self, context: Context) -> dict[str, Limit] | None:
        policy = read_policy(self.name, self.version, context)
        return None if policy is None else policy.eas.values()

    def compare(self, state: dict[str, Limit] | None) -> Comparison:
        if has_values(state, self.after):
            return Comparison.AFTER
        return Comparison.BEFORE if has_values(state, self.before) else Comparison.NEITHER

    def write(self, context: Context) -> None:
        session, dc = context.organisation.session(self.version), context.organisation.domain_controller
        if self.after is not None:
            eas = LIMITS[model_of(self.version) or "budget"](**self.after)
            new_throttling_policy(session, self.name, eas, copied=self.copied, domain_controller=dc)
            return
        try:
            remove_throttling_policy(session, self.name, domain_controller=dc)
        except CommandFailed as error:
            # Exchange refuses to remove a policy that somebody uses. All users with the same values share one policy,
            # so that is no failure: the undo of the last of them removes it.
            try:
                policy = read_policy(self.name, self.version, context)
                users = 0 if policy is None else count_associations(session, policy, domain_controller=dc)
            except EasopsError:
                raise error from None  # of the write: the read is not what failed
            if users:
                raise WriteSkipped(_still_used(users)) from error
            raise

    def inverse(self) -> HaveThrottlingPolicy:
        return attrs.evolve(self, before=self.after, after=self.before)

    def prove(self, context: Context) -> str:
        return ""


@attrs.frozen
class AssociateThrottlingPolicy:
    """The policy that a mailbox is associated with, by name; None if with none, so that the default policy applies.

    *version* is that of the mailbox's server (None, in a record of 0.1.0: 2013 or later), *domain* the user's (empty:
    that of the run's domain controller).
    """

    kind: ClassVar[str] = "throttling_policy_association"

    user: str
    mailbox: str
    before: str | None
    after: str | None
    version: Version | None = None
    domain: str = ""

    undo: ClassVar[str] = "exact"
    waits_for_recycle: ClassVar[bool] = True
    visible_within: ClassVar[float] = 0.0

    @property
    def subject(self) -> str:
        return f"throttling policy of {self.user}"

    @property
    def depends_on(self) -> str:
        return _subject(self.after or "")

    def read(self, context: Context) -> str | None:
        session, dc = context.organisation.session(self.version), context.organisation.controller_of(self.domain)
        policy = associated_policy(require_mailbox(session, self.mailbox, domain_controller=dc), session, dc)
        return None if policy is None else policy.name

    def compare(self, state: str | None) -> Comparison:
        if state == self.after:
            return Comparison.AFTER
        return Comparison.BEFORE if state == self.before else Comparison.NEITHER

    def write(self, context: Context) -> None:
        session, dc = context.organisation.session(self.version), context.organisation.controller_of(self.domain)
        if self.after is not None and dc != context.organisation.domain_controller:
            _await_policy(self.after, session, dc, context)
        associate_throttling_policy(session, self.mailbox, self.after, domain_controller=dc)

    def inverse(self) -> AssociateThrottlingPolicy:
        return attrs.evolve(self, before=self.after, after=self.before)

    def prove(self, context: Context) -> str:
        return ""


def _await_policy(name: str, session: Session, controller: str | None, context: Context) -> None:
    """Wait until *controller*, one of another domain than the policy was made in, has the policy *name*.

    Raises UnreachableHost: nothing was sent; and the errors of the reads.
    """
    began = context.clock.monotonic()
    while get_throttling_policy(session, name, domain_controller=controller) is None:
        passed = context.clock.monotonic() - began
        if passed >= _REPLICATION_TIME:
            raise UnreachableHost(
                f"the policy {name} has not reached {controller} within {_REPLICATION_TIME / 60:.0f} min",
                "the user is in another domain, and is associated with it there",
                "resume the run when replication has caught up; nothing was sent for this user",
            )
        context.progress(Waiting(f"waiting until {controller} has the policy {name}", passed, _REPLICATION_TIME))
        context.clock.sleep(_READ_AGAIN)


def model_of(version: Version | None) -> Model | None:
    """The model of the policies of *version*; None if it has no policies. A record of 0.1.0 has no version: that
    release changed only policies of 2013 and later."""
    return "budget" if version is None else CAPABILITIES[version].throttling


def read_policy(identity: str, version: Version | None, context: Context) -> ThrottlingPolicy | None:
    """A policy with the values that it sets itself, where its version can tell them from inherited ones."""
    organisation = context.organisation
    return get_throttling_policy(
        organisation.session(version),
        identity,
        explicit=model_of(version) == "budget",
        domain_controller=organisation.domain_controller,
    )


def associated_policy(mailbox: Mailbox, session: Session, domain_controller: str | None) -> ThrottlingPolicy | None:
    """The policy that *mailbox* is associated with; None if with none. Raises UnexpectedAnswer if it is not found."""
    if mailbox.throttling_policy is None:
        return None
    policy = get_throttling_policy(session, mailbox.throttling_policy, domain_controller=domain_controller)
    if policy is None:
        raise UnexpectedAnswer(
            f"{mailbox.primary_smtp_address} has throttling policy {mailbox.throttling_policy}, which is not found",
            "which values apply to the user is not known",
            "check it with Get-ThrottlingPolicy; nothing was changed",
        )
    return policy


def has_values(state: Mapping[str, Limit] | None, wanted: Mapping[str, Limit] | None) -> bool:
    """Whether a policy reads as *wanted*; None stands for no policy.

    It may have more values: whether a read also shows values that are inherited is not documented.
    """
    if state is None or wanted is None:
        return state is wanted
    return all(state.get(name) == value for name, value in wanted.items())


def _subject(policy: str) -> str:
    return f"throttling policy {policy}"


def _still_used(users: int) -> str:
    if users == 1:
        return "not removed, because another user is associated with it; undoing that user's change removes it"
    return f"not removed, because {users} other users are associated with it; undoing their changes removes it"
