"""The directory: mailboxes, groups and throttling policies, and every change to them.

What one domain controller shows of it at one time is a ``View``.
"""

from __future__ import annotations

import random
import uuid

from easops.lab.world.mailboxes import make_mailboxes, random_guid
from easops.lab.world.product import PRODUCTS, Model
from easops.lab.world.recipient import ClientAccess, Group, Mailbox, Recipient, domain_dn
from easops.lab.world.replication import EVER, Replication, Write
from easops.lab.world.scenario import GroupData, Scenario
from easops.lab.world.throttling import DEFAULT_PERCENTS, GLOBAL_VALUES, Policy


class Directory:
    """What the domain controllers have. Each change keeps its time and its domain controller: others see it later.

    *defaults* are the policies that apply to users without one: the Global policy of 2013 and later, and the default
    policy of 2010.
    """

    def __init__(self, scenario: Scenario, seed: int) -> None:
        rng = random.Random(f"{seed}:directory")
        self.domain: str = scenario.domain
        self.organisation: str = scenario.organisation
        self.replication: Replication = Replication(scenario.every_dc, scenario.replication)
        self.mailboxes: tuple[Mailbox, ...] = make_mailboxes(scenario, rng)
        self._by_name: dict[str, list[Mailbox]] = {}
        for mailbox in self.mailboxes:
            for name in mailbox.names:
                self._by_name.setdefault(name, []).append(mailbox)
        people = {mailbox.display_name: mailbox for mailbox in reversed(self.mailboxes)}
        self.groups: tuple[Group, ...] = tuple(
            _group(data, random_guid(rng), scenario.domain) for data in scenario.groups
        )
        self._seed = seed
        global_guid = random_guid(rng)
        always = Write(EVER, scenario.dc, GLOBAL_VALUES)
        global_policy = Policy(f"GlobalThrottlingPolicy_{global_guid}", random_guid(rng), "Global", "budget", [always])
        default_guid = uuid.uuid5(uuid.NAMESPACE_OID, f"{seed}:default policy")
        always = Write(EVER, scenario.dc, DEFAULT_PERCENTS)
        default = Policy(f"DefaultThrottlingPolicy_{default_guid}", default_guid, "Regular", "percent", [always])
        models = {PRODUCTS[server.version].throttling for server in scenario.servers}
        self.defaults: dict[Model, Policy] = {
            policy.model: policy for policy in (default, global_policy) if policy.model in models
        }
        self.recipients: tuple[Recipient, ...] = tuple(
            Recipient(
                name, kind, f"{name.lower().replace(' ', '.')}@{scenario.domain}", random_guid(rng), scenario.domain
            )
            for name, kind in scenario.recipients.items()
        )
        anyone: dict[str, Mailbox | Recipient] = {**people}
        anyone |= {recipient.name: recipient for recipient in (*self.recipients, *self.groups)}
        for group, group_data in zip(self.groups, scenario.groups, strict=True):
            group.members = tuple(anyone[name] for name in group_data.members)
        self._policies = list(self.defaults.values())
        for data in scenario.policies:
            model: Model = "percent" if any("PercentTime" in name for name in data.values) else "budget"
            values = {name: str(value) for name, value in data.values.items()}
            if model == "percent":
                values = {**DEFAULT_PERCENTS, **values}
            policy = self.add_policy(data.name, "Regular", model, Write(EVER, scenario.dc, values))
            for user in data.users:
                people[user].beginning = ClientAccess(policy=policy.guid)

    def find_mailboxes(self, identity: str) -> tuple[Mailbox, ...]:
        """The mailboxes that have *identity* as one of their names: none, one, or several."""
        return tuple(self._by_name.get(identity.strip().lower(), ()))

    def find_groups(self, identity: str) -> tuple[Group, ...]:
        """The groups that have *identity* as one of their names."""
        wanted = identity.strip().lower()
        return tuple(group for group in self.groups if wanted in group.names)

    def members_of(self, dn: str) -> tuple[Mailbox | Recipient, ...]:
        """The direct members of the group of that distinguished name; none where there is no such group."""
        return next((group.members for group in self.groups if group.dn.lower() == dn), ())

    @property
    def policies(self) -> tuple[Policy, ...]:
        """All policies, removed ones too; ``View.policies`` has those that a domain controller shows."""
        return tuple(self._policies)

    def policy_dn(self, policy: Policy) -> str:
        return (
            f"CN={policy.name},CN=Global Settings,CN={self.organisation},CN=Microsoft Exchange,CN=Services,"
            f"CN=Configuration,{domain_dn(self.domain)}"
        )

    def add_policy(self, name: str, scope: str, model: Model, created: Write) -> Policy:
        # After a restart the same policy has to get the same Guid, so it is made from the name and the time.
        guid = uuid.uuid5(uuid.NAMESPACE_OID, f"{self._seed}:{name}:{created.time}")
        policy = Policy(name, guid, scope, model, [created])
        self._policies.append(policy)
        return policy


def _group(data: GroupData, guid: uuid.UUID, domain: str) -> Group:
    if data.security:
        return Group(data.name, "Group", "", guid, domain)
    return Group(data.name, "MailUniversalDistributionGroup", _address(data.name, domain), guid, domain)


def _address(name: str, domain: str) -> str:
    return f"{name.lower().replace(' ', '.')}@{domain}"
