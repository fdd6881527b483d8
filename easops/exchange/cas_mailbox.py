"""The client access settings of a mailbox: whether it may use ActiveSync at all."""

from __future__ import annotations

import attrs

from easops.errors import UnexpectedAnswer
from easops.exchange.directory import directory_change, directory_read
from easops.exchange.properties import boolean, required, text
from easops.inventory.host import Version
from easops.remoting.command import Command, pipeline
from easops.remoting.session import Session


@attrs.frozen
class CasMailbox:
    """The ActiveSync settings of one mailbox.

    *guid*, *name* and *primary_smtp_address* are those of the mailbox; *guid* is in lower case. *active_sync_enabled*
    says whether it may use ActiveSync, *blocked_device_ids* and *allowed_device_ids* which devices may not or may.
    """

    guid: str
    name: str
    primary_smtp_address: str
    active_sync_enabled: bool
    blocked_device_ids: tuple[str, ...]
    allowed_device_ids: tuple[str, ...]


def get_cas_mailbox(session: Session, mailbox: str, *, domain_controller: str | None = None) -> CasMailbox:
    """The settings of one mailbox, named by its Guid or any of its names.

    Raises:
        CommandFailed: there is no such mailbox.
        UnexpectedAnswer: the server returned several, or a shape that easops does not know.
        UnreachableHost, OutcomeUnknown: as any reading.

    Source: Get-CASMailbox (2010 to SE).
    """
    command = directory_read("Get-CASMailbox", {"Identity": mailbox}, domain_controller)
    items = session.invoke(command).objects()
    if len(items) != 1:
        raise UnexpectedAnswer(
            f"{mailbox!r} is not one mailbox", f"the server returned {len(items)}", "name the mailbox by its Guid"
        )
    item = items[0]
    return CasMailbox(
        guid=text(item, "Guid").lower(),
        name=required(item, "Name"),
        primary_smtp_address=text(item, "PrimarySmtpAddress"),
        active_sync_enabled=boolean(item, "ActiveSyncEnabled"),
        blocked_device_ids=_texts(item.get("ActiveSyncBlockedDeviceIDs")),
        allowed_device_ids=_texts(item.get("ActiveSyncAllowedDeviceIDs")),
    )


def set_active_sync_enabled(
    session: Session, mailbox: str, enabled: bool, *, domain_controller: str | None = None
) -> None:
    """Allow a mailbox to use ActiveSync, or forbid it.

    It may take effect hours later: a Direct Push device goes on until the pools that serve it are recycled.

    Raises:
        UnreachableHost: nothing was sent.
        CommandFailed: Exchange refused it, for instance because there is no such mailbox.
        OutcomeUnknown: it may have been written; read the settings before you send it again.

    Source: Set-CASMailbox -ActiveSyncEnabled (2010 to SE); KB 2612821 for the delay.
    """
    parameters = {"Identity": mailbox, "ActiveSyncEnabled": enabled}
    session.invoke(directory_change("Set-CASMailbox", parameters, domain_controller))


def block_by_hand(version: Version, user: str) -> str | None:
    """How an administrator turns ActiveSync off for a mailbox of a version without remote PowerShell; else None.

    Source: Set-CASMailbox (2007); the mobile features of a user in Active Directory (2003).
    """
    if version == "2007":
        command = pipeline(Command("Set-CASMailbox", {"Identity": user, "ActiveSyncEnabled": False}))
        return f"to block the user, run in the Exchange Management Shell on that server: {command}"
    if version == "2003":
        return "to block the user, use the tab Exchange Features of the user in Active Directory Users and Computers"
    return None


def _texts(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(str(item) for item in value) if isinstance(value, tuple) else (str(value),)
