"""Mailboxes: a name, an address or DOMAIN\\user to its one mailbox."""

from __future__ import annotations

from typing import Final

import attrs

from easops.errors import BadInput, CommandFailed, EasopsError, UnexpectedAnswer
from easops.exchange.directory import directory_read
from easops.exchange.properties import required, text
from easops.remoting.result import RemoteObject
from easops.remoting.session import Session

_NAMES: Final = (
    "Guid ExchangeGuid Name DisplayName Alias SamAccountName UserPrincipalName DistinguishedName LegacyExchangeDN "
    "PrimarySmtpAddress WindowsEmailAddress Identity"
).split()


class AmbiguousMailbox(EasopsError):
    """One name, several mailboxes: nothing may be done to any of them by that name."""


@attrs.frozen
class Mailbox:
    """One mailbox. *server* is its mailbox server's name, *throttling_policy* the text of the associated policy
    (None: the default applies)."""

    guid: str
    name: str
    display_name: str
    primary_smtp_address: str
    alias: str
    server: str
    database: str
    throttling_policy: str | None
    names: frozenset[str] = attrs.field(repr=False)

    @property
    def is_health_mailbox(self) -> bool:
        """Whether it is one of Managed Availability's own, which are always protected."""
        return self.name.lower().startswith("healthmailbox")

    def answers_to(self, identity: str) -> bool:
        """Whether *identity* is one of this mailbox's names, without regard to case."""
        wanted = identity.strip().lower()
        return wanted in self.names or wanted.rpartition("\\")[2] in self.names


def find_mailbox(session: Session, identity: str, *, domain_controller: str | None = None) -> Mailbox | None:
    """The one mailbox of *identity* (name, alias, address, UPN, DOMAIN\\user, Guid or DN), or None.

    Raises:
        BadInput: an empty identity, which Exchange would answer with all mailboxes.
        AmbiguousMailbox: several mailboxes.
        UnexpectedAnswer: the one that came back has no such name.

    Source: Get-Mailbox (2010 to SE); on null identities, the caution on every Get- page.
    """
    if not identity.strip():
        raise BadInput("a mailbox needs a name", "an empty identity means all mailboxes to Exchange", "name one")
    command = directory_read("Get-Mailbox", {"Identity": identity, "ResultSize": "2"}, domain_controller)
    try:
        found = tuple(_mailbox(item) for item in session.invoke(command).objects())
    except CommandFailed as error:
        if error.has_exception("ManagementObjectNotFoundException"):
            return None
        if error.has_exception("ManagementObjectAmbiguousException"):
            raise AmbiguousMailbox(
                f"{identity!r} is several mailboxes", error.why, "name the one by its address or Guid"
            ) from None
        raise
    if len({mailbox.guid for mailbox in found}) > 1:
        raise AmbiguousMailbox(
            f"{identity!r} is several mailboxes",
            " and ".join(sorted(mailbox.primary_smtp_address for mailbox in found)),
            "name the one by its address or Guid",
        )
    if found and not found[0].answers_to(identity):
        raise UnexpectedAnswer(
            f"asked for mailbox {identity!r}, the server gave {found[0].primary_smtp_address}",
            "none of that mailbox's names is the one asked for",
            "nothing was done; report it with this text",
        )
    return found[0] if found else None


def require_mailbox(session: Session, identity: str, *, domain_controller: str | None = None) -> Mailbox:
    """As ``find_mailbox``, and BadInput where there is none."""
    found = find_mailbox(session, identity, domain_controller=domain_controller)
    if found is None:
        raise BadInput(
            f"there is no mailbox {identity!r}",
            f"Exchange found none ({session.host})",
            "give an address, an alias, DOMAIN\\user or a Guid",
        )
    return found


def _mailbox(item: RemoteObject) -> Mailbox:
    names = {text(item, name) for name in _NAMES}
    addresses = item.get("EmailAddresses")
    if isinstance(addresses, tuple):
        names |= {str(address).partition(":")[2] or str(address) for address in addresses}
    policy = text(item, "ThrottlingPolicy")
    return Mailbox(
        guid=required(item, "Guid").lower(),
        name=required(item, "Name"),
        display_name=text(item, "DisplayName"),
        primary_smtp_address=required(item, "PrimarySmtpAddress"),
        alias=text(item, "Alias"),
        server=text(item, "ServerName"),
        database=text(item, "Database"),
        throttling_policy=policy or None,
        names=frozenset(name.lower() for name in names if name),
    )
