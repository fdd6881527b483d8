"""The lock of a run: whether a process executes it now."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import filelock


class RunLock(Protocol):
    """Held by the process that executes a run.

    The operating system or the database server releases it when that process ends, however it ends.
    """

    def take(self) -> bool:
        """Take it. False if another process holds it."""
        ...

    def held(self) -> bool:
        """Whether this process still holds it."""
        ...

    def release(self) -> None:
        """Give it back."""
        ...

    def is_alive(self) -> bool:
        """Whether any process holds it, including this one."""
        ...


class FileLock:
    """A run's lock as a locked file on this machine."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = filelock.FileLock(path, thread_local=False)

    def take(self) -> bool:
        # A process that asks is_alive holds it for a moment, one that executes the run for long.
        try:
            self._lock.acquire(timeout=0.3, poll_interval=0.05)
        except filelock.Timeout:
            return False
        return True

    def held(self) -> bool:
        # If somebody removed the file, another process could lock a new one of the same name.
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
