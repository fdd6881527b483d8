"""Where easops keeps what must outlive a process: the state folder, and the lock that says a run is alive."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

import attrs
import filelock

from easops.errors import BadInput
from easops.playbook.record.database import DatabaseLock, postgresql_url
from easops.playbook.record.location import DATABASE, VARIABLE, state_path
from easops.remoting.secret import Secret


@attrs.frozen
class StateFolder:
    """The folder with the database of the records and the engine, the locks, and the worlds of lab runs.

    *database* is the URL of a PostgreSQL database that stands in place of the folder's own, with its locks.
    """

    path: Path
    database: Secret | None = None

    @classmethod
    def default(cls) -> StateFolder:
        """``EASOPS_STATE``, or the user's state folder of this platform; with the database of
        ``EASOPS_DATABASE_URL``. Raises BadInput."""
        url = os.environ.get(VARIABLE)
        return cls(state_path(), postgresql_url(url) if url else None)

    def prepared(self) -> StateFolder:
        """This folder, made where it was not there, for this user alone. Raises BadInput."""
        try:
            for part in (self.path, self.path / "locks", self.labs):
                part.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(
                f"the state folder {self.path} cannot be used",
                error.strerror or type(error).__name__,
                "name another in EASOPS_STATE",
            ) from None
        return self

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever recorded here."""
        return self.database is None and not (self.path / DATABASE).exists()

    @property
    def database_url(self) -> str:
        """With the password in it, where there is one: for whoever connects, and for nobody else."""
        if self.database is not None:
            return self.database.reveal()
        return f"sqlite:///{(self.path / 'easops.sqlite').as_posix()}"

    @property
    def labs(self) -> Path:
        """The worlds of lab runs, one folder a run."""
        return self.path / "labs"

    def lab(self, run_id: str) -> Path:
        return self.labs / run_id

    def lock(self, run_id: str) -> RunLock:
        if self.database is not None:
            return DatabaseLock(self.database.reveal(), run_id)
        return FileLock(self.path / "locks" / f"{run_id}.lock")


class RunLock(Protocol):
    """Held for the life of the process that executes a run; the system lets go of it when that process ends,
    however it ends."""

    def take(self) -> bool:
        """Take it; False where another process holds it."""
        ...

    def held(self) -> bool:
        """Whether this process still holds it."""
        ...

    def release(self) -> None: ...

    def is_alive(self) -> bool:
        """Whether any process holds it, this one included."""
        ...


class FileLock:
    """A run's lock on the file system of this machine."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = filelock.FileLock(path, thread_local=False)

    def take(self) -> bool:
        # Whoever asks is_alive has it for a moment; a process that executes the run keeps it.
        try:
            self._lock.acquire(timeout=0.3, poll_interval=0.05)
        except filelock.Timeout:
            return False
        return True

    def held(self) -> bool:
        """Whether this process still holds it: the file it locked is still the one of that name."""
        return self._lock.is_locked and self._path.exists()

    def release(self) -> None:
        self._lock.release()

    def is_alive(self) -> bool:
        if self._lock.is_locked:
            return True
        if not self._path.exists() or not self.take():
            return self._path.exists()
        self.release()
        return False
