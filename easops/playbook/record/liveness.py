"""Whether a process executes a run now, and the lock that says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from easops.errors import Refused
from easops.playbook.record.run import Run
from easops.playbook.record.run_lock import RunLock
from easops.playbook.record.run_record import RunRecord
from easops.playbook.record.state_folder import StateFolder

_OR_DID: Final = ", or did so when the database server ended less than a minute ago"


@contextmanager
def locked_run(store: RunRecord, state: StateFolder, run_id: str) -> Iterator[tuple[Run, RunLock]]:
    """The run of that id (or beginning of an id), with its lock taken. Raises BadInput if there is none, Refused if a
    process executes it."""
    found = store.get(run_id)
    lock = state.lock(found.run_id)
    if not lock.take():
        raise Refused(
            f"run {found.run_id} is alive",
            "a process executes it now" + (_OR_DID if state.database is not None else ""),
            f"wait for it, or stop it there; easops runs show {found.run_id} shows its progress",
            rule="alive",
        )
    with releasing(lock):
        yield store.get(found.run_id), lock  # read again: it may have changed before the lock was taken


@contextmanager
def releasing(lock: RunLock) -> Iterator[None]:
    """Release a taken lock at the end of the block.

    Not after an Interrupted, which is no ``Exception``: threads of the run may still be at work. The lock then lasts as
    long as the process.
    """
    try:
        yield
    except Exception:
        lock.release()
        raise
    lock.release()


def liveness_of(run: Run, store: RunRecord, state: StateFolder) -> tuple[Run, bool]:
    """The run as it is now, and whether a process executes it.

    A process records the end of its run and releases the lock after that. So the run is read again after its lock was
    found free: only then a missing end means that the process died.
    """
    if run.ended is not None or run.closed:
        return run, False
    if state.lock(run.run_id).is_alive():
        return run, True
    return store.get(run.run_id), False


def was_stopped(run: Run, store: RunRecord) -> bool:
    """Whether somebody stopped a run that has not ended and that no process executes. Otherwise its process died."""
    marks = store.entries(run.run_id, "stopped", "resumed")
    return bool(marks) and marks[-1].kind == "stopped"
