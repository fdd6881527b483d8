"""What a run learns once, before its first step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from easops.actions import ACTIONS
from easops.context import Context
from easops.exchange.server import choose_domain_controller
from easops.inventory.host import Host
from easops.playbook.language.expression import evaluate
from easops.playbook.language.model import Playbook
from easops.playbook.steps.protection import protected_mailboxes


@attrs.frozen
class Facts:
    """What a run learns once, before its first step, and keeps.

    *organisation* is the name of the organisation's target. *domain_controller* is the one that all reads and writes of
    the run name; None where the run reads nothing of Exchange. *protected* are mailboxes by Guid; *protected_because*
    says why each of them is protected (records of 0.1.0 do not have it).
    """

    organisation: str
    domain_controller: str | None
    protected: tuple[str, ...] = ()
    protected_because: Mapping[str, str] = attrs.field(factory=dict)


def learn_facts(
    playbook: Playbook, inputs: Mapping[str, Any], hosts: Sequence[Host], context: Context, organisation: str
) -> Facts:
    """Choose the domain controller that the run names, and resolve the playbook's protect list through it.

    Nothing is asked where no step reads or changes anything through Exchange. Raises Refused for a protect list that
    cannot be resolved, and the errors of the readings.
    """
    uses_exchange = any(
        step.kind in ("detect", "verify") or (step.kind == "do" and ACTIONS[step.subject].scope == "organisation")
        for step in playbook.steps
    )
    if not uses_exchange or all(host.exchange is None for host in hosts):
        return Facts(organisation, None)
    domain_controller = choose_domain_controller(context.organisation.session())
    # The protect list is read there too: a mailbox that it does not show is out of reach for the changes as well.
    context.organisation.domain_controller = domain_controller
    entries = () if playbook.protect is None else evaluate(playbook.protect, inputs) or ()
    protected = protected_mailboxes(entries, context.organisation)
    return Facts(organisation, domain_controller, tuple(protected), protected)
