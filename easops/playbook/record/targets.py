"""The targets of a run: the names that it claims, so that no other run changes the same host or organisation."""

from __future__ import annotations

from collections.abc import Sequence

from easops.inventory.host import Host
from easops.playbook.record.run import Run
from easops.playbook.steps.codec import from_json

# The names are in records, where they must match, so they stay as they are.
_ORGANISATION = "organisation "


def root_of(run: Run) -> str:
    """The id of the run whose lab this run uses: an undo, and the undo of an undo, act in the lab of the first run."""
    return str(run.document.get("root", run.run_id))


def host_target(run: Run, host: Host) -> str:
    """The target of a host: the address of its windows endpoint, or of its exchange one. So a host is the same target
    under another name in another inventory. In a lab, whose ports differ at each start, it is the host's name."""
    if run.lab is not None:
        return _lab_prefix(run) + host.name.lower()
    endpoint = host.windows or host.exchange
    return host.name.lower() if endpoint is None else endpoint.address


def organisation_target(run: Run, hosts: Sequence[Host]) -> str:
    """The target of the organisation that *hosts* belong to."""
    return f"{_lab_prefix(run)}{_ORGANISATION}{hosts[0].organisation.lower()}"


def recorded_host_target(run: Run, name: str) -> str:
    """The target of the recorded host of that name."""
    hosts = from_json(run.document["hosts"], tuple[Host, ...])
    return host_target(run, next(host for host in hosts if host.name == name))


def recorded_organisation_target(run: Run) -> str:
    """The target of the run's organisation."""
    return next(target for target in run.targets if _ORGANISATION in target)


def _lab_prefix(run: Run) -> str:
    return f"lab:{root_of(run)}/" if run.lab is not None else ""
