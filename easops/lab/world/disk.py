"""The disk of one server: its files by their Windows paths, in a folder of this machine or in memory only."""

from __future__ import annotations

from pathlib import Path, PureWindowsPath
from typing import Protocol

import attrs


@attrs.frozen
class File:
    """A file of the disk: its name, and its size in bytes."""

    name: str
    size: int


class Disk(Protocol):
    """The files of one server. The case of a path does not matter, and none leads out of the disk."""

    def file(self, path: str) -> File | None:
        """The file *path*; None where there is none."""
        ...

    def files(self, folder: str) -> tuple[File, ...] | None:
        """The files of *folder*, by name; None where there is no such folder."""
        ...

    def read(self, path: str, offset: int, length: int) -> bytes:
        """At most *length* bytes of a file that is there."""
        ...

    def append(self, path: str, data: bytes) -> None:
        """Add to the end of a file, which is made where needed."""
        ...

    def make_folder(self, folder: str) -> None: ...

    def remove(self, path: str) -> None: ...


class FolderDisk:
    """A disk whose files are real ones, below *root*: that of ``C:`` is its folder ``C``."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, path: str) -> Path:
        """The real folder or file of a Windows path."""
        windows = PureWindowsPath(path)
        real = self.root / windows.drive.rstrip(":").upper()
        for part in windows.parts[1:]:
            if part == "..":
                return self.root / "outside"  # does not exist: no path leads out of the lab's folder
            children = {child.name.lower(): child for child in real.iterdir()} if real.is_dir() else {}
            real = children.get(part.lower(), real / part)
        return real

    def file(self, path: str) -> File | None:
        real = self.path(path)
        return File(real.name, real.stat().st_size) if real.is_file() else None

    def files(self, folder: str) -> tuple[File, ...] | None:
        real = self.path(folder)
        if not real.is_dir():
            return None
        found = (File(item.name, item.stat().st_size) for item in real.iterdir() if item.is_file())
        return tuple(sorted(found, key=lambda file: file.name.lower()))

    def read(self, path: str, offset: int, length: int) -> bytes:
        with self.path(path).open("rb") as stream:
            stream.seek(offset)
            return stream.read(length)

    def append(self, path: str, data: bytes) -> None:
        with self.path(path).open("ab") as stream:
            stream.write(data)

    def make_folder(self, folder: str) -> None:
        self.path(folder).mkdir(parents=True, exist_ok=True)

    def remove(self, path: str) -> None:
        self.path(path).unlink()


class MemoryDisk:
    """A disk whose files are in memory only."""

    def __init__(self) -> None:
        # PureWindowsPath compares without regard to case, and keeps that in which a name was first written.
        self._folders: dict[PureWindowsPath, dict[PureWindowsPath, bytearray]] = {}

    def file(self, path: str) -> File | None:
        wanted = PureWindowsPath(path)
        found = self._folders.get(wanted.parent, {})
        return next((File(name.name, len(data)) for name, data in found.items() if name == wanted), None)

    def files(self, folder: str) -> tuple[File, ...] | None:
        found = self._folders.get(PureWindowsPath(folder))
        return None if found is None else tuple(File(path.name, len(found[path])) for path in sorted(found))

    def read(self, path: str, offset: int, length: int) -> bytes:
        wanted = PureWindowsPath(path)
        return bytes(self._folders[wanted.parent][wanted][offset : offset + length])

    def append(self, path: str, data: bytes) -> None:
        wanted = PureWindowsPath(path)
        self._folders[wanted.parent].setdefault(wanted, bytearray()).extend(data)

    def make_folder(self, folder: str) -> None:
        self._folders.setdefault(PureWindowsPath(folder), {})

    def remove(self, path: str) -> None:
        wanted = PureWindowsPath(path)
        del self._folders[wanted.parent][wanted]
