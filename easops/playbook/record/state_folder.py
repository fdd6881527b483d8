"""The state folder: where easops keeps what must outlive a process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs

from easops.errors import BadInput
from easops.playbook.record.database_lock import DatabaseLock
from easops.playbook.record.location import DATABASE, VARIABLE, state_path
from easops.playbook.record.postgresql import postgresql_url
from easops.playbook.record.private import make_folder_private, make_private, make_private_file
from easops.playbook.record.run_lock import FileLock, RunLock
from easops.playbook.record.run_record import RunRecord
from easops.playbook.record.run_store import RunStore
from easops.remoting.secret import Secret


@attrs.frozen
class StateFolder:
    """The folder with the database of the records and the engine, the locks, and the labs of runs.

    *database* is the URL of a PostgreSQL database that is used instead of the folder's own, with its locks.
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
        """This folder. It is made if it is not there, and other users lose their rights to it. Raises BadInput."""
        try:
            for part in (self.path, self.path / "locks", self.labs):
                part.mkdir(mode=0o700, parents=True, exist_ok=True)
            make_folder_private(self.path, (DATABASE, "locks", "labs"))
            for part in (self.path / "locks", self.labs):
                make_private(part)
        except OSError as error:
            raise BadInput(
                f"the state folder {self.path} cannot be used",
                error.strerror or type(error).__name__,
                "name another one in EASOPS_STATE",
            ) from None
        return self

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever recorded here."""
        return self.database is None and not (self.path / DATABASE).exists()

    @property
    def is_there(self) -> bool:
        """Whether what a run needs of it is there: its folder, unless a database server is used."""
        return self.database is not None or self.path.is_dir()

    @property
    def database_url(self) -> str:
        """The URL of the database, with the password if it has one: only to connect with."""
        if self.database is not None:
            return self.database.reveal()
        return f"sqlite:///{(self.path / DATABASE).as_posix()}"

    def records(self) -> RunRecord:
        """The record of its runs, to be closed after use. Its file is for this user only. Raises BadInput."""
        if self.database is None:
            make_private_file(self.path / DATABASE)
        return RunStore(self.database_url)

    @property
    def labs(self) -> Path:
        """The folder with the labs of runs, a folder for each run."""
        return self.path / "labs"

    def lab(self, run_id: str) -> Path:
        """The folder of the lab of that run."""
        return self.labs / run_id

    def lock(self, run_id: str) -> RunLock:
        """The lock of that run."""
        if self.database is not None:
            return DatabaseLock(self.database.reveal(), run_id)
        return FileLock(self.path / "locks" / f"{run_id}.lock")


@contextmanager
def open_store(state: StateFolder | None) -> Iterator[tuple[RunRecord, StateFolder]]:
    """The runs of the state folder (None: the default one), which is made if it is not there."""
    folder = (state or StateFolder.default()).prepared()
    store = folder.records()
    try:
        yield store, folder
    finally:
        store.close()
