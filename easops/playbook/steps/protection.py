"""Gates: what no run may touch."""

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
    """The mailboxes of a protect list: by Guid, why each is on it (``protected: member of Executives``).

    An entry is a mailbox, or a group with all that is in it and in the groups in it; members without a mailbox are
    passed over. Everything is read from the organisation's domain controller, which the changes will name too: whom it
    does not show, no change can reach.

    Raises Refused for an entry that cannot be resolved, or in which there is no mailbox: a list that says less than
    its author meant protects nobody. Raises UnreachableHost and OutcomeUnknown as they come.
    """
    found: dict[str, str] = {}
    for given in entries:
        entry = str(given)
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
            "write the mailbox's address, or the group's distinguished name",
        )
    if mailbox is not None:
        return {mailbox.guid: "protected"}
    if group is None:
        recipient = find_recipient(session, entry, domain_controller=dc)
        what = "there is no mailbox and no group of this name" if recipient is None else f"it is a {recipient.type}"
        if recipient is not None and recipient.type == _DYNAMIC:
            raise _dynamic(entry, recipient.name)
        raise _unresolved(entry, what, "write a mailbox's address, or a group's name or Guid")
    why = f"protected: member of {group.name}"
    members = dict.fromkeys(_mailboxes_in(group, entry, organisation), why)
    if not members:
        why = f"no mailbox is in the group {group.name}, nor in a group in it, as far as {dc} shows them"
        raise _unresolved(entry, why, "fill the group, or take the entry out")
    return members


def _mailboxes_in(group: Group, entry: str, organisation: Organisation) -> list[str]:
    """The Guids of the mailboxes in *group* and in the groups in it. Each group is asked once, in two calls."""
    session, dc = organisation.session(), organisation.domain_controller
    found: list[str] = []
    seen = {group.guid}
    todo = [group]
    while todo:
        here = todo.pop()
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


_DYNAMIC = "DynamicDistributionGroup"


def _dynamic(entry: str, name: str) -> Refused:
    return _unresolved(
        entry,
        f"{name} is a dynamic distribution group: it has no members, only a filter that is asked anew for each message",
        "name the mailboxes, or a group that has them as members",
    )


def _unresolved(entry: str, why: str, next_step: str = "") -> Refused:
    return Refused(
        f"the protect list's entry {entry!r} cannot be resolved",
        why,
        f"{next_step or 'correct it'}: nothing is done while it is not known whom it protects",
        rule="protect",
    )
