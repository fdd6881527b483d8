"""PSRP messages and their fragments (MS-PSRP 2.2.1 and 2.2.4), outgoing."""

from __future__ import annotations

import struct
import uuid
from collections.abc import Iterator

FRAGMENT = 32768  # bytes with the header, as Windows cuts them
HEADER = 21
_TO_CLIENT = 1
_BOM = b"\xef\xbb\xbf"
_NOBODY = uuid.UUID(int=0)


def message(kind: int, clixml: str, pool: uuid.UUID, pipeline: uuid.UUID | None) -> bytes:
    """One message to the client; the BOM before the text is Windows'."""
    head = struct.pack("<II", _TO_CLIENT, kind)
    return head + pool.bytes_le + (pipeline or _NOBODY).bytes_le + _BOM + clixml.encode("utf-8")


def fragments(object_id: int, data: bytes, size: int) -> Iterator[bytes]:
    """*data* cut into fragments of at most *size* bytes each, header included."""
    room = size - HEADER
    last = max(0, (len(data) - 1) // room)
    view = memoryview(data)
    for number in range(last + 1):
        part = view[number * room : (number + 1) * room]
        marks = (number == 0) | (number == last) << 1
        yield struct.pack(">QQBI", object_id, number, marks, len(part)) + part


def pipeline_of(data: bytes) -> uuid.UUID | None:
    """The pipeline of the message that the first fragment in *data* begins.

    Raises:
        ValueError: it is too short to say, or does not begin a message.
    """
    if len(data) < HEADER + 40 or not data[16] & 1:
        raise ValueError("the first fragment of a message is expected")
    pipeline = uuid.UUID(bytes_le=data[HEADER + 24 : HEADER + 40])
    return None if pipeline == _NOBODY else pipeline
