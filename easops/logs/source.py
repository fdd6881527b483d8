"""Where the bytes of a log come from: a local file, or byte ranges of a file on a server.

A server runs the script ``source.ps1``, which is next to this module; it only reads bytes. All parsing is done here.
"""

from __future__ import annotations

import codecs
import datetime as dt
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

import attrs

from easops.errors import BadInput, UnexpectedAnswer
from easops.remoting.script import load_script
from easops.remoting.session import Session

BLOCK: Final = 4 << 20
"""Bytes that are read at once."""

_CHUNK: Final = 256 << 10
_GZIP: Final = 16 + zlib.MAX_WBITS
"""What ``zlib`` calls gzip's format."""

_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@attrs.frozen
class ByteRange:
    """The *data* of a file from *offset* on. *length* is the length of the whole file at that moment, *time* (UTC) the
    clock of its server."""

    data: bytes = attrs.field(repr=False)
    offset: int
    length: int
    time: dt.datetime


class Log(Protocol):
    """A log that can be read from any offset."""

    @property
    def path(self) -> str:
        """Where it is, for errors."""
        ...

    def read(self, offset: int, length: int) -> ByteRange:
        """At most *length* bytes from *offset* on; fewer at the end of the file."""
        ...


@attrs.frozen
class RemoteLog:
    """The log file *path* of a server, read while IIS writes it. *session* is to the windows endpoint."""

    session: Session
    path: str

    def read(self, offset: int, length: int) -> ByteRange:
        """At most *length* bytes from *offset* on, in one call.

        Raises:
            CommandFailed: the file cannot be opened (``has_exception("FileNotFoundException")``: it does not exist).
            UnreachableHost, OutcomeUnknown: as any reading.
            UnexpectedAnswer: the answer does not have the form that source.ps1 gives it.
        """
        call = load_script(
            "easops.logs", "source.ps1", {"Path": self.path, "Offset": offset, "Length": length}, reads=True
        )
        *chunks, last = self.session.invoke(call).output or (None,)
        if not isinstance(last, dict) or not all(isinstance(chunk, bytes) for chunk in chunks):
            raise UnexpectedAnswer(
                f"{self.session.host}: the answer for {self.path} is not a byte range",
                f"it ends with {str(last)[:80]!r}",
            )
        try:
            data = b"".join(map(_unpacked, chunks) if last.get("Packed") else chunks)
        except zlib.error as error:
            raise UnexpectedAnswer(
                f"{self.session.host}: the answer for {self.path} is damaged", f"it cannot be unpacked: {error}"
            ) from error
        return ByteRange(data, int(last["Offset"]), int(last["Length"]), _server_time(str(last["Time"])))


def _unpacked(chunk: bytes) -> bytes:
    """A packed chunk of source.ps1, which takes _CHUNK bytes at most."""
    unpacking = zlib.decompressobj(_GZIP)
    data = unpacking.decompress(chunk, _CHUNK)
    if not unpacking.eof:
        raise zlib.error("it is longer than it should be, or not whole")
    return data


def blocks(path: Path) -> Iterator[bytes]:
    """The bytes of a local file, in blocks: of a ``.gz`` file unpacked, of one in UTF-16 (with a byte order mark) as
    UTF-8. Raises BadInput if it cannot be read."""
    try:
        with gzip.open(path, "rb") if is_packed(path) else path.open("rb") as file:
            first = file.read(BLOCK)
            decoder = codecs.getincrementaldecoder("utf-16")("replace") if first[:2] in _UTF16 else None
            block = first
            while block:
                yield block if decoder is None else decoder.decode(block).encode()
                block = file.read(BLOCK)
    except (OSError, EOFError, zlib.error) as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise BadInput(
            f"{path} cannot be read", why, "check the path, its permissions, and that it is whole"
        ) from error


def is_packed(path: Path) -> bool:
    """Whether *path* is unpacked while it is read."""
    return path.suffix.lower() == ".gz"


def _server_time(text: str) -> dt.datetime:
    """The time of ``2026-11-24T16:42:07.9690657Z``, .NET's round-trip form. Python drops the seventh digit."""
    try:
        time = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise UnexpectedAnswer("the server's time cannot be read", f"it is {text!r}") from error
    return time if time.tzinfo is not None else time.replace(tzinfo=dt.UTC)
