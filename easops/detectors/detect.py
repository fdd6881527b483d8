"""Running one detector by itself, over hosts or over log files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from easops.clock import Clock, SystemClock
from easops.context import Context
from easops.detectors import DETECTORS
from easops.detectors.contact_sync_storm import CONTACT_SYNC_STORM, detect_in_files
from easops.detectors.detector import Detector
from easops.detectors.finding import Detection
from easops.errors import BadInput
from easops.exchange.organisation import Organisation
from easops.inventory.host import Host
from easops.inventory.select import require_one_organisation, select_some
from easops.lab_process import DEFAULT_SCENARIO, temporary_lab
from easops.parameter import values_of
from easops.registry import entry_of
from easops.remoting.pool import SessionPool, shared_or_new
from easops.remoting.secret import ask_passwords

IN_FILES: Final[Mapping[str, Callable[[Sequence[Path | str], Mapping[str, Any]], Detection]]] = {
    CONTACT_SYNC_STORM.name: detect_in_files,
}
"""The detectors that can judge log files without a server."""


class ProgressObserver(Protocol):
    """Hears what a detector is waiting for; an ``easops.Observer`` is one."""

    def progress(self, text: str) -> None: ...


def detect(
    detector: str,
    hosts: Sequence[Host] | None = None,
    values: Mapping[str, Any] | None = None,
    *,
    lab: bool = False,
    scenario: str | None = None,
    seed: int | None = None,
    logs: Sequence[Path | str] = (),
    on: str = "runs=activesync",
    observer: ProgressObserver | None = None,
    sessions: SessionPool | None = None,
) -> Detection:
    """Look for a fault, with evidence: ``detect("contact_sync_storm", hosts, {"since": "30m"})``. It changes nothing.

    Up to 16 hosts are read at once. A host that cannot be reached is in the result's ``unreachable``, one that cannot
    be judged in ``undetermined``, with the reason; the other hosts' results are there all the same. ``found`` says
    whether there is any fault, ``users`` and ``hosts`` where, ``measurements`` the figures.

    Args:
        detector: its name; docs/reference/detectors.md lists them all, with their parameters.
        hosts: hosts of an inventory, all of one organisation.
        values: the detector's parameters by name.
        lab: look at a simulated organisation, made for this call and deleted after it; then there are no *hosts*.
        scenario: which one (``contacts-storm``); docs/reference/scenarios.md lists them all.
        seed: which variant of the scenario (1).
        logs: files, folders and patterns of IIS logs to read instead of hosts (only ``contact_sync_storm`` can): the
            logs of W3SVC2, on Exchange 2010 of W3SVC1. Users are then as logged, and times count back from the last
            line.
        on: which of the hosts, as a selector; by default those where ActiveSync runs.
        observer: gets a text when the detector waits for something.
        sessions: a pool to use, which stays open; without it the call opens its own sessions and closes them.

    Raises:
        BadInput: there is no such detector, a value is wrong, no host is selected, or a file or scenario does not
            exist.
        Refused: the hosts belong to two organisations.
        LogFormatError: a file of *logs* is not an IIS log.
        EasopsError: the lab did not start.
    """
    chosen = entry_of(DETECTORS, detector, "detector")
    checked = values_of(chosen.parameters, values or {}, detector)
    sources = [name for name, given in (("hosts", hosts is not None), ("logs", logs), ("the lab", lab)) if given]
    if len(sources) != 1:
        raise BadInput(
            f"{detector} has {' and '.join(sources) or 'nothing'} to read",
            "it reads servers, log files without a server, or the lab",
            "give one of hosts, logs and lab",
        )
    if logs:
        if detector not in IN_FILES:
            raise BadInput(
                f"{detector} cannot judge log files alone",
                f"it needs a server: {chosen.summary}",
                f"name servers with an inventory instead of logs; only {' and '.join(IN_FILES)} can judge logs",
            )
        return IN_FILES[detector](logs, checked)
    if not lab:
        return _detect_on_hosts(chosen, checked, hosts or (), on, SystemClock(), observer, sessions)
    with temporary_lab(scenario or DEFAULT_SCENARIO, seed) as organisation:
        # The caller's pool would keep sessions to servers that are gone after this.
        return _detect_on_hosts(chosen, checked, organisation.hosts, on, organisation.clock, observer, None)


def _detect_on_hosts(
    detector: Detector,
    values: Mapping[str, Any],
    hosts: Sequence[Host],
    on: str,
    clock: Clock,
    observer: ProgressObserver | None,
    sessions: SessionPool | None,
) -> Detection:
    selected = select_some(on, hosts)
    require_one_organisation(selected)
    ask_passwords(selected)
    with shared_or_new(sessions) as pool:
        organisation = Organisation.of(selected, pool, clock)
        progress = observer.progress if observer is not None else lambda text: None
        return detector.detect(selected, values, Context(pool, organisation, clock, progress))
