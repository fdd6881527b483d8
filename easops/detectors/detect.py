"""Running one detector by itself over hosts, or over log files, and what its result means."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from easops.clock import SystemClock
from easops.context import Context
from easops.detectors import DETECTORS
from easops.detectors.contact_sync_storm import CONTACT_SYNC_STORM, detect_in_files
from easops.detectors.finding import Detection
from easops.errors import BadInput
from easops.exchange.organisation import Organisation
from easops.inventory.host import Host
from easops.inventory.select import one_organisation, some_of
from easops.parameter import values_of
from easops.registry import entry_of
from easops.remoting.pool import SessionPool, kept_or_own
from easops.remoting.secret import ask_passwords

IN_FILES: Final[Mapping[str, Callable[[Sequence[Path | str], Mapping[str, Any]], Detection]]] = {
    CONTACT_SYNC_STORM.name: detect_in_files,
}
"""The detectors that can judge log files without a server."""


class Watcher(Protocol):
    """Who is told what a detector is waiting for; an ``easops.Observer`` is one."""

    def progress(self, text: str) -> None: ...


def detect(
    detector: str,
    hosts: Sequence[Host] | None = None,
    values: Mapping[str, Any] | None = None,
    *,
    logs: Sequence[Path | str] = (),
    on: str = "runs=activesync",
    observer: Watcher | None = None,
    sessions: SessionPool | None = None,
) -> Detection:
    """Look for a fault, with evidence: ``detect("contact_sync_storm", hosts, {"since": "30m"})``. It changes nothing.

    Up to 16 hosts are read at once. A host that cannot be reached is in the result's ``unreachable``, one that cannot
    be judged, with the reason, in ``undetermined``: neither loses the others' answers. ``found`` says whether there is
    any fault, ``users`` and ``hosts`` where, ``measurements`` the figures.

    Args:
        detector: its name; docs/reference/detectors.md has them all, with their values.
        hosts: those of an inventory, of one organisation.
        values: the detector's parameters by name.
        logs: files, folders and patterns of IIS logs to read in place of hosts (``contact_sync_storm`` alone can):
            those of W3SVC2, on Exchange 2010 of W3SVC1. Users are as logged then, and times count back from the last
            line.
        on: which of the hosts: a selector; by default those where ActiveSync runs.
        observer: is told what is being waited for.
        sessions: a pool that stays open, instead of one that ends with the call.

    Raises:
        BadInput: there is no such detector, a value is wrong, no host is selected, no such file.
        Refused: the hosts are of two organisations.
        LogFormatError: a file of *logs* is no IIS log.
    """
    chosen = entry_of(DETECTORS, detector, "detector")
    checked = values_of(chosen.parameters, values or {}, detector)
    if (hosts is None) == (not logs):
        raise BadInput(
            f"{detector} has {'nothing to look at' if hosts is None else 'both hosts and logs'}",
            "it reads servers, or log files without a server",
            "give hosts, or logs",
        )
    if hosts is None:
        if detector not in IN_FILES:
            raise BadInput(
                f"{detector} cannot judge log files alone",
                f"it needs a server: {chosen.summary}",
                f"leave the logs out, and name servers with an inventory; of logs {' or '.join(IN_FILES)} can judge",
            )
        return IN_FILES[detector](logs, checked)
    looked_at = some_of(on, hosts)
    one_organisation(looked_at)
    ask_passwords(looked_at)
    with kept_or_own(sessions) as pool:
        organisation = Organisation.of(looked_at, pool)
        progress = observer.progress if observer is not None else lambda text: None
        return chosen.detect(looked_at, checked, Context(pool, organisation, SystemClock(), progress))
