"""A message as a line of a file."""

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

_FAR: Final = 2**31 - 2
"""The byte that is locked on Windows, where a lock keeps others from reading what is locked: no file has it."""


def append(path: Path, line: bytes, transmission: Transmission) -> None:
    """Append *line*, which has no line end yet, in one write: two that append at once do not mix.

    Raises CommandFailed (nothing was written), OutcomeUnknown (a part was).
    """
    try:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
        if sys.platform == "win32":
            flags |= os.O_BINARY
        else:
            flags |= os.O_NONBLOCK  # a pipe must not hold the run up
        held = os.open(path, flags, 0o640)
    except OSError as error:
        raise CommandFailed(f"{path} cannot be opened", error.strerror or type(error).__name__) from None
    with os.fdopen(held, "r+b", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(held).st_mode):
            raise CommandFailed(f"{path} cannot be written to", "it is no regular file")
        data = line + b"\n"
        try:
            with _alone(held):
                transmission.begins()
                if _torn(held):
                    data = b"\n" + data  # whoever wrote before came not to the end of the line
                written = file.write(data)
        except OSError as error:
            raise CommandFailed(f"{path} cannot be written to", error.strerror or type(error).__name__) from None
        if written != len(data):
            raise OutcomeUnknown(f"{path} was not written whole", f"{written} of {len(data)} bytes are there")


def _torn(held: int) -> bool:
    size = os.fstat(held).st_size
    if not size:
        return False
    os.lseek(held, size - 1, os.SEEK_SET)
    return os.read(held, 1) != b"\n"


@contextlib.contextmanager
def _alone(held: int) -> Iterator[None]:
    """Wait until no other easops writes there: the system appends whole writes one by one, but what is half written
    looks torn (and on Windows an append is two calls). A file system without locks has to do without."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(held, _FAR, os.SEEK_SET)
        msvcrt.locking(held, msvcrt.LK_LOCK, 1)
        try:
            yield
        finally:
            os.lseek(held, _FAR, os.SEEK_SET)
            msvcrt.locking(held, msvcrt.LK_UNLCK, 1)
    else:
        import fcntl

        with contextlib.suppress(OSError):
            fcntl.flock(held, fcntl.LOCK_EX)  # until the file is closed
        yield
