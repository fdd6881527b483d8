"""Groups: the one group of a name, and the members of a group.

Members are found by the directory's back link (``MemberOfGroup``) and not read from the group's Members: one call
returns all members of a group of any size, while Members only has distinguished names, and not always all of them.
Source: Get-Group, Get-Recipient, and "Filterable properties for the Filter parameter", MemberOfGroup (2010 to SE).
"""

from __future__ import annotations

from typing import Final

import attrs

from easops.errors import BadInput, CommandFailed, EasopsError, UnexpectedAnswer
from easops.exchange.directory import directory_read, domain_of, view_entire_forest
from easops.exchange.directory_name import matches
from easops.exchange.properties import required, text
from easops.remoting.command import Command
from easops.remoting.result import RemoteObject
from easops.remoting.session import Session

_NAMES: Final = "Guid Name DisplayName SamAccountName DistinguishedName WindowsEmailAddress Identity".split()


class AmbiguousGroup(EasopsError):
    """Several groups have this name."""


@attrs.frozen
class Group:
    """A security or a distribution group. A dynamic distribution group is not a Group: it has a filter, not members.

    *guid* is in lower case. *names* are all its names, in lower case: those that find it.
    *name* and *distinguished_name* are as the directory has them. *foreign* are the members in other domains: a domain
    controller of the group's own domain lists them by name, but does not have them.
    """

    guid: str
    name: str
    distinguished_name: str
    names: frozenset[str] = attrs.field(repr=False)
    foreign: tuple[str, ...] = ()

    @property
    def domain(self) -> str:
        """The DNS name of its domain, in lower case."""
        return domain_of(self.distinguished_name)


@attrs.frozen
class Recipient:
    """Anything that has a mail address.

    *guid* is in lower case, *name* is as the directory has it. *type* is Exchange's word: ``UserMailbox``,
    ``MailContact``, ``MailUser``, ``DynamicDistributionGroup``, ``MailUniversalDistributionGroup`` and others.
    """

    guid: str
    name: str
    type: str


def find_group(session: Session, identity: str, *, domain_controller: str | None = None) -> Group | None:
    """The one group of *identity*: a name, account name, address, Guid or distinguished name. None if there is none.
    What the domain controller does not have is looked for in the whole forest.

    Raises:
        BadInput: *identity* is empty; Exchange would return all groups.
        AmbiguousGroup: several groups have this name.
        UnexpectedAnswer: the server returned a group that does not have this name.
        UnreachableHost, CommandFailed, OutcomeUnknown: as any reading.
    """
    if not identity.strip():
        raise BadInput("the name of the group is empty", "to Exchange that means all groups", "name one group")
    found = _find_group(session, identity, domain_controller)
    if found is None and view_entire_forest(session):
        found = _find_group(session, identity, None)
    return found


def _find_group(session: Session, identity: str, domain_controller: str | None) -> Group | None:
    command = directory_read("Get-Group", {"Identity": identity, "ResultSize": "2"}, domain_controller)
    try:
        groups = tuple(_group(item) for item in session.invoke(command).objects())
    except CommandFailed as error:
        if error.has_exception("ManagementObjectNotFoundException"):
            return None
        if error.has_exception("ManagementObjectAmbiguousException"):
            raise AmbiguousGroup(
                f"several groups are called {identity!r}", error.why, "name the group by its Guid"
            ) from None
        raise
    if len({group.guid for group in groups}) > 1:
        names = " and ".join(sorted(group.distinguished_name for group in groups))
        raise AmbiguousGroup(f"several groups are called {identity!r}", names, "name the group by its Guid")
    if groups and not matches(identity, groups[0].names):
        # Checked, whatever the server matched by: a change must never reach a group that nobody named.
        raise UnexpectedAnswer(
            f"for the group {identity!r} the server returned {groups[0].name}",
            "that group does not have this name",
            "write its name or its Guid",
        )
    return groups[0] if groups else None


def find_recipient(session: Session, identity: str, *, domain_controller: str | None = None) -> Recipient | None:
    """The recipient of *identity*; None if nothing with an address has this name. If there are several, the first.

    Raises UnreachableHost, CommandFailed, OutcomeUnknown, UnexpectedAnswer.
    """
    found = _find_recipient(session, identity, domain_controller)
    if found is None and view_entire_forest(session):
        found = _find_recipient(session, identity, None)
    return found


def _find_recipient(session: Session, identity: str, domain_controller: str | None) -> Recipient | None:
    command = directory_read("Get-Recipient", {"Identity": identity, "ResultSize": "1"}, domain_controller)
    try:
        items = session.invoke(command).objects()
    except CommandFailed as error:
        if error.has_exception("ManagementObjectNotFoundException"):
            return None
        raise
    return _recipient(items[0]) if items else None


def list_member_recipients(
    session: Session, group: Group, *, domain_controller: str | None = None
) -> tuple[Recipient, ...]:
    """The direct members of *group* that have an address: mailboxes, contacts, distribution groups.

    Raises UnreachableHost, CommandFailed, OutcomeUnknown, UnexpectedAnswer.
    """
    command = _members("Get-Recipient", group, domain_controller)
    return tuple(_recipient(item) for item in session.invoke(command).objects())


def list_member_groups(session: Session, group: Group, *, domain_controller: str | None = None) -> tuple[Group, ...]:
    """The groups that are direct members of *group*, with or without an address.

    Raises UnreachableHost, CommandFailed, OutcomeUnknown, UnexpectedAnswer.
    """
    command = _members("Get-Group", group, domain_controller)
    return tuple(_group(item) for item in session.invoke(command).objects())


def _members(cmdlet: str, group: Group, domain_controller: str | None) -> Command:
    # The one place where a value is put into text: an OPATH filter has no parameters. It doubles quotation marks.
    name = group.distinguished_name.replace("'", "''")
    parameters = {"Filter": f"MemberOfGroup -eq '{name}'", "ResultSize": "Unlimited"}
    return directory_read(cmdlet, parameters, domain_controller)


def _group(item: RemoteObject) -> Group:
    names = {text(item, name).lower() for name in _NAMES}
    domain = domain_of(required(item, "DistinguishedName"))
    members = item.get("Members")
    listed = tuple(map(str, members)) if isinstance(members, tuple) else ()
    return Group(
        guid=required(item, "Guid").lower(),
        name=required(item, "Name"),
        distinguished_name=required(item, "DistinguishedName"),
        names=frozenset(names - {""}),
        foreign=tuple(name for name in listed if domain_of(name) not in ("", domain)),
    )


def _recipient(item: RemoteObject) -> Recipient:
    return Recipient(required(item, "Guid").lower(), required(item, "Name"), required(item, "RecipientType"))
