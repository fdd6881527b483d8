"""Whether a server knows what a step changed: what is written on one domain controller reaches the others later.

A worker process learns a user's settings from its server's own domain controller when it starts, so a recycle before
the change is there cures nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from easops.actions.outcome import Done, ItemOutcome
from easops.exchange.cas_mailbox import get_cas_mailbox
from easops.exchange.mailbox import Mailbox, find_mailbox
from easops.exchange.server import get_exchange_server
from easops.exchange.throttling_policy import get_throttling_policy
from easops.inventory.host import Version
from easops.remoting.session import Session
from easops.status import Status


def not_replicated(done: Done, session: Session, version: Version) -> tuple[str, ...]:
    """The users whom *done* changed, of those that servers of *version* serve, whose change *session* does not show.

    The only reads that name no domain controller: the answer is what this server's own has.
    Raises UnreachableHost, CommandFailed, OutcomeUnknown, UnexpectedAnswer.
    """
    shows = _SHOWS.get(done.action)
    missing: list[str] = []
    for item in done.items if shows is not None else ():
        if item.status is not Status.CHANGED or not isinstance(item.after, Mapping):
            continue
        mailbox = find_mailbox(session, item.item)
        if mailbox is None:
            missing.append(item.item)
        elif get_exchange_server(session, mailbox.server).version == version:
            assert shows is not None
            if not shows(mailbox, item, session):
                missing.append(item.item)
    return tuple(missing)


def _policy(mailbox: Mailbox, item: ItemOutcome, session: Session) -> bool:
    wanted = item.after.get("policy")
    if mailbox.throttling_policy is None:
        return wanted is None
    held = get_throttling_policy(session, mailbox.throttling_policy)
    return held is not None and held.name == wanted


def _block(mailbox: Mailbox, item: ItemOutcome, session: Session) -> bool:
    held = get_cas_mailbox(session, mailbox.guid)
    return bool(held.active_sync_enabled == item.after.get("active_sync_enabled"))


_SHOWS: Final[Mapping[str, Callable[[Mailbox, ItemOutcome, Any], bool]]] = {
    "limit_eas_usage": _policy,
    "block_user": _block,
}
"""By action, whether what it changed for a user is to be seen."""
