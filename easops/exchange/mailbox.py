"""Mailboxes: the one mailbox of a name, an address or DOMAIN\\user."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import attrs

from easops.errors import BadInput, CommandFailed, EasopsError, UnexpectedAnswer
from easops.exchange.directory import FOREST_VIEW, directory_read, domain_of, view_entire_forest
from easops.exchange.directory_name import matches
from easops.exchange.properties import required, text
from easops.remoting.command import Command, Pipeline
from easops.remoting.result import RemoteObject
from easops.remoting.session import Session

_NAMES: Final = (
    "Guid ExchangeGuid Name DisplayName Alias SamAccountName UserPrincipalName DistinguishedName LegacyExchangeDN "
    "PrimarySmtpAddress WindowsEmailAddress LinkedMasterAccount Identity"
).split()


MOST_LINKED: Final = 5000
"""Linked mailboxes that are listed to find the one of an account of another forest."""

_DELETED: Final = re.compile(r"(?i)(?:/Deleted Objects/|\bCN=)([^/\n]*?)(?:\\0A|\s*\n\s*)DEL:[0-9a-f-]+")
"""A reference to a deleted object: its name, a line feed (``\\0A`` in a distinguished name), and DEL: with its Guid."""


class DoubtfulMailbox(UnexpectedAnswer):
    """The server returned a mailbox that does not have the name that was asked for. Nothing is known about the name;
    other names are not affected."""


class AmbiguousMailbox(EasopsError):
    """Several mailboxes have this name, so nothing may be changed by it."""


@attrs.frozen
class Mailbox:
    """One mailbox.

    *guid* is in lower case; *name*, *display_name*, *alias* and *primary_smtp_address* are as Exchange has them,
    and *names* are all its names and addresses, in lower case: those that find it. *server* is the name of its
    mailbox server, *database* that of its database. *throttling_policy* is the text of the policy associated with
    it; None if the default policy applies. *domain* is the DNS name of its domain, in lower case; empty if the
    server does not say. *deleted_policy* is the name of a throttling policy that the mailbox still refers to
    although it was deleted: it has no policy of its own then.
    """

    guid: str
    name: str
    display_name: str
    primary_smtp_address: str
    alias: str
    server: str
    database: str
    throttling_policy: str | None
    names: frozenset[str] = attrs.field(repr=False)
    domain: str = ""
    deleted_policy: str = ""

    @property
    def is_health_mailbox(self) -> bool:
        """Whether it belongs to Managed Availability, Exchange's own monitoring. easops never acts on those."""
        return self.name.lower().startswith("healthmailbox")

    def answers_to(self, identity: str) -> bool:
        """Whether *identity* is one of this mailbox's names, with or without ``DOMAIN\\``, as the directory compares
        them: without regard to case and diacritics."""
        return matches(identity, self.names)


def find_mailbox(session: Session, identity: str, *, domain_controller: str | None = None) -> Mailbox | None:
    """The one mailbox of *identity*: a name, alias, address, UPN, DOMAIN\\user, Guid or DN. None if there is none.

    Raises:
        BadInput: *identity* is empty; Exchange would return all mailboxes.
        AmbiguousMailbox: several mailboxes have this name.
        DoubtfulMailbox: the server returned a mailbox that does not have this name.
        UnreachableHost, CommandFailed, OutcomeUnknown: as any reading.

    A session sees its own domain, and a domain controller has only the users of its own. So a name that is not found
    there is looked for once more in the whole forest, without a domain controller.

    Source: Get-Mailbox, Set-ADServerSettings -ViewEntireForest (2010 to SE); for an empty identity, the caution on the
    page of every Get- cmdlet.
    """
    if not identity.strip():
        raise BadInput("the name of the mailbox is empty", "to Exchange that means all mailboxes", "name one mailbox")
    found = _find(session, identity, domain_controller)
    if found is None and view_entire_forest(session):
        found = _find(session, identity, None)
    return found


def _find(session: Session, identity: str, domain_controller: str | None) -> Mailbox | None:
    command = directory_read("Get-Mailbox", {"Identity": identity, "ResultSize": "2"}, domain_controller)
    try:
        mailboxes = tuple(_mailbox(item) for item in session.invoke(command).objects())
    except CommandFailed as error:
        if error.has_exception("ManagementObjectNotFoundException"):
            return None
        if error.has_exception("ManagementObjectAmbiguousException"):
            raise AmbiguousMailbox(
                f"several mailboxes are called {identity!r}", error.why, "name the mailbox by its address or Guid"
            ) from None
        raise
    if len({mailbox.guid for mailbox in mailboxes}) > 1:
        raise AmbiguousMailbox(
            f"several mailboxes are called {identity!r}",
            " and ".join(sorted(mailbox.primary_smtp_address for mailbox in mailboxes)),
            "name the mailbox by its address or Guid",
        )
    if mailboxes and not mailboxes[0].answers_to(identity):
        # Checked, whatever the server matched by: a change must never reach a mailbox that nobody named.
        raise DoubtfulMailbox(
            f"for the mailbox {identity!r} the server returned {mailboxes[0].primary_smtp_address}",
            "that mailbox does not have this name",
            "nothing was done; report it with this text",
        )
    return mailboxes[0] if mailboxes else None


def list_linked_accounts(session: Session, *, domain_controller: str | None = None) -> Mapping[str, tuple[str, ...]]:
    """The accounts of other forests that linked mailboxes belong to, as ``domain\\user`` in lower case, and the Guids
    of the mailboxes of each.

    Raises UnexpectedAnswer if there are more than MOST_LINKED, and UnreachableHost, CommandFailed, OutcomeUnknown.
    Source: Get-Mailbox -RecipientTypeDetails LinkedMailbox, LinkedMasterAccount (2010 to SE), which no filter of the
    server's takes.
    """
    parameters = {"RecipientTypeDetails": "LinkedMailbox", "ResultSize": str(MOST_LINKED + 1)}
    # A domain controller has the users of its own domain only; a linked mailbox may be in any domain of the forest.
    controller = None if view_entire_forest(session) else domain_controller
    listing = directory_read("Get-Mailbox", parameters, controller)
    selection = Command("Select-Object", {"Property": ["Guid", "LinkedMasterAccount"]}, reads=True)
    items = session.invoke(Pipeline(((listing, selection),))).objects()
    if len(items) > MOST_LINKED:
        raise UnexpectedAnswer(
            f"there are more than {MOST_LINKED:,} linked mailboxes",
            "to list them all would be a load for the servers",
            "find the mailbox of the account by hand: Get-Mailbox, property LinkedMasterAccount",
        )
    accounts: dict[str, tuple[str, ...]] = {}
    for item in items:
        account = text(item, "LinkedMasterAccount").lower()
        if account:
            accounts[account] = (*accounts.get(account, ()), required(item, "Guid").lower())
    return accounts


def require_mailbox(session: Session, identity: str, *, domain_controller: str | None = None) -> Mailbox:
    """As ``find_mailbox``, but it raises BadInput if there is none."""
    mailbox = find_mailbox(session, identity, domain_controller=domain_controller)
    if mailbox is None:
        raise BadInput(
            f"there is no mailbox {identity!r}",
            f"Exchange found none in {_scope(session)} ({session.host})",
            "give an address, an alias, DOMAIN\\user or a Guid",
        )
    return mailbox


def _scope(session: Session) -> str:
    return "the domain that this session sees" if FOREST_VIEW in session.lacks else "the forest"


def _mailbox(item: RemoteObject) -> Mailbox:
    names = {text(item, name) for name in _NAMES}
    addresses = item.get("EmailAddresses")
    if isinstance(addresses, tuple):
        names |= {str(address).partition(":")[2] or str(address) for address in addresses}
    policy = text(item, "ThrottlingPolicy")
    deleted = _DELETED.search(policy)
    return Mailbox(
        guid=required(item, "Guid").lower(),
        name=required(item, "Name"),
        display_name=text(item, "DisplayName"),
        primary_smtp_address=required(item, "PrimarySmtpAddress"),
        alias=text(item, "Alias"),
        server=text(item, "ServerName"),
        database=text(item, "Database"),
        throttling_policy=(policy or None) if deleted is None else None,
        names=frozenset(name.lower() for name in names if name),
        domain=domain_of(text(item, "DistinguishedName")),
        deleted_policy="" if deleted is None else deleted[1].strip(),
    )
