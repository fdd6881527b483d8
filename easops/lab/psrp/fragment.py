"""PSRP messages to the client, and their fragments (MS-PSRP 2.2.1 and 2.2.4)."""

from __future__ import annotations

import struct
import uuid
from collections.abc import Iterator

FRAGMENT = 32768  # bytes with the header, as Windows cuts them
HEADER = 21
_TO_CLIENT = 1
_BOM = b"\xef\xbb\xbf"
_POOL_ONLY = uuid.UUID(int=0)


def message(kind: int, clixml: str, pool: uuid.UUID, pipeline: uuid.UUID | None) -> bytes:
    """One message to the client. Windows puts a byte order mark before the text, so this does too."""
    head = struct.pack("<II", _TO_CLIENT, kind)
    return head + pool.bytes_le + (pipeline or _POOL_ONLY).bytes_le + _BOM + clixml.encode("utf-8")


def fragments(object_id: int, data: bytes, size: int) -> Iterator[bytes]:
    """*data* cut into fragments of at most *size* bytes each, header included."""
    payload = size - HEADER
    last = max(0, (len(data) - 1) // payload)
    view = memoryview(data)
    for number in range(last + 1):
        part = view[number * payload : (number + 1) * payload]
        marks = (number == 0) | (number == last) << 1
        yield struct.pack(">QQBI", object_id, number, marks, len(part)) + part


def pipeline_of(data: bytes) -> uuid.UUID | None:
    """The pipeline of the message that *data* starts with; None where the message is for the pool.

    Raises:
        ValueError: *data* is too short, or does not start with the first fragment of a message.
    """
    if len(data) < HEADER + 40 or not data[16] & 1:
        raise ValueError("the first fragment of a message is expected")
    pipeline = uuid.UUID(bytes_le=data[HEADER + 24 : HEADER + 40])
    return None if pipeline == _POOL_ONLY else pipeline
