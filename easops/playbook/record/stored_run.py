"""A recorded run: its steps and changes, its targets, and the lock that says whether it is alive."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from easops.actions.change import Change, ChangeOutcome
from easops.errors import EasopsError, OutcomeUnknown, Refused, UnreachableHost
from easops.inventory.host import Host
from easops.playbook.record.run_store import Record, Run
from easops.playbook.record.state_folder import RunLock, StateFolder
from easops.playbook.steps.codec import from_json
from easops.playbook.steps.step_result import StepResult
from easops.status import Status


def new_run_id() -> str:
    """An id that sorts by time and is easy to type."""
    return f"{dt.datetime.now(dt.UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


@contextmanager
def opened(state: StateFolder | None) -> Iterator[tuple[Record, StateFolder]]:
    folder = (state or StateFolder.default()).prepared()
    record = Record(folder.database_url)
    try:
        yield record, folder
    finally:
        record.close()


@contextmanager
def locked(record: Record, state: StateFolder, run_id: str) -> Iterator[tuple[Run, RunLock]]:
    held = record.get(run_id)
    lock = state.lock(held.run_id)
    if not lock.take():
        raise Refused(
            f"run {held.run_id} is alive",
            "a process executes it now" + (_OR_DID if state.database is not None else ""),
            f"wait for it, or stop it there; easops runs show {held.run_id} tells how far it is",
            rule="alive",
        )
    with kept(lock):
        yield record.get(held.run_id), lock


_OR_DID: Final = ", or did so when the database server ended less than a minute ago"


def looked_at(held: Run, record: Record, state: StateFolder) -> tuple[Run, bool]:
    """The run as it is now, and whether a process executes it.

    A run is ended first and lets go of its lock then: where nobody holds the lock, only what is read after that tells
    whether it has ended or died.
    """
    if held.ended is not None or held.closed:
        return held, False
    if state.lock(held.run_id).is_alive():
        return held, True
    return record.get(held.run_id), False


def was_stopped(held: Run, record: Record) -> bool:
    """Whether a run that has not ended, and that nobody executes, was stopped by somebody; else it died."""
    marks = record.entries(held.run_id, "stopped", "resumed")
    return bool(marks) and marks[-1].kind == "stopped"


@contextmanager
def kept(lock: RunLock) -> Iterator[None]:
    """Let go of a taken lock at the end of the block. A run that was interrupted keeps it as long as the process
    lives, since what was under way may be so still."""
    try:
        yield
    except Exception:
        lock.release()
        raise
    lock.release()


def steps_of(held: Run, record: Record) -> tuple[StepResult, ...]:
    steps = [from_json(entry.body, StepResult) for entry in record.entries(held.run_id, "step")]
    return tuple(sorted(steps, key=lambda step: step.position or step.number))


def changes_of(held: Run, record: Record) -> tuple[tuple[Change, ChangeOutcome | None], ...]:
    return tuple((change, outcome) for _, change, outcome in changes_by_key(held, record))


def changes_by_key(held: Run, record: Record) -> tuple[tuple[str, Change, ChangeOutcome | None], ...]:
    """The changes in the order of their intents, each with its intent's key and its outcome, where that is known."""
    outcomes = {entry.key: from_json(entry.body, ChangeOutcome) for entry in record.entries(held.run_id, "outcome")}
    return tuple(
        (entry.key, from_json(entry.body["change"], Change), outcomes.get(entry.key))  # type: ignore[type-abstract]
        for entry in record.entries(held.run_id, "intent")
    )


def root_of(held: Run) -> str:
    """The run whose world this is: an undo, and the undo of an undo, act in that of the first."""
    return str(held.document.get("root", held.run_id))


def _in_lab(held: Run) -> str:
    return f"lab:{root_of(held)}/" if held.lab is not None else ""


def host_target(held: Run, host: Host) -> str:
    """A host's target: the name of its windows endpoint, or the exchange one; in a lab, whose ports differ at each
    start, the host's own name."""
    if held.lab is not None:
        return _in_lab(held) + host.name.lower()
    way_in = host.windows or host.exchange
    return host.name.lower() if way_in is None else way_in.address


def organisation_target(held: Run, hosts: Sequence[Host]) -> str:
    return f"{_in_lab(held)}organisation {hosts[0].organisation.lower()}"


def recorded_host_target(held: Run, label: str) -> str:
    hosts = from_json(held.document["hosts"], tuple[Host, ...])
    return host_target(held, next(host for host in hosts if host.name == label))


def status_of(error: EasopsError) -> Status:
    if isinstance(error, Refused):
        return Status.REFUSED
    return Status.UNREACHABLE if isinstance(error, UnreachableHost | OutcomeUnknown) else Status.FAILED


def refuse_closed(held: Run) -> None:
    if held.closed:
        raise Refused(f"run {held.run_id} is closed", held.closed, "run the playbook again", rule="closed")


def recorded_organisation_target(held: Run) -> str:
    return next(target for target in held.targets if "organisation " in target)
