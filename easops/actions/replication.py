"""Whether the changes of a step have reached a server: what is written on one domain controller replicates later.

A worker process reads a user's settings from its server's own domain controller when it starts, so a recycle before the
changes are there cures nothing.
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
    """The users whom *done* changed and whose change *session* does not show; only those that servers of *version*
    serve.

    These reads name no domain controller, as the only ones: the answer must come from this server's own.
    Raises UnreachableHost, CommandFailed, OutcomeUnknown, UnexpectedAnswer.
    """
    shows = _SHOWS.get(done.action)
    if shows is None:
        return ()
    missing: list[str] = []
    for item in done.items:
        if item.status is not Status.CHANGED or not isinstance(item.after, Mapping):
            continue
        mailbox = find_mailbox(session, item.item)
        if mailbox is not None and get_exchange_server(session, mailbox.server).version != version:
            continue  # servers of another version serve this user
        if mailbox is None or not shows(mailbox, item, session):
            missing.append(item.item)
    return tuple(missing)


def _shows_policy(mailbox: Mailbox, item: ItemOutcome, session: Session) -> bool:
    wanted = item.after.get("policy")
    if mailbox.throttling_policy is None:
        return wanted is None
    policy = get_throttling_policy(session, mailbox.throttling_policy)
    return policy is not None and policy.name == wanted


def _shows_block(mailbox: Mailbox, item: ItemOutcome, session: Session) -> bool:
    cas_mailbox = get_cas_mailbox(session, mailbox.guid)
    return bool(cas_mailbox.active_sync_enabled == item.after.get("active_sync_enabled"))


_SHOWS: Final[Mapping[str, Callable[[Mailbox, ItemOutcome, Any], bool]]] = {
    "limit_eas_usage": _shows_policy,
    "block_user": _shows_block,
}
"""By action, whether a server shows what the action changed for a user."""
