"""Appending a message to a file, as one line."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from easops.errors import CommandFailed, OutcomeUnknown
from easops.notify.transmission import Transmission

_LOCKED_BYTE: Final = 2**31 - 2
"""The byte that is locked on Windows. There a lock also blocks reading, so it is a byte that no log file reaches."""


def append_line(path: Path, line: bytes, transmission: Transmission) -> None:
    """Append *line*, given without its line break, in one write: lines of two processes never mix.

    Raises CommandFailed (nothing was written), OutcomeUnknown (a part was).
    """
    try:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
        if sys.platform == "win32":
            flags |= os.O_BINARY
        else:
            flags |= os.O_NONBLOCK  # opening a pipe must not block the run
        descriptor = os.open(path, flags, 0o640)
    except OSError as error:
        raise CommandFailed(f"{path} cannot be opened", error.strerror or type(error).__name__) from None
    with os.fdopen(descriptor, "r+b", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise CommandFailed(f"{path} cannot be written to", "it is not a regular file")
        data = line + b"\n"
        try:
            with _exclusive(descriptor):
                transmission.begin()
                if _ends_in_partial_line(descriptor):
                    data = b"\n" + data  # the previous writer did not finish its line
                written = file.write(data)
        except OSError as error:
            raise CommandFailed(f"{path} cannot be written to", error.strerror or type(error).__name__) from None
        if written != len(data):
            raise OutcomeUnknown(f"{path} was not written completely", f"{written} of {len(data)} bytes were written")


def _ends_in_partial_line(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    if not size:
        return False
    os.lseek(descriptor, size - 1, os.SEEK_SET)
    return os.read(descriptor, 1) != b"\n"


@contextlib.contextmanager
def _exclusive(descriptor: int) -> Iterator[None]:
    """Wait until no other easops process writes to the file.

    The system does not mix two appends, but a line that another process is still writing looks partial, and on Windows
    an append is two calls. On a file system without locks there is no protection.
    """
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
        try:
            yield
        finally:
            os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
    else:
        import fcntl

        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # until the file is closed
        yield
