"""The state of a world, with which it can be stopped and started again: in a folder, or in memory only.

Only one lab at a time may use a state folder. Its files:

``world.json``     scenario (its data too), seed, start and speed; written once
``clock.json``     the world's clock, in seconds since its start
``changes.jsonl``  each accepted change, on disk before its answer is sent; replayed on a restart
``calls.jsonl``    every call, with its outcome: for people and tests, the lab does not read it
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol

import attrs
from filelock import FileLock, Timeout

from easops.errors import BadInput
from easops.lab.world.disk import Disk, FolderDisk, MemoryDisk

_FORMAT: Final = 1
_PATIENCE: Final = 5.0
"""Seconds that a lab waits for the lock: the lab of a run that was killed may need a moment to end."""


@attrs.frozen
class Beginning:
    """What determines a world, apart from its changes. *start* is in seconds since 1970."""

    scenario: str
    data: Mapping[str, Any]
    seed: int
    start: float
    speed: float


class WorldState(Protocol):
    """What a world stores. *disk* gives that of a server; a change is stored when ``add_change`` returns."""

    def disk(self, server: str) -> Disk: ...

    def read_clock(self) -> float:
        """Seconds of the world's time since its start."""
        ...

    def write_clock(self, elapsed: float) -> None: ...

    def read_changes(self) -> list[dict[str, Any]]:
        """All changes, in order: a world that opens replays them."""
        ...

    def add_change(self, change: Mapping[str, Any]) -> None: ...

    def add_call(self, call: Mapping[str, Any]) -> None: ...

    def read_calls(self) -> list[dict[str, Any]]: ...

    def close(self) -> None: ...


class MemoryState:
    """The state of a world that ends with the process. A world that is opened with it again resumes the first one.

    *changes* and *calls* are as in the files of a state folder.
    """

    def __init__(self) -> None:
        self.changes: list[dict[str, Any]] = []
        self.calls: list[dict[str, Any]] = []
        self._elapsed = 0.0
        self._disks: dict[str, MemoryDisk] = {}

    def disk(self, server: str) -> MemoryDisk:
        return self._disks.setdefault(server, MemoryDisk())

    def read_clock(self) -> float:
        return self._elapsed

    def write_clock(self, elapsed: float) -> None:
        self._elapsed = elapsed

    def read_changes(self) -> list[dict[str, Any]]:
        return list(self.changes)

    def add_change(self, change: Mapping[str, Any]) -> None:
        self.changes.append(dict(change))

    def add_call(self, call: Mapping[str, Any]) -> None:
        self.calls.append(dict(call))

    def read_calls(self) -> list[dict[str, Any]]:
        return list(self.calls)

    def close(self) -> None:
        """Nothing is open."""


class StateFolder:
    """The state of a world in the files of a folder."""

    def __init__(self, path: Path) -> None:
        """Make the folder where needed, and lock it.

        Raises BadInput: another lab is running in it, or it cannot be made.
        """
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(
                f"{path} cannot be the lab's folder", error.strerror or str(error), "name another with --state"
            ) from None
        self._lock = FileLock(path / "lock")
        try:
            self._lock.acquire(timeout=_PATIENCE)
        except Timeout:
            raise BadInput(
                f"a lab is already running in {path}",
                "its lock is taken",
                "stop it, or name another folder with --state",
            ) from None
        self._calls = (path / "calls.jsonl").open("a", encoding="utf-8")
        self._changes = path / "changes.jsonl"
        self._elapsed: float | None = None  # as clock.json has it, once written

    def disk(self, server: str) -> FolderDisk:
        return FolderDisk(self.path / "servers" / server)

    def read(self) -> Beginning | None:
        """The beginning of the stored world; None in a new folder. Raises BadInput."""
        try:
            data = json.loads((self.path / "world.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise self._unusable(str(error)) from None
        if data.pop("format", None) != _FORMAT:
            raise self._unusable("another version of the lab wrote it")
        return Beginning(**data)

    def _unusable(self, why: str) -> BadInput:
        return BadInput(f"{self.path} does not contain a lab that can be resumed", why, "use another --state folder")

    def write(self, beginning: Beginning) -> None:
        self._replace("world.json", {"format": _FORMAT, **attrs.asdict(beginning)})

    def read_clock(self) -> float:
        """Seconds of the world's time since its start."""
        try:
            return float(json.loads((self.path / "clock.json").read_text(encoding="utf-8"))["elapsed"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return 0.0

    def write_clock(self, elapsed: float) -> None:
        if elapsed != self._elapsed:
            self._replace("clock.json", {"elapsed": elapsed})
            self._elapsed = elapsed

    def _replace(self, name: str, data: Mapping[str, Any]) -> None:
        new = self.path / f"{name}.new"
        new.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
        os.replace(new, self.path / name)

    def read_changes(self) -> list[dict[str, Any]]:
        """All changes, in order. An incomplete last line is dropped: the lab was killed before it answered."""
        if not self._changes.exists():
            return []
        changes: list[dict[str, Any]] = []
        complete = 0  # bytes
        for line in self._changes.read_bytes().splitlines(keepends=True):
            if not line.endswith(b"\n"):
                break
            changes.append(json.loads(line, object_hook=_decode))
            complete += len(line)
        with self._changes.open("r+b") as file:
            file.truncate(complete)
        return changes

    def add_change(self, change: Mapping[str, Any]) -> None:
        """Store *change*; it is on disk when this returns."""
        with self._changes.open("ab") as file:
            file.write(json.dumps(change, default=_encode).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def add_call(self, call: Mapping[str, Any]) -> None:
        self._calls.write(json.dumps(call, default=_encode) + "\n")
        self._calls.flush()

    def read_calls(self) -> list[dict[str, Any]]:
        with (self.path / "calls.jsonl").open(encoding="utf-8") as file:
            return [json.loads(line, object_hook=_decode) for line in file]

    def close(self) -> None:
        self._calls.close()
        self._lock.release()


def _encode(value: Any) -> Any:
    if isinstance(value, uuid.UUID):
        return {"$guid": str(value)}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple | set | frozenset):
        return list(value)
    return str(value)


def _decode(found: dict[str, Any]) -> Any:
    return uuid.UUID(found["$guid"]) if set(found) == {"$guid"} else found
