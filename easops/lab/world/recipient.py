"""Mailboxes, groups, and whatever else has an address."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import attrs

from easops.lab.world.product import Product
from easops.lab.world.replication import Write


@attrs.frozen
class ClientAccess:
    """What a mailbox may do over ActiveSync. *policy* is its associated throttling policy; None: the default."""

    policy: uuid.UUID | None = None
    active_sync: bool = True
    blocked: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()


@attrs.define(eq=False)
class Mailbox:
    """One mailbox: its settings at the *beginning* of the world, and each change to them.

    *linked* is the account of another forest, as ``DOMAIN\\user``, to whose owner it belongs; empty if there is none.
    """

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
    linked: str = ""
    beginning: ClientAccess = ClientAccess()
    history: list[Write] = attrs.field(factory=list)

    @property
    def dn(self) -> str:
        units = ",".join(f"OU={part}" if part != "Users" else "CN=Users" for part in reversed(self.unit.split("/")))
        return f"CN={self.name},{units},{domain_dn(self.domain)}"

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
        """Everything that Exchange accepts as the identity of this mailbox, in lower case."""
        forms = (
            self.name, self.display_name, self.alias, self.dn, self.canonical, f"{self.netbios}\\{self.sam}",
            self.smtp, self.old_smtp, str(self.guid), str(self.exchange_guid), self.legacy_dn, self.sam,
        )  # fmt: skip
        return frozenset(form.lower() for form in forms)


@attrs.define(eq=False)
class Recipient:
    """Something that has an address but no mailbox.

    *recipient_type* is ``MailContact``, ``MailUser`` or ``DynamicDistributionGroup``.
    """

    name: str
    recipient_type: str
    smtp: str
    guid: uuid.UUID
    domain: str

    @property
    def dn(self) -> str:
        return f"CN={self.name},CN=Users,{domain_dn(self.domain)}"

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
    """A group with its direct members. Groups may be members of each other.

    A distribution group has an address; a security group (*recipient_type* ``Group``) has none.
    """

    members: tuple[Mailbox | Recipient, ...] = ()


def domain_dn(domain: str) -> str:
    """The distinguished name of a domain."""
    return ",".join(f"DC={part}" for part in domain.split("."))


def visible(mailboxes: tuple[Mailbox, ...], *, monitoring: bool) -> Iterator[Mailbox]:
    """The ordinary mailboxes or, for *monitoring*, the health mailboxes: a server never shows both together."""
    return (mailbox for mailbox in mailboxes if mailbox.monitoring == monitoring)
