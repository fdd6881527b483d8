"""What a recorded run acts in: its hosts, its clock, and the context that its steps and changes get."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import attrs

from easops.at_once import AtOnce, at_once
from easops.clock import Clock, SystemClock
from easops.context import Context
from easops.detectors.detect import ProgressObserver
from easops.errors import BadInput
from easops.exchange.organisation import Organisation
from easops.identity import this_machine
from easops.inventory.host import Host
from easops.lab_process import LabError, start_lab
from easops.playbook.record.run import Run
from easops.playbook.record.run_record import RunRecord
from easops.playbook.record.state_folder import StateFolder
from easops.playbook.record.targets import root_of
from easops.playbook.steps.codec import from_json
from easops.remoting.pool import SessionPool, shared_or_new
from easops.remoting.secret import ask_passwords


def time_of_run(scenario: str | None, clock: Clock) -> dt.datetime:
    """The time at which a run starts or ends. In the lab of *scenario* it is the lab's, as are the times of its
    steps; otherwise (None) this machine's."""
    if scenario is not None:
        with suppress(LabError):  # the lab's process has ended, and its clock with it; the run's end is recorded anyway
            return clock.now()
    return dt.datetime.now(dt.UTC)


@contextmanager
def world_of(
    run: Run, hosts: Sequence[Host] | None, state: StateFolder, clock: Callable[[], Clock] = SystemClock
) -> Iterator[tuple[tuple[Host, ...], Clock]]:
    """The hosts of a recorded run, and its clock.

    They are the hosts of its lab, which is started again, or the recorded hosts, with the credentials of *hosts* (those
    of an inventory) if there are any; these have the *clock* of this machine. Raises BadInput if the lab is not there
    any more, or not on this machine.
    """
    if run.lab is not None:
        folder = state.lab(root_of(run))
        if not folder.exists():
            machine = run.document.get("machine", this_machine())
            if machine != this_machine():
                raise BadInput(
                    f"the lab of run {run.run_id} is not on this machine",
                    f"it is kept on {machine}, where the run was made",
                    f"type it on {machine}",
                )
            raise BadInput(f"the lab of run {run.run_id} is gone", "labs are kept for 7 days", "run the playbook again")
        with start_lab(None, folder) as lab:
            yield lab.hosts, lab.clock
        return
    recorded = from_json(run.document["hosts"], tuple[Host, ...])
    by_name = {host.name: host for host in hosts or ()}
    with_credentials = tuple(_with_credentials(host, by_name.get(host.name)) for host in recorded)
    ask_passwords(with_credentials)
    yield with_credentials, clock()


def _with_credentials(recorded: Host, current: Host | None) -> Host:
    """The recorded host with the credentials, authentication and authorities that the inventory has for it now.

    Nothing else is taken from the inventory: a run must go on with the servers that it began with.
    """
    if current is None:
        return recorded
    changed: dict[str, Any] = {}
    for name in ("exchange", "windows"):
        old, new = getattr(recorded, name), getattr(current, name)
        if old is not None and new is not None:
            changed[name] = attrs.evolve(old, credential=new.credential, ca=new.ca, auth=new.auth)
    return attrs.evolve(recorded, **changed)


@contextmanager
def context_of(
    run: Run,
    store: RunRecord,
    hosts: Sequence[Host],
    clock: Clock,
    observer: ProgressObserver,
    shared_sessions: SessionPool | None = None,
    at_once: AtOnce = at_once,
) -> Iterator[Context]:
    """The context of a run: sessions (its own, or the caller's *shared_sessions*), its organisation on the domain
    controller that the run chose, and its clock."""
    with shared_or_new(shared_sessions) as sessions:
        organisation = Organisation.of(hosts, sessions, clock)
        for entry in store.entries(run.run_id, "facts"):
            organisation.domain_controller = entry.body["domain_controller"]
        yield Context(sessions, organisation, clock, observer.progress, at_once=at_once)
