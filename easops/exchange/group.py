"""Groups: a name to its one group, and a group to what is in it.

Members are asked for by the back link of the directory (``MemberOfGroup``), not one by one from the group's Members:
one call gives all of a group however large it is, where Members are mere distinguished names, and may be cut.
Source: Get-Group, Get-Recipient, and "Filterable properties for the Filter parameter", MemberOfGroup (2010 to SE).
"""

from __future__ import annotations

from typing import Final

import attrs

from easops.errors import BadInput, CommandFailed, EasopsError, UnexpectedAnswer
from easops.exchange.directory import directory_read
from easops.exchange.properties import required, text
from easops.remoting.command import Command
from easops.remoting.result import RemoteObject
from easops.remoting.session import Session

_NAMES: Final = "Guid Name DisplayName SamAccountName DistinguishedName WindowsEmailAddress Identity".split()


class AmbiguousGroup(EasopsError):
    """One name, several groups."""


@attrs.frozen
class Group:
    """A security or a distribution group. A dynamic distribution group is none: it has no members, only a filter."""

    guid: str
    name: str
    distinguished_name: str
    names: frozenset[str] = attrs.field(repr=False)


@attrs.frozen
class Recipient:
    """What has an address. *type* is as Exchange names it: ``UserMailbox``, ``MailContact``, ``MailUser``,
    ``DynamicDistributionGroup``, ``MailUniversalDistributionGroup`` and others."""

    guid: str
    name: str
    type: str


def find_group(session: Session, identity: str, *, domain_controller: str | None = None) -> Group | None:
    """The one group of *identity* (name, account name, address, Guid or distinguished name), or None.

    Raises:
        BadInput: an empty identity, which Exchange would answer with all groups.
        AmbiguousGroup: several groups.
        UnexpectedAnswer: the one that came back has no such name.
    """
    if not identity.strip():
        raise BadInput("a group needs a name", "an empty identity means all groups to Exchange", "name one")
    command = directory_read("Get-Group", {"Identity": identity, "ResultSize": "2"}, domain_controller)
    try:
        found = tuple(_group(item) for item in session.invoke(command).objects())
    except CommandFailed as error:
        if error.has_exception("ManagementObjectNotFoundException"):
            return None
        if error.has_exception("ManagementObjectAmbiguousException"):
            raise AmbiguousGroup(f"{identity!r} is several groups", error.why, "name the one by its Guid") from None
        raise
    if len({group.guid for group in found}) > 1:
        several = " and ".join(sorted(group.distinguished_name for group in found))
        raise AmbiguousGroup(f"{identity!r} is several groups", several, "name the one by its Guid")
    wanted = identity.strip().lower()
    if found and not {wanted, wanted.rpartition("\\")[2]} & found[0].names:
        raise UnexpectedAnswer(
            f"asked for group {identity!r}, the server gave {found[0].name}",
            "none of that group's names is the one asked for",
            "write its name or its Guid",
        )
    return found[0] if found else None


def find_recipient(session: Session, identity: str, *, domain_controller: str | None = None) -> Recipient | None:
    """What *identity* is, if it has an address at all; the first where it is several."""
    command = directory_read("Get-Recipient", {"Identity": identity, "ResultSize": "1"}, domain_controller)
    try:
        found = session.invoke(command).objects()
    except CommandFailed as error:
        if error.has_exception("ManagementObjectNotFoundException"):
            return None
        raise
    return _recipient(found[0]) if found else None


def list_member_recipients(
    session: Session, group: Group, *, domain_controller: str | None = None
) -> tuple[Recipient, ...]:
    """The direct members that have an address: mailboxes, contacts, distribution groups."""
    command = _members("Get-Recipient", group, domain_controller)
    return tuple(_recipient(item) for item in session.invoke(command).objects())


def list_member_groups(session: Session, group: Group, *, domain_controller: str | None = None) -> tuple[Group, ...]:
    """The groups that are direct members, with an address or without."""
    command = _members("Get-Group", group, domain_controller)
    return tuple(_group(item) for item in session.invoke(command).objects())


def _members(cmdlet: str, group: Group, domain_controller: str | None) -> Command:
    """OPATH is a language of its own, and takes no parameters: a quotation mark is doubled, as it asks for."""
    name = group.distinguished_name.replace("'", "''")
    parameters = {"Filter": f"MemberOfGroup -eq '{name}'", "ResultSize": "Unlimited"}
    return directory_read(cmdlet, parameters, domain_controller)


def _group(item: RemoteObject) -> Group:
    names = {text(item, name).lower() for name in _NAMES}
    return Group(
        guid=required(item, "Guid").lower(),
        name=required(item, "Name"),
        distinguished_name=required(item, "DistinguishedName"),
        names=frozenset(names - {""}),
    )


def _recipient(item: RemoteObject) -> Recipient:
    return Recipient(required(item, "Guid").lower(), required(item, "Name"), required(item, "RecipientType"))
