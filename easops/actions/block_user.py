"""Block a user: the mailbox gets no ActiveSync at all.

Source: Set-CASMailbox -ActiveSyncEnabled (2010 to SE); KB 2711053 ("block users on a per-user basis").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import attrs

from easops.actions.action import Plan, Scope
from easops.actions.change import Comparison
from easops.context import Context
from easops.exchange.cas_mailbox import block_by_hand, get_cas_mailbox, set_active_sync_enabled
from easops.exchange.mailbox import require_mailbox
from easops.exchange.server import server_version
from easops.inventory.host import Version
from easops.parameter import Parameter
from easops.status import Status

EFFECTIVE = (
    "after replication and a recycle of the application pools that serve the user; without a recycle it may take hours "
    "(KB 2612821)"
)


@attrs.frozen
class SetActiveSyncEnabled:
    """``ActiveSyncEnabled`` of one mailbox; *version* is that of its server (None, in a record of 0.1.0: any), *domain*
    the user's (empty: that of the run's domain controller)."""

    kind: ClassVar[str] = "active_sync_enabled"
    depends_on: ClassVar[str] = ""
    waits_for_recycle: ClassVar[bool] = False

    user: str
    mailbox: str
    before: bool
    after: bool
    version: Version | None = None
    domain: str = ""

    undo: ClassVar[str] = "exact"
    visible_within: ClassVar[float] = 0.0

    @property
    def subject(self) -> str:
        return f"ActiveSync of {self.user}"

    def read(self, context: Context) -> bool:
        session, dc = context.organisation.session(self.version), context.organisation.controller_of(self.domain)
        return get_cas_mailbox(session, self.mailbox, domain_controller=dc).active_sync_enabled

    def compare(self, state: bool) -> Comparison:
        return Comparison.AFTER if state == self.after else Comparison.BEFORE

    def write(self, context: Context) -> None:
        session, dc = context.organisation.session(self.version), context.organisation.controller_of(self.domain)
        set_active_sync_enabled(session, self.mailbox, self.after, domain_controller=dc)

    def inverse(self) -> SetActiveSyncEnabled:
        return attrs.evolve(self, before=self.after, after=self.before)

    def prove(self, context: Context) -> str:
        return ""


class _BlockUser:
    name = "block_user"
    summary = "Block a user's ActiveSync (ActiveSyncEnabled false)"
    scope: Scope = "organisation"
    one_way = False
    stronger = ""
    parameters: tuple[Parameter, ...] = (
        Parameter("user", "text", "the mailbox: address, alias, DOMAIN\\user or Guid"),
    )

    def plan(self, values: Mapping[str, Any], host: str | None, context: Context) -> Plan:
        organisation, dc = context.organisation, context.organisation.domain_controller
        mailbox = require_mailbox(organisation.session(), values["user"], domain_controller=dc)
        version = server_version(organisation.session(), mailbox.server, domain_controller=dc)
        dc = organisation.controller_of(mailbox.domain)
        plan = Plan(
            item=mailbox.primary_smtp_address,
            status=Status.OK,
            mailbox=mailbox.guid,
            health_mailbox=mailbox.is_health_mailbox,
        )
        if (by_hand := block_by_hand(version, mailbox.primary_smtp_address)) is not None:
            why = f"the mailbox is on Exchange {version}, which has no remote PowerShell: {by_hand}"
            return attrs.evolve(plan, status=Status.REFUSED, reason=why)
        session = organisation.session(version)
        enabled = get_cas_mailbox(session, mailbox.guid, domain_controller=dc).active_sync_enabled
        change = SetActiveSyncEnabled(
            mailbox.primary_smtp_address, mailbox.guid, enabled, False, version, mailbox.domain
        )
        return attrs.evolve(
            plan,
            status=Status.WOULD_CHANGE if enabled else Status.OK,
            reason="" if enabled else "ActiveSync is already off",
            changes=(change,) if enabled else (),
            before={"active_sync_enabled": enabled},
            after={"active_sync_enabled": False},
            effective=EFFECTIVE if enabled else "",
        )


BLOCK_USER = _BlockUser()
