"""What one domain controller has at one time: throttling policies, and what each mailbox may do."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import attrs

from easops.lab.world.directory import Directory
from easops.lab.world.product import Model
from easops.lab.world.recipient import ClientAccess, Mailbox
from easops.lab.world.replication import Write
from easops.lab.world.throttling import Policy


@attrs.frozen
class View:
    """The directory as *dc* has it at *time*. A change through it is written on *dc*, at *time*."""

    directory: Directory
    dc: str
    time: float

    def _seen(self, write: Write) -> bool:
        return self.directory.replication.seen(write, self.dc, self.time)

    def access(self, mailbox: Mailbox) -> ClientAccess:
        """What the mailbox may do over ActiveSync. Each value is that of its last write that has arrived here."""
        access = mailbox.beginning
        for write in mailbox.history:
            if self._seen(write):
                access = attrs.evolve(access, **write.values)
        return access

    def set_access(self, mailbox: Mailbox, **values: Any) -> None:
        mailbox.history.append(Write(self.time, self.dc, values))

    @property
    def policies(self) -> tuple[Policy, ...]:
        return tuple(
            policy
            for policy in self.directory.policies
            if self._seen(policy.history[0]) and not (policy.removed is not None and self._seen(policy.removed))
        )

    def find_policy(self, identity: str) -> Policy | None:
        """The policy of that name, Guid or distinguished name."""
        wanted = identity.strip().lower()
        for policy in self.policies:
            if wanted in (policy.name.lower(), str(policy.guid), self.directory.policy_dn(policy).lower()):
                return policy
        return None

    def policy(self, guid: uuid.UUID | None) -> Policy | None:
        """A policy by its Guid, also one that was removed: a worker process may still apply it."""
        found = next((policy for policy in self.directory.policies if policy.guid == guid), None)
        return found if found is not None and self._seen(found.history[0]) else None

    def values(self, policy: Policy) -> Mapping[str, str]:
        """What *policy* sets itself, by its last write that has arrived here."""
        return next(write.values for write in reversed(policy.history) if self._seen(write))

    def add_policy(self, name: str, scope: str, model: Model, values: Mapping[str, str]) -> Policy:
        return self.directory.add_policy(name, scope, model, Write(self.time, self.dc, dict(values)))

    def set_policy(self, policy: Policy, values: Mapping[str, str]) -> None:
        policy.history.append(Write(self.time, self.dc, dict(values)))

    def remove_policy(self, policy: Policy) -> None:
        policy.removed = Write(self.time, self.dc)

    def users_of(self, policy: Policy) -> tuple[Mailbox, ...]:
        """The mailboxes that are associated with *policy*."""
        return tuple(mailbox for mailbox in self.directory.mailboxes if self.access(mailbox).policy == policy.guid)

    def effective_policy(self, guid: uuid.UUID | None, model: Model) -> tuple[Policy, Mapping[str, str]]:
        """The policy that applies to a user who is associated with *guid*, and all its values, inherited ones too.

        A server applies only policies of its own *model*. A budget policy inherits the values that it does not set:
        Regular from Organization, that from Global. A policy of percentages sets all values; where a user has none,
        the default policy applies.
        """
        effective = self.directory.defaults[model]
        merged = dict(self.values(effective))
        own = self.policy(guid)
        layers = [policy for policy in self.policies if policy.scope == "Organization"]
        for policy in layers if own is None else [*layers, own]:
            if policy.model == model:
                merged.update(self.values(policy))
                effective = policy
        return effective, merged
