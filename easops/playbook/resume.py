"""Going on with a run that died, or that has unfinished steps; or beginning one that was submitted."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Sequence

import attrs

from easops.errors import Refused
from easops.inventory.host import Host
from easops.playbook.assessment.ending import Announcer
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.attempt import attempt
from easops.playbook.execution.dbos_engine import PROTOCOL, alone
from easops.playbook.execution.execute_run import WAIT, Caller, Conduct, Confirm, execute_run
from easops.playbook.execution.maintenance import check_engine
from easops.playbook.record.approval import refuse_denied
from easops.playbook.record.state_folder import StateFolder
from easops.playbook.record.stored_run import locked, opened, refuse_closed, world_of
from easops.playbook.run import _refuse_open
from easops.playbook.steps.codec import dumps, to_json
from easops.playbook.steps.identity import this_person
from easops.playbook.steps.observer import Observer
from easops.playbook.undo import walk_back
from easops.remoting.pool import SessionPool


def resume(
    run_id: str,
    *,
    confirm: Confirm = False,
    wait: dt.timedelta = WAIT,
    observer: Observer | None = None,
    sessions: SessionPool | None = None,
    state: StateFolder | None = None,
    hosts: Sequence[Host] | None = None,
    stopper: Callable[[Callable[[], None]], None] = lambda stop: None,
    announcer: Announcer | None = None,
) -> RunReport:
    """Go on with a run that died, or that ended and owes its later steps; or begin one that was submitted.

    Args:
        run_id: the run's id, or its beginning.
        confirm: as for ``run``; it is asked unless the changes were confirmed before.
        wait: how long to wait for a target that another run is changing.
        observer: is told how it goes on.
        sessions: a pool that stays open, instead of one that ends with the run.
        state: where the record is, as for ``run``.
        hosts: an inventory's: their credentials are taken in place of the recorded ones.
        stopper: as for ``run``.
        announcer: as for ``run``; it takes the recorded one's place.

    Returns:
        The whole run: also the steps that it had done before.

    Raises:
        BadInput: there is no such run.
        Refused: it is alive, closed, owes nothing, or was made by an engine of another protocol.
        UnreachableHost, CommandFailed, Interrupted: as for ``run``.
    """
    conduct = Conduct(Caller(observer, confirm), wait, stopper, sessions, announcer)
    with alone(), opened(state) as (record, state), locked(record, state, run_id) as (held, lock):
        refuse_closed(held)
        check_engine(state)
        if held.document["protocol"] != PROTOCOL:
            raise Refused(
                f"run {held.run_id} was recorded with engine protocol {held.document['protocol']}",
                f"this version of easops has {PROTOCOL}",
                f"install easops {held.document['version']} to resume it; easops undo works with any version",
                rule="protocol",
            )
        refuse_denied(held, record)
        if held.ended is not None and not held.owes:
            raise Refused(
                f"run {held.run_id} has ended and owes nothing",
                f"its status is {held.status}",
                "run the playbook again, or undo it",
                rule="nothing to resume",
            )
        if held.waits:
            _refuse_open(record, state, held, held.document["anew"])
            held = attrs.evolve(held, walks=1, started=dt.datetime.now(dt.UTC))
            record.update(held.run_id, walks=1, started=held.started.isoformat())
        record.write(held.run_id, "resumed", dt.datetime.now(dt.UTC).isoformat(), to_json(this_person()))
        if held.document.get("submitted"):
            conduct = attrs.evolve(conduct, asks=False)
        if held.ended is not None:
            held = attrs.evolve(held, walks=held.walks + 1, ended=None, status=None)
            record.update(held.run_id, walks=held.walks, ended=None, status=None)
        if announcer is not None:
            held = attrs.evolve(held, document={**held.document, "notify": announcer.recorded()})
            record.update(held.run_id, document=dumps(held.document))
        with world_of(held, hosts, state) as (known, clock):
            conduct = conduct.in_lab(held.lab)
            if held.kind == "undo":
                main = functools.partial(walk_back, held)
            else:
                main = functools.partial(attempt, held, record, known)
            conduct.observer.started(held.run_id)
            report = execute_run(held, held.walk_ids[-1], main, record, state, lock, known, clock, conduct)
            return conduct.caller.heard(report)
