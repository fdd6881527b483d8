"""Client access settings of a mailbox: whether it may use ActiveSync at all."""

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
    """The ActiveSync settings of one mailbox."""

    guid: str
    name: str
    primary_smtp_address: str
    active_sync_enabled: bool
    blocked_device_ids: tuple[str, ...]
    allowed_device_ids: tuple[str, ...]


def get_cas_mailbox(session: Session, mailbox: str, *, domain_controller: str | None = None) -> CasMailbox:
    """The settings of one mailbox, by its Guid or any of its names.

    Raises CommandFailed where there is none, UnexpectedAnswer where several came back.
    Source: Get-CASMailbox (2010 to SE).
    """
    command = directory_read("Get-CASMailbox", {"Identity": mailbox}, domain_controller)
    found = session.invoke(command).objects()
    if len(found) != 1:
        raise UnexpectedAnswer(
            f"asked for one mailbox, {mailbox!r}", f"the server gave {len(found)}", "name it by its Guid"
        )
    item = found[0]
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
    """Let a mailbox use ActiveSync, or not.

    Written is not effective: a Direct Push device may go on for hours unless the pools that serve it are recycled.

    Raises UnreachableHost, CommandFailed, and OutcomeUnknown (read before sending it again).
    Source: Set-CASMailbox -ActiveSyncEnabled (2010 to SE); KB 2612821 for the delay.
    """
    parameters = {"Identity": mailbox, "ActiveSyncEnabled": enabled}
    session.invoke(directory_change("Set-CASMailbox", parameters, domain_controller))


def block_by_hand(version: Version, user: str) -> str | None:
    """How an administrator turns ActiveSync off for a mailbox of a version without remote PowerShell; None for others.

    Source: Set-CASMailbox (2007); the mobile features of a user in Active Directory (2003).
    """
    if version == "2007":
        command = pipeline(Command("Set-CASMailbox", {"Identity": user, "ActiveSyncEnabled": False}))
        return f"on that server itself, in the Exchange Management Shell, {command} blocks the user"
    if version == "2003":
        return "the user's tab Exchange Features in Active Directory Users and Computers blocks the user"
    return None


def _texts(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(str(item) for item in value) if isinstance(value, tuple) else (str(value),)
