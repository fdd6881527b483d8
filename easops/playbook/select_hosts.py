"""Which hosts a run is about: those that the playbook selects from the inventory, narrowed by ``--limit``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from easops.errors import BadInput
from easops.inventory.host import Host
from easops.inventory.select import apply_limit, require_one_organisation, select
from easops.playbook.language.expression import evaluate
from easops.playbook.language.model import Playbook


@attrs.frozen
class SelectedHosts:
    """*selected* are the hosts of the run. *left_out* are hosts of the playbook that the limit leaves out.
    *of_organisation* are all hosts of their organisation that the inventory has: Exchange is reached through any of
    these, and through no others."""

    selected: tuple[Host, ...]
    left_out: tuple[Host, ...]
    of_organisation: tuple[Host, ...]


def select_hosts(
    playbook: Playbook, inputs: Mapping[str, Any], hosts: Sequence[Host], limit: str | None
) -> SelectedHosts:
    """Choose the hosts of a run among *hosts*. *limit* is a selector, or names with commas between.

    Raises BadInput where no host is selected, or the limit names none of them; Refused for hosts of two organisations.
    """
    selector = evaluate(playbook.hosts, inputs)
    chosen = select(selector, hosts)
    if not chosen:
        raise BadInput(
            f"no host is selected by {selector!r}",
            f"the inventory has {', '.join(host.name for host in hosts) or 'none'}",
            "correct hosts: in the playbook, or the hosts of the inventory",
        )
    selected = chosen if limit is None else apply_limit(limit, chosen, hosts)
    require_one_organisation(selected)
    return SelectedHosts(
        selected,
        tuple(host for host in chosen if host not in selected),
        tuple(host for host in hosts if host.organisation == selected[0].organisation),
    )
