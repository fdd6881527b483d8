"""The directory: mailboxes, groups and throttling policies, and every change of them; ``View`` is what is seen of it
where and when."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Mapping

import attrs

from easops.lab.world.names import people
from easops.lab.world.product import PRODUCTS, Model, Product
from easops.lab.world.replication import EVER, Replication, Write
from easops.lab.world.scenario import GroupData, Scenario, ServerData
from easops.lab.world.throttling import DEFAULT_PERCENTS, GLOBAL_VALUES, Policy


@attrs.frozen
class ClientAccess:
    """What a mailbox may do over ActiveSync. *policy* is the associated throttling policy, None the default."""

    policy: uuid.UUID | None = None
    active_sync: bool = True
    blocked: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()


@attrs.define(eq=False)
class Mailbox:
    """One mailbox: its settings at the *beginning*, and each change of them."""

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
    product: Product
    monitoring: bool = False
    beginning: ClientAccess = ClientAccess()
    history: list[Write] = attrs.field(factory=list)

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
    """What the domain controllers hold. Changes are written with the world's time, so that readers may be late.

    *defaults* are the policies of users without one: the Global one of 2013 and later, the default one of 2010.
    """

    def __init__(self, scenario: Scenario, seed: int) -> None:
        rng = random.Random(f"{seed}:directory")
        self.domain = scenario.domain
        self.organisation = scenario.organisation
        self.replication = Replication(scenario.dcs, scenario.replication)
        self.mailboxes = _mailboxes(scenario, rng)
        self._by_name: dict[str, list[Mailbox]] = {}
        for mailbox in self.mailboxes:
            for name in mailbox.names:
                self._by_name.setdefault(name, []).append(mailbox)
        people = {mailbox.display_name: mailbox for mailbox in reversed(self.mailboxes)}
        self.groups = tuple(_group(data, _guid(rng), scenario.domain) for data in scenario.groups)
        self._seed = seed
        global_guid = _guid(rng)
        always = Write(EVER, scenario.dc, GLOBAL_VALUES)
        global_policy = Policy(f"GlobalThrottlingPolicy_{global_guid}", _guid(rng), "Global", "budget", [always])
        default_guid = uuid.uuid5(uuid.NAMESPACE_OID, f"{seed}:default policy")
        always = Write(EVER, scenario.dc, DEFAULT_PERCENTS)
        default = Policy(f"DefaultThrottlingPolicy_{default_guid}", default_guid, "Regular", "percent", [always])
        models = {PRODUCTS[server.version].throttling for server in scenario.servers}
        self.defaults: dict[Model, Policy] = {
            policy.model: policy for policy in (default, global_policy) if policy.model in models
        }
        self.recipients = tuple(
            Recipient(name, kind, f"{name.lower().replace(' ', '.')}@{scenario.domain}", _guid(rng), scenario.domain)
            for name, kind in scenario.recipients.items()
        )
        anyone: dict[str, Mailbox | Recipient] = {**people}
        anyone |= {recipient.name: recipient for recipient in (*self.recipients, *self.groups)}
        for group, held in zip(self.groups, scenario.groups, strict=True):
            group.members = tuple(anyone[name] for name in held.members)
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
        """All that there ever were; ``View.policies`` has those that a domain controller holds."""
        return tuple(self._policies)

    def policy_dn(self, policy: Policy) -> str:
        return (
            f"CN={policy.name},CN=Global Settings,CN={self.organisation},CN=Microsoft Exchange,CN=Services,"
            f"CN=Configuration,{_dc(self.domain)}"
        )

    def add_policy(self, name: str, scope: str, model: Model, created: Write) -> Policy:
        # The Guid comes from what is known again after a restart, not from a counter that reads might move.
        guid = uuid.uuid5(uuid.NAMESPACE_OID, f"{self._seed}:{name}:{created.time}")
        policy = Policy(name, guid, scope, model, [created])
        self._policies.append(policy)
        return policy


def _mailboxes(scenario: Scenario, rng: random.Random) -> tuple[Mailbox, ...]:
    holders = {server.name: server for server in scenario.servers if server.database}
    servers = list(holders)
    homes = {server.name: _home(server, holders) for server in scenario.servers}
    contacts = {storm.user: storm.folder for storm in scenario.storms}
    named = {storm.user: homes[storm.server] for storm in scenario.storms}
    for special in (scenario.heavy, scenario.first_sync):
        if special is not None:
            named[special.user] = homes[special.server]
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
        found.append(_mailbox(scenario, rng, person, holders[server], contacts.get(person), accounts, found))
    # Managed Availability, whose health mailboxes these are, came with 2013.
    for server in (name for name, data in holders.items() if PRODUCTS[data.version].has_back_end):
        name = f"HealthMailbox{rng.getrandbits(128):032x}"
        found.append(
            attrs.evolve(
                _mailbox(scenario, rng, name, holders[server], 0, accounts, found),
                alias=name, sam=f"HM{name[13:27]}", smtp=f"{name}@{scenario.domain}", monitoring=True,
                unit="Microsoft Exchange System Objects/Monitoring Mailboxes",
            )
        )  # fmt: skip
    return tuple(found)


def _home(server: ServerData, holders: Mapping[str, ServerData]) -> str:
    """The server with the mailboxes of the phones that *server* serves: itself, or the first of its version."""
    if server.name in holders:
        return server.name
    return next(name for name, holder in holders.items() if holder.version == server.version)


def _mailbox(
    scenario: Scenario,
    rng: random.Random,
    person: str,
    server: ServerData,
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
        server=server.name,
        database=server.database,
        product=PRODUCTS[server.version],
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
