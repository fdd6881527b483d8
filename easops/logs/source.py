"""Where the bytes of a log come from: files of this machine, or byte ranges of a file of a server.

The script ``source.ps1`` lies beside this module; the reader stays on our side.
"""

from __future__ import annotations

import datetime as dt
import glob
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol

import attrs

from easops.errors import BadInput, UnexpectedAnswer
from easops.remoting.command import Command
from easops.remoting.result import RemoteObject
from easops.remoting.script import load_script
from easops.remoting.session import Session

BLOCK: Final = 4 << 20
"""Bytes of one read."""


@attrs.frozen
class ByteRange:
    """Bytes of a file from *offset* on. *length* is the whole file's then, *time* its server's clock (UTC)."""

    data: bytes = attrs.field(repr=False)
    offset: int
    length: int
    time: dt.datetime


class Log(Protocol):
    """A log that can be read anywhere."""

    @property
    def path(self) -> str: ...

    def read(self, offset: int, length: int) -> ByteRange:
        """At most *length* bytes from *offset* on; fewer at the end of the file."""
        ...


@attrs.frozen
class RemoteLog:
    """A log file of the server of *session* (its windows endpoint), read while IIS writes it."""

    session: Session
    path: str

    def read(self, offset: int, length: int) -> ByteRange:
        """At most *length* bytes from *offset* on, in one call.

        Raises:
            CommandFailed: the file cannot be opened (``has_exception("FileNotFoundException")``: it is not there).
            UnreachableHost, OutcomeUnknown: as any read.
            UnexpectedAnswer: the answer is not what source.ps1 gives.
        """
        call = load_script(
            "easops.logs", "source.ps1", {"Path": self.path, "Offset": offset, "Length": length}, reads=True
        )
        *chunks, last = self.session.invoke(call).output or (None,)
        if not isinstance(last, dict) or not all(isinstance(chunk, bytes) for chunk in chunks):
            raise UnexpectedAnswer(
                f"{self.session.host}: {self.path} gave no byte range",
                f"the answer ends with {str(last)[:80]!r}",
                "report it with this text; nothing was concluded from the answer",
            )
        return ByteRange(b"".join(chunks), int(last["Offset"]), int(last["Length"]), _server_time(str(last["Time"])))


@attrs.frozen
class LogFile:
    """A file of a log folder as the folder lists it.

    *written* (UTC) and *length* of a file that is open are stale: NTFS brings them up to date when it is closed.
    """

    name: str
    path: str
    length: int
    written: dt.datetime


def list_logs(session: Session, folder: str) -> tuple[LogFile, ...]:
    """The ``*.log`` files of a Windows folder, by name.

    Raises CommandFailed where there is no such folder (``ItemNotFoundException``).
    """
    call = Command("Get-ChildItem", {"LiteralPath": folder, "Filter": "*.log"}, reads=True)
    files = [_log_file(item) for item in session.invoke(call).objects() if item.get("Length") is not None]
    return tuple(sorted(files, key=lambda file: file.name))


def local_logs(paths: Sequence[Path | str]) -> tuple[Path, ...]:
    """The log files that *paths* name: files, folders (each ``*.log`` below them) and patterns; none twice.

    Raises BadInput for a path that is not there, a folder or pattern with no log, and a compressed file.
    """
    found: dict[Path, None] = {}
    for path in paths:
        for file in _local(Path(path)):
            if file.suffix.lower() in (".gz", ".zip", ".7z", ".zst"):
                raise BadInput(f"{file} is compressed", "only plain log files are read", "unpack it first")
            found.setdefault(file)
    return tuple(found)


def blocks(path: Path) -> Iterator[bytes]:
    """The bytes of a local file in blocks. Raises BadInput where it cannot be read."""
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                yield block
    except OSError as error:
        raise BadInput(
            f"{path} cannot be read", error.strerror or type(error).__name__, "check the path and its permissions"
        ) from error


def _local(path: Path) -> list[Path]:
    if path.is_dir():
        found = sorted(file for file in path.rglob("*") if file.suffix.lower() == ".log" and file.is_file())
        if not found:
            raise BadInput(f"{path} holds no log", "no file below it ends in .log", "give the folder of an IIS site")
        return found
    if path.exists():
        return [path]
    if glob.has_magic(str(path)):
        matched = sorted(Path(name) for name in glob.glob(str(path), recursive=True))
        files = [file for file in matched if file.is_file()]
        if not files:
            raise BadInput(f"no file matches {path}", "", "correct the pattern")
        return files
    raise BadInput(f"{path} is not there", "no file or folder has this name", "correct the path")


def _log_file(item: RemoteObject) -> LogFile:
    name, path, length, written = (item.get(key) for key in ("Name", "FullName", "Length", "LastWriteTimeUtc"))
    if not (isinstance(name, str) and isinstance(path, str) and isinstance(written, dt.datetime)):
        raise UnexpectedAnswer(
            "a file of the log folder cannot be read",
            f"it has the properties {', '.join(item.properties) or 'none'}",
            "report it with this text; nothing was concluded from the answer",
        )
    return LogFile(name, path, int(length), written)


def _server_time(text: str) -> dt.datetime:
    """``2026-11-24T16:42:07.9690657Z``: .NET's round-trip form, whose seventh digit Python's microseconds drop."""
    try:
        time = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise UnexpectedAnswer("a server's clock cannot be read", f"it says {text!r}", "report it") from error
    return time if time.tzinfo is not None else time.replace(tzinfo=dt.UTC)
