"""The ActiveSync settings of one mailbox, with its throttling policy and its contacts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from easops.context import Context
from easops.exchange.cas_mailbox import get_cas_mailbox
from easops.exchange.mailbox import require_mailbox
from easops.exchange.mailbox_folder import count_contacts
from easops.parameter import Parameter
from easops.readings.reading import Reading


@attrs.frozen
class CasMailboxRow:
    """One mailbox; *throttling_policy* is None if the default policy applies."""

    user: str
    server: str
    active_sync_enabled: bool
    throttling_policy: str | None
    contacts: int
    blocked_device_ids: tuple[str, ...]
    allowed_device_ids: tuple[str, ...]


def _read(values: Mapping[str, Any], host: str | None, context: Context) -> Sequence[CasMailboxRow]:
    session = context.organisation.session()
    mailbox = require_mailbox(session, values["user"])
    cas_mailbox = get_cas_mailbox(session, mailbox.guid)
    return [
        CasMailboxRow(
            mailbox.primary_smtp_address,
            mailbox.server,
            cas_mailbox.active_sync_enabled,
            mailbox.throttling_policy,
            count_contacts(session, mailbox.guid),
            cas_mailbox.blocked_device_ids,
            cas_mailbox.allowed_device_ids,
        )
    ]


CAS_MAILBOX = Reading(
    "cas-mailbox",
    "A mailbox's ActiveSync settings, throttling policy and contacts",
    "organisation",
    (
        "user",
        "server",
        "active_sync_enabled",
        "throttling_policy",
        "contacts",
        "blocked_device_ids",
        "allowed_device_ids",
    ),
    _read,
    (Parameter("user", "text", "the mailbox: address, alias, DOMAIN\\user or Guid"),),
)
