"""The protect list: the mailboxes that a run must not change."""

from __future__ import annotations

from collections.abc import Iterable

from easops.errors import AccessRefused, EasopsError, OutcomeUnknown, Refused, UnreachableHost
from easops.exchange.group import (
    Group,
    find_group,
    find_recipient,
    list_member_groups,
    list_member_recipients,
)
from easops.exchange.mailbox import find_mailbox
from easops.exchange.organisation import Organisation


def protected_mailboxes(entries: Iterable[str], organisation: Organisation) -> dict[str, str]:
    """The mailboxes of a protect list by Guid, with the reason for each (``protected: member of Executives``).

    An entry is a mailbox or a group. A group stands for all its members, also those in nested groups; members without a
    mailbox are ignored. Everything is read from the domain controllers that the changes will name too: the run's, and
    for users and groups of another domain one of theirs.

    Raises Refused for an entry that cannot be resolved or has no mailbox in it: with a list that protects fewer
    mailboxes than its author meant, nothing may be changed. Raises UnreachableHost and OutcomeUnknown of the reads.
    """
    found: dict[str, str] = {}
    for entry in map(str, entries):
        try:
            members = _resolved(entry, organisation)
        except UnreachableHost as error:
            if isinstance(error, AccessRefused) and error.reason == "role":
                raise _unresolved(entry, str(error), error.next_step) from error
            raise
        except (OutcomeUnknown, Refused):
            raise
        except EasopsError as error:
            raise _unresolved(entry, str(error), error.next_step) from error
        for guid, why in members.items():
            found.setdefault(guid, why)
    return found


def _resolved(entry: str, organisation: Organisation) -> dict[str, str]:
    session, dc = organisation.session(), organisation.domain_controller
    mailbox = find_mailbox(session, entry, domain_controller=dc)
    group = find_group(session, entry, domain_controller=dc)
    if mailbox is not None and group is not None:
        raise _unresolved(
            entry,
            f"it is both the mailbox {mailbox.primary_smtp_address} and the group {group.distinguished_name}",
            "write the address of the mailbox, or the distinguished name of the group",
        )
    if mailbox is not None:
        return {mailbox.guid: "protected"}
    if group is None:
        recipient = find_recipient(session, entry, domain_controller=dc)
        what = "there is no mailbox and no group with this name" if recipient is None else f"it is a {recipient.type}"
        if recipient is not None and recipient.type == _DYNAMIC:
            raise _dynamic(entry, recipient.name)
        raise _unresolved(entry, what, "write the address of a mailbox, or the name or Guid of a group")
    why = f"protected: member of {group.name}"
    members = dict.fromkeys(_mailboxes_in(group, entry, organisation), why)
    if not members:
        why = f"the group {group.name} and its nested groups have no mailbox on {dc}"
        raise _unresolved(entry, why, "add members to the group, or remove the entry")
    return members


def _mailboxes_in(group: Group, entry: str, organisation: Organisation) -> list[str]:
    """The Guids of the mailboxes in *group* and its nested groups. Each group is read once, with two calls."""
    session = organisation.session()
    found: list[str] = []
    seen = {group.guid}
    todo = [group]
    while todo:
        here = todo.pop()
        dc = organisation.controller_of(here.domain)
        for name in here.foreign:
            member = _foreign_member(name, entry, organisation)
            if isinstance(member, str):
                found.append(member)
            elif member is not None and member.guid not in seen:
                seen.add(member.guid)
                todo.append(member)
        for recipient in list_member_recipients(session, here, domain_controller=dc):
            if recipient.type == _DYNAMIC:
                raise _dynamic(entry, recipient.name)
            if recipient.type == "UserMailbox":
                found.append(recipient.guid)
        for inner in list_member_groups(session, here, domain_controller=dc):
            if inner.guid not in seen:
                seen.add(inner.guid)
                todo.append(inner)
    return found


def _foreign_member(name: str, entry: str, organisation: Organisation) -> Group | str | None:
    """A member in another domain: the Guid of its mailbox, or a group; None where it has no mailbox."""
    session, dc = organisation.session(), organisation.domain_controller
    mailbox = find_mailbox(session, name, domain_controller=dc)
    if mailbox is not None:
        return mailbox.guid
    group = find_group(session, name, domain_controller=dc)
    if group is not None:
        return group
    recipient = find_recipient(session, name, domain_controller=dc)
    if recipient is None:
        why = f"its member {name} is in another domain, and cannot be read"
        raise _unresolved(
            entry, why, "let the account view the entire forest (Set-ADServerSettings), or list the users"
        )
    if recipient.type == _DYNAMIC:
        raise _dynamic(entry, recipient.name)
    return None


_DYNAMIC = "DynamicDistributionGroup"


def _dynamic(entry: str, name: str) -> Refused:
    return _unresolved(
        entry,
        f"{name} is a dynamic distribution group: it has no members, only a filter that is applied to each message",
        "list the mailboxes, or a group that has them as members",
    )


def _unresolved(entry: str, why: str, next_step: str = "") -> Refused:
    return Refused(
        f"the entry {entry!r} of the protect list cannot be resolved",
        why,
        f"{next_step or 'correct it'}; nothing is changed as long as it is not clear who is protected",
        rule="protect",
    )
