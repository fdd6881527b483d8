"""The log files of a folder: those of a server, and those that paths of this machine name."""

from __future__ import annotations

import datetime as dt
import glob
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import attrs

from easops.errors import BadInput, UnexpectedAnswer
from easops.remoting.command import Command
from easops.remoting.result import RemoteObject
from easops.remoting.session import Session

_DATED: Final = re.compile(r"(?:u_)?ex(\d\d)(\d\d)\d{0,4}(?:_x)?\.log$", re.IGNORECASE)
_IIS_NAME: Final = re.compile(r"(?:u_)?ex(?:\d{4,10}|tend\d+)(?:_x)?\.log$")

PACKED: Final = (".zip", ".7z", ".zst", ".bz2", ".xz")
"""The endings of packed files that easops does not read."""


@attrs.frozen
class LogFile:
    """A log file as its folder lists it: *name*, *path*, *length* in bytes, and when it was *written* (UTC).

    *length* and *written* of an open file are out of date: NTFS updates them when the file is closed.
    """

    name: str
    path: str
    length: int
    written: dt.datetime


def list_logs(session: Session, folder: str) -> tuple[LogFile, ...]:
    """The ``*.log`` files of a folder on a server, in the order of their names.

    Raises CommandFailed if there is no such folder (``ItemNotFoundException``), and as any reading.
    """
    call = Command("Get-ChildItem", {"LiteralPath": folder, "Filter": "*.log"}, reads=True)
    files = [_log_file(item) for item in session.invoke(call).objects() if item.get("Length") is not None]
    return tuple(sorted(files, key=lambda file: file.name))


def overlapping(files: Sequence[LogFile], start: dt.datetime) -> tuple[LogFile, ...]:
    """The files that may have lines from *start* on, in the order of their names.

    The newest file of each kind of name (``u_ex######.log``) may be open, so its listed time may be out of date: it is
    left out only if its name is of an earlier month. The other files are closed, and their times are correct.
    """
    kinds: dict[str, list[LogFile]] = {}
    for file in sorted(files, key=_by_number):
        kinds.setdefault(re.sub(r"\d+", "#", file.name.lower()), []).append(file)
    kept: list[LogFile] = []
    for kind in kinds.values():
        kept += [file for file in kind[:-1] if file.written >= start]
        kept += [file for file in kind[-1:] if file.written >= start or not _of_earlier_month(file.name, start)]
    return tuple(sorted(kept, key=_by_number))


def local_logs(paths: Sequence[Path | str]) -> tuple[Path, ...]:
    """The log files of *paths*: files, folders (all ``*.log`` and ``*.log.gz`` in and below them) and patterns. None is
    in it twice.

    Raises BadInput for a path that does not exist, a folder or a pattern without logs, and a file that is packed in
    another way.
    """
    files: dict[Path, None] = {}
    for path in paths:
        for file in _local(Path(path)):
            if file.suffix.lower() in PACKED:
                raise BadInput(f"{file} is packed", "of packed files easops reads .gz only", "unpack it first")
            files.setdefault(file)
    return tuple(files)


def packed_logs(paths: Sequence[Path | str]) -> tuple[Path, ...]:
    """The files of the folders in *paths* that look like logs and are packed in a way that easops does not read."""
    folders = [path for path in map(Path, paths) if path.is_dir()]
    return tuple(
        sorted(
            file
            for folder in folders
            for file in folder.rglob("*")
            if file.suffix.lower() in PACKED and ".log" in file.name.lower() and file.is_file()
        )
    )


def series_of(file: Path) -> tuple[str, str]:
    """Which files are one log: those of IIS's dated or numbered names (``u_ex261124.log``) in one folder."""
    name = file.name.lower().removesuffix(".gz")
    kind = re.sub(r"\d+", "#", name) if _IIS_NAME.match(name) else name
    return str(file.parent), kind


def _local(path: Path) -> list[Path]:
    if path.is_dir():
        logs = sorted(file for file in path.rglob("*") if _is_log(file) and file.is_file())
        if not logs:
            raise BadInput(
                f"{path} has no logs",
                "no file in or below it ends in .log or .log.gz",
                "name the folder of an IIS site",
            )
        return logs
    if path.exists():
        return [path]
    if glob.has_magic(str(path)):
        matched = sorted(Path(name) for name in glob.glob(str(path), recursive=True))
        files = [file for file in matched if file.is_file()]
        if not files:
            raise BadInput(f"no file matches {path}", "", "correct the pattern")
        return files
    raise BadInput(f"{path} does not exist", "there is no file or folder with this name", "correct the path")


def _is_log(file: Path) -> bool:
    return file.name.lower().endswith((".log", ".log.gz"))


def _log_file(item: RemoteObject) -> LogFile:
    name, path, length, written = (item.get(key) for key in ("Name", "FullName", "Length", "LastWriteTimeUtc"))
    if not (isinstance(name, str) and isinstance(path, str) and isinstance(written, dt.datetime)):
        raise UnexpectedAnswer(
            "a file in the log folder has no name, no path or no time",
            f"it has the properties {', '.join(item.properties) or 'none'}",
        )
    return LogFile(name, path, int(length), written)


def _by_number(file: LogFile) -> tuple[str, int, str]:
    digits = re.sub(r"\D", "", file.name)
    return re.sub(r"\d+", "#", file.name.lower()), int(digits or 0), file.name


def _of_earlier_month(name: str, start: dt.datetime) -> bool:
    """Whether the date in the name is of a month before that of *start*."""
    match = _DATED.match(name)
    if match is None:
        return False
    # A day earlier, because the names may be in local time.
    day_before = start - dt.timedelta(days=1)
    return (2000 + int(match[1]), int(match[2])) < (day_before.year, day_before.month)
