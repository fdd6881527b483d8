"""The folders of a mailbox: how many contacts it has."""

from __future__ import annotations

from easops.errors import UnexpectedAnswer
from easops.exchange.directory import directory_read
from easops.remoting.session import Session


def count_contacts(session: Session, mailbox: str, *, domain_controller: str | None = None) -> int:
    """The number of items in the contacts folder of *mailbox* and in the folders below it.

    Raises UnreachableHost, CommandFailed, OutcomeUnknown, UnexpectedAnswer.
    Source: Get-MailboxFolderStatistics -FolderScope Contacts, ItemsInFolder (2010 to SE).
    """
    command = directory_read(
        "Get-MailboxFolderStatistics", {"Identity": mailbox, "FolderScope": "Contacts"}, domain_controller
    )
    counts = [item.get("ItemsInFolder") for item in session.invoke(command).objects()]
    if not all(isinstance(count, int) for count in counts):
        raise UnexpectedAnswer("ItemsInFolder is not a number", f"the server answered {counts!r}")
    return sum(counts)
