"""What a recorded run acts in: its hosts, its clock, and the context that its steps and changes are given."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import attrs

from easops.clock import Clock, SystemClock
from easops.context import Context
from easops.errors import BadInput
from easops.exchange.organisation import Organisation
from easops.identity import this_machine
from easops.inventory.host import Host
from easops.lab_process import LabError, start_lab
from easops.playbook.record.run import Run
from easops.playbook.record.run_store import RunStore
from easops.playbook.record.state_folder import StateFolder
from easops.playbook.record.targets import root_of
from easops.playbook.steps.codec import from_json
from easops.playbook.steps.observer import Observer
from easops.remoting.pool import SessionPool, shared_or_new
from easops.remoting.secret import ask_passwords


def time_of_run(scenario: str | None, clock: Clock) -> dt.datetime:
    """The time at which a run starts or ends: this machine's, and for one in the lab the lab's, as are the times of its
    steps."""
    if scenario is not None:
        with suppress(LabError):  # it has ended, and its clock with it; the run's end is recorded all the same
            return clock.now()
    return dt.datetime.now(dt.UTC)


@contextmanager
def world_of(held: Run, hosts: Sequence[Host] | None, state: StateFolder) -> Iterator[tuple[tuple[Host, ...], Clock]]:
    """The hosts of a recorded run: its lab's, started again; those of an inventory; or the recorded ones."""
    if held.lab is not None:
        folder = state.lab(root_of(held))
        if not folder.exists():
            machine = held.document.get("machine", this_machine())
            if machine != this_machine():
                raise BadInput(
                    f"the lab of run {held.run_id} is not on this machine",
                    f"its world is kept on {machine}, where the run was made",
                    f"type it on {machine}",
                )
            raise BadInput(
                f"the lab of run {held.run_id} is gone", "lab worlds are kept 7 days", "run the playbook again"
            )
        with start_lab(None, folder) as lab:
            yield lab.hosts, lab.clock
        return
    recorded = from_json(held.document["hosts"], tuple[Host, ...])
    by_name = {host.name: host for host in hosts or ()}
    known = tuple(_with_credentials(host, by_name.get(host.name)) for host in recorded)
    ask_passwords(known)
    yield known, SystemClock()


def _with_credentials(recorded: Host, given: Host | None) -> Host:
    """The recorded host with the credentials and authorities of an inventory's: nothing else is taken from it."""
    if given is None:
        return recorded
    changed: dict[str, Any] = {}
    for name in ("exchange", "windows"):
        old, new = getattr(recorded, name), getattr(given, name)
        if old is not None and new is not None:
            changed[name] = attrs.evolve(old, credential=new.credential, ca=new.ca, auth=new.auth)
    return attrs.evolve(recorded, **changed)


@contextmanager
def context_of(
    held: Run,
    store: RunStore,
    hosts: Sequence[Host],
    clock: Clock,
    observer: Observer,
    kept_sessions: SessionPool | None = None,
) -> Iterator[Context]:
    with shared_or_new(kept_sessions) as sessions:
        organisation = Organisation.of(hosts, sessions)
        for entry in store.entries(held.run_id, "facts"):
            organisation.domain_controller = entry.body["domain_controller"]
        yield Context(sessions, organisation, clock, observer.progress)
