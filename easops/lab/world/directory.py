"""The directory: mailboxes, groups and throttling policies, as one domain controller holds them."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Mapping
from typing import Final

import attrs

from easops.lab.world.names import people
from easops.lab.world.scenario import GroupData, Scenario
from easops.lab.world.throttling import GLOBAL_VALUES, Policy

EVER: Final = float("-inf")
"""The time of what has always been so."""


@attrs.frozen
class ClientAccess:
    """What a mailbox may do over ActiveSync. *policy* is the associated throttling policy, None the default."""

    policy: uuid.UUID | None = None
    active_sync: bool = True
    blocked: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()


@attrs.define(eq=False)
class Mailbox:
    """One mailbox, and its settings with the world time of each change."""

    name: str
    display_name: str
    alias: str
    sam: str
    smtp: str
    guid: uuid.UUID
    exchange_guid: uuid.UUID
    sid: str
    server: str
    database: str
    contacts: int
    items: int
    unit: str
    netbios: str
    domain: str
    monitoring: bool = False
    history: list[tuple[float, ClientAccess]] = attrs.field(factory=lambda: [(EVER, ClientAccess())])

    @property
    def access(self) -> ClientAccess:
        """The settings as they are written now."""
        return self.history[-1][1]

    def access_at(self, time: float) -> ClientAccess:
        """The settings as they were written at *time*."""
        for since, access in reversed(self.history):
            if since <= time:
                return access
        return self.history[0][1]

    @property
    def dn(self) -> str:
        units = ",".join(f"OU={part}" if part != "Users" else "CN=Users" for part in reversed(self.unit.split("/")))
        return f"CN={self.name},{units},{_dc(self.domain)}"

    @property
    def canonical(self) -> str:
        return f"{self.domain}/{self.unit}/{self.name}"

    @property
    def legacy_dn(self) -> str:
        return f"/o={self.netbios}/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn={self.alias}"

    @property
    def old_smtp(self) -> str:
        """The second address."""
        return f"{self.sam}@{self.domain}"

    @property
    def names(self) -> frozenset[str]:
        """All forms that Exchange takes as the identity of a mailbox, in lower case."""
        forms = (
            self.name, self.display_name, self.alias, self.dn, self.canonical, f"{self.netbios}\\{self.sam}",
            self.smtp, self.old_smtp, str(self.guid), str(self.exchange_guid), self.legacy_dn, self.sam,
        )  # fmt: skip
        return frozenset(form.lower() for form in forms)


@attrs.define(eq=False)
class Recipient:
    """What has an address and no mailbox: *recipient_type* is ``MailContact``, ``MailUser`` or
    ``DynamicDistributionGroup``."""

    name: str
    recipient_type: str
    smtp: str
    guid: uuid.UUID
    domain: str

    @property
    def dn(self) -> str:
        return f"CN={self.name},CN=Users,{_dc(self.domain)}"

    @property
    def canonical(self) -> str:
        return f"{self.domain}/Users/{self.name}"

    @property
    def names(self) -> frozenset[str]:
        """As ``Mailbox.names``."""
        forms = (self.name, self.dn, self.canonical, str(self.guid), self.smtp)
        return frozenset(form.lower() for form in forms if form)


@attrs.define(eq=False)
class Group(Recipient):
    """A group with its direct members, who may be groups too, even each other's.

    A distribution group has an address; a security group (*recipient_type* ``Group``) has none.
    """

    members: tuple[Mailbox | Recipient, ...] = ()


class Directory:
    """What the domain controller holds. Changes are written with the world's time, so that readers may be late."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        rng = random.Random(f"{seed}:directory")
        self.domain = scenario.domain
        self.organisation = scenario.organisation
        self.dc = scenario.dc
        self.mailboxes = _mailboxes(scenario, rng)
        self._by_name: dict[str, list[Mailbox]] = {}
        for mailbox in self.mailboxes:
            for name in mailbox.names:
                self._by_name.setdefault(name, []).append(mailbox)
        people = {mailbox.display_name: mailbox for mailbox in reversed(self.mailboxes)}
        self.groups = tuple(_group(data, _guid(rng), scenario.domain) for data in scenario.groups)
        self._seed = seed
        global_guid = _guid(rng)
        self.global_policy = Policy(
            f"GlobalThrottlingPolicy_{global_guid}", _guid(rng), "Global", EVER, [(EVER, dict(GLOBAL_VALUES))]
        )
        self.recipients = tuple(
            Recipient(name, kind, f"{name.lower().replace(' ', '.')}@{scenario.domain}", _guid(rng), scenario.domain)
            for name, kind in scenario.recipients.items()
        )
        anyone: dict[str, Mailbox | Recipient] = {**people}
        anyone |= {recipient.name: recipient for recipient in (*self.recipients, *self.groups)}
        for group, held in zip(self.groups, scenario.groups, strict=True):
            group.members = tuple(anyone[name] for name in held.members)
        self._policies: dict[uuid.UUID, Policy] = {self.global_policy.guid: self.global_policy}
        self._removed: dict[uuid.UUID, Policy] = {}
        for data in scenario.policies:
            values = {name: str(value) for name, value in data.values.items()}
            policy = self.add_policy(data.name, "Regular", values, EVER)
            for user in data.users:
                mailbox = people[user]
                mailbox.history = [(EVER, attrs.evolve(mailbox.access, policy=policy.guid))]

    def find_mailboxes(self, identity: str) -> tuple[Mailbox, ...]:
        """The mailboxes of which *identity* is a name: none, one, or several."""
        return tuple(self._by_name.get(identity.strip().lower(), ()))

    def find_groups(self, identity: str) -> tuple[Group, ...]:
        wanted = identity.strip().lower()
        return tuple(group for group in self.groups if wanted in group.names)

    def members_of(self, dn: str) -> tuple[Mailbox | Recipient, ...]:
        """The direct members of the group of that distinguished name; none where there is no such group."""
        return next((group.members for group in self.groups if group.dn.lower() == dn), ())

    @property
    def policies(self) -> tuple[Policy, ...]:
        return tuple(self._policies.values())

    def find_policy(self, identity: str) -> Policy | None:
        wanted = identity.strip().lower()
        for policy in self._policies.values():
            if wanted in (policy.name.lower(), str(policy.guid), self.policy_dn(policy).lower()):
                return policy
        return None

    def policy(self, guid: uuid.UUID | None) -> Policy | None:
        """A policy by its Guid, also one that is gone but not yet forgotten by every worker process."""
        if guid is None:
            return None
        return self._policies.get(guid) or self._removed.get(guid)

    def policy_dn(self, policy: Policy) -> str:
        return (
            f"CN={policy.name},CN=Global Settings,CN={self.organisation},CN=Microsoft Exchange,CN=Services,"
            f"CN=Configuration,{_dc(self.domain)}"
        )

    def add_policy(self, name: str, scope: str, values: Mapping[str, str], time: float) -> Policy:
        # The Guid comes from what is known again after a restart, not from a counter that reads might move.
        guid = uuid.uuid5(uuid.NAMESPACE_OID, f"{self._seed}:{name}:{time}")
        policy = Policy(name, guid, scope, time, [(time, dict(values))])
        self._policies[guid] = policy
        return policy

    def remove_policy(self, policy: Policy) -> None:
        self._removed[policy.guid] = self._policies.pop(policy.guid)

    def users_of(self, policy: Policy) -> tuple[Mailbox, ...]:
        """The mailboxes that are associated with *policy*."""
        return tuple(mailbox for mailbox in self.mailboxes if mailbox.access.policy == policy.guid)

    def effective_policy(self, guid: uuid.UUID | None, time: float) -> tuple[Policy, Mapping[str, str]]:
        """The policy that rules a user who is associated with *guid*, and all its values, inherited ones too.

        Regular goes before Organization, that before Global; *time* is how old the knowledge of the values is.
        """
        merged = dict(self.global_policy.values_at(time))
        ruling = self.global_policy
        layers = [policy for policy in self._policies.values() if policy.scope == "Organization"]
        own = self.policy(guid)
        for policy in layers if own is None else [*layers, own]:
            merged.update(policy.values_at(time))
            ruling = policy
        return ruling, merged


def _mailboxes(scenario: Scenario, rng: random.Random) -> tuple[Mailbox, ...]:
    databases = {server.name: server.database for server in scenario.servers}
    servers = [server.name for server in scenario.servers]
    contacts = {storm.user: storm.folder for storm in scenario.storms}
    named = {storm.user: storm.server for storm in scenario.storms}
    for special in (scenario.heavy, scenario.first_sync):
        if special is not None:
            named[special.user] = special.server
    others = {*scenario.recipients, *(group.name for group in scenario.groups)}
    listed = [member for group in scenario.groups for member in group.members if member not in others]
    listed += [user for policy in scenario.policies for user in policy.users]
    for index, user in enumerate(dict.fromkeys(listed)):
        named.setdefault(user, servers[index % len(servers)])
    crowd = people(rng, frozenset(named))
    found: list[Mailbox] = []
    accounts: set[str] = set()
    for index in range(max(scenario.mailboxes, len(named))):
        if index < len(named):
            person, server = list(named.items())[index]
        elif index == len(named) + 1:
            person, server = found[-1].display_name, servers[index % len(servers)]  # two people of one name
        else:
            person, server = next(crowd), servers[index % len(servers)]
        found.append(_mailbox(scenario, rng, person, server, databases[server], contacts.get(person), accounts, found))
    for server in servers:
        name = f"HealthMailbox{rng.getrandbits(128):032x}"
        found.append(
            attrs.evolve(
                _mailbox(scenario, rng, name, server, databases[server], 0, accounts, found),
                alias=name, sam=f"HM{name[13:27]}", smtp=f"{name}@{scenario.domain}", monitoring=True,
                unit="Microsoft Exchange System Objects/Monitoring Mailboxes",
            )
        )  # fmt: skip
    return tuple(found)


def _mailbox(
    scenario: Scenario,
    rng: random.Random,
    person: str,
    server: str,
    database: str,
    contacts: int | None,
    accounts: set[str],
    others: list[Mailbox],
) -> Mailbox:
    first, _, last = person.lower().partition(" ")
    alias = f"{first}.{last}" if last else first
    account = f"{first[0]}{last}" if last else first[:20]
    twins = sum(1 for other in others if other.display_name == person)
    if twins:
        alias += str(twins + 1)
    number = 1
    base = account
    while account in accounts:
        number += 1
        account = f"{base}{number}"
    accounts.add(account)
    return Mailbox(
        # A name is unique in its folder of the directory; a display name is not.
        name=person if not twins else f"{person} {twins + 1}",
        display_name=person,
        alias=alias,
        sam=account,
        smtp=f"{alias}@{scenario.domain}",
        guid=_guid(rng),
        exchange_guid=_guid(rng),
        sid=f"S-1-5-21-1004336348-1177238915-682003330-{1100 + len(others)}",
        server=server,
        database=database,
        contacts=contacts if contacts is not None else rng.randint(20, 480),
        items=rng.randint(900, 24_000),
        unit="Users" if rng.random() < 0.8 else "Staff/Branch",
        netbios=scenario.netbios,
        domain=scenario.domain,
    )


def _group(data: GroupData, guid: uuid.UUID, domain: str) -> Group:
    if data.security:
        return Group(data.name, "Group", "", guid, domain)
    address = f"{data.name.lower().replace(' ', '.')}@{domain}"
    return Group(data.name, "MailUniversalDistributionGroup", address, guid, domain)


def _guid(rng: random.Random) -> uuid.UUID:
    return uuid.UUID(int=rng.getrandbits(128), version=4)


def _dc(domain: str) -> str:
    return ",".join(f"DC={part}" for part in domain.split("."))


def visible(mailboxes: tuple[Mailbox, ...], *, monitoring: bool) -> Iterator[Mailbox]:
    """Health mailboxes are shown when asked for, and then alone."""
    return (mailbox for mailbox in mailboxes if mailbox.monitoring == monitoring)
