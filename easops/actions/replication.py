"""Whether the changes of a step have reached a server: what is written on one domain controller replicates later.

A worker process reads a user's settings from one of its server's domain controllers when it starts, so a recycle before
the changes are there cures nothing. Which ones those are is read: from 2013 on another server may execute a session, so
what a session shows by itself says nothing about the server whose endpoint was called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from easops.actions.outcome import Done, ItemOutcome
from easops.exchange.cas_mailbox import get_cas_mailbox
from easops.exchange.mailbox import Mailbox, find_mailbox
from easops.exchange.server import DirectoryUse, list_domain_controllers, server_version
from easops.exchange.throttling_policy import get_throttling_policy
from easops.inventory.host import Version
from easops.remoting.session import Session
from easops.status import Status


def not_arrived(
    done: Done, session: Session, version: Version, used: DirectoryUse, *, written_on: str | None
) -> tuple[str, ...]:
    """The users whose changes of *done* a server of *version* may not see yet, among those whom such servers serve.

    Only a domain controller of the user's own domain is asked for him: another one does not have the whole of him. If
    none is *used* now that is of that domain, the server may take any of its site, or else any at all. *written_on* is
    the one that has the changes.
    Raises UnreachableHost, CommandFailed, OutcomeUnknown, UnexpectedAnswer.
    """
    shows = _SHOWS.get(done.action)
    changed = [] if shows is None else [item for item in done.items if _is_changed(item)]
    missing: list[str] = []
    for item in changed:
        assert shows is not None
        mailbox = find_mailbox(session, item.item, domain_controller=written_on)
        asked = [name for name in used.domain_controllers if mailbox is None or _is_of_domain(name, mailbox)]
        if not asked and mailbox is not None:
            asked = _that_may_be_used(session, mailbox.domain, used.site)
        if not all(_shows(item, shows, session, version, name) for name in asked):
            missing.append(item.item)
    return tuple(missing)


def _that_may_be_used(session: Session, domain: str, site: str) -> list[str]:
    controllers = list_domain_controllers(session, domain)
    near = [controller.name for controller in controllers if controller.site.lower() == site.lower()]
    return near or [controller.name for controller in controllers]


def _is_changed(item: ItemOutcome) -> bool:
    return item.status is Status.CHANGED and isinstance(item.after, Mapping)


def _shows(item: ItemOutcome, shows: Shows, session: Session, version: Version, controller: str) -> bool:
    """Whether *controller* shows the change of *item*, or need not, as servers of another version serve the user."""
    mailbox = find_mailbox(session, item.item, domain_controller=controller)
    if mailbox is None:
        return False
    if server_version(session, mailbox.server, domain_controller=controller) != version:
        return True
    return shows(mailbox, item, session, controller)


def _is_of_domain(controller: str, mailbox: Mailbox) -> bool:
    """Whether *controller* is one of the mailbox's own domain; True if the mailbox does not say which that is."""
    return not mailbox.domain or controller.lower().partition(".")[2] == mailbox.domain


def _shows_policy(mailbox: Mailbox, item: ItemOutcome, session: Session, controller: str) -> bool:
    wanted = item.after.get("policy")
    if mailbox.throttling_policy is None:
        return wanted is None
    policy = get_throttling_policy(session, mailbox.throttling_policy, domain_controller=controller)
    return policy is not None and policy.name == wanted


def _shows_block(mailbox: Mailbox, item: ItemOutcome, session: Session, controller: str) -> bool:
    cas_mailbox = get_cas_mailbox(session, mailbox.guid, domain_controller=controller)
    return bool(cas_mailbox.active_sync_enabled == item.after.get("active_sync_enabled"))


Shows = Callable[[Mailbox, ItemOutcome, Session, str], bool]
"""Whether a domain controller shows what an item changed."""

_SHOWS: Final[Mapping[str, Shows]] = {
    "limit_eas_usage": _shows_policy,
    "block_user": _shows_block,
}
"""By action, whether a domain controller shows what the action changed for a user."""
