"""The mailboxes of an organisation, made up from its scenario and a seed."""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping

import attrs

from easops.lab.world.names import people
from easops.lab.world.product import PRODUCTS
from easops.lab.world.recipient import Mailbox
from easops.lab.world.scenario import Scenario, ServerData


def make_mailboxes(scenario: Scenario, rng: random.Random) -> tuple[Mailbox, ...]:
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
    listed += [happening.user for happening in scenario.happenings if happening.user is not None]
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
    child = next((domain for domain in scenario.domains if person in domain.users), None)
    return Mailbox(
        # A name is unique in its folder of the directory; a display name is not.
        name=person if not twins else f"{person} {twins + 1}",
        display_name=person,
        alias=alias,
        sam=account,
        smtp=f"{alias}@{scenario.domain}",
        guid=random_guid(rng),
        exchange_guid=random_guid(rng),
        sid=f"S-1-5-21-1004336348-1177238915-682003330-{1100 + len(others)}",
        server=server.name,
        database=server.database,
        product=PRODUCTS[server.version],
        contacts=contacts if contacts is not None else rng.randint(20, 480),
        items=rng.randint(900, 24_000),
        unit="Users" if rng.random() < 0.8 else "Staff/Branch",
        netbios=scenario.netbios if child is None else child.netbios,
        domain=scenario.domain if child is None else child.name,
        linked=f"{scenario.accounts.netbios}\\{account}" if person in scenario.accounts.users else "",
    )


def random_guid(rng: random.Random) -> uuid.UUID:
    return uuid.UUID(int=rng.getrandbits(128), version=4)
