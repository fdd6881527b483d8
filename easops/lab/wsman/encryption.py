"""Message encryption over plain HTTP: the context of a logon encrypts each message (MS-WSMV 2.2.9.1)."""

from __future__ import annotations

import re
import struct
from typing import Final

import spnego

_PROTOCOLS: Final = ("application/HTTP-SPNEGO-session-encrypted", "application/HTTP-Kerberos-session-encrypted")
_BOUNDARY: Final = "Encrypted Boundary"
_HEAD: Final = re.compile(
    rb"--\s*Encrypted Boundary\r\n"
    rb"\s*Content-Type: ([!-~]+)\r\n"
    rb"\s*OriginalContent: type=[^\r\n]*;Length=(\d+)\r\n"
    rb"--\s*Encrypted Boundary\r\n"
    rb"\s*Content-Type: application/octet-stream\r\n"
)
_TAIL: Final = re.compile(rb"--\s*Encrypted Boundary--\r\n\Z")


class NotDecryptable(ValueError):
    """The body was not encrypted by this context, or was changed on the way."""


def is_encrypted(content_type: str) -> bool:
    return content_type.lower().startswith("multipart/encrypted")


def decrypt(context: spnego.ContextProxy, body: bytes) -> tuple[str, bytes]:
    """The protocol that the client names, and the message. Raises NotDecryptable."""
    head, tail = _HEAD.match(body), _TAIL.search(body)
    if head is None or tail is None or head[1].decode("ascii") not in _PROTOCOLS:
        raise NotDecryptable("the parts of multipart/encrypted are expected")
    encrypted = body[head.end() : tail.start()]
    try:
        (length,) = struct.unpack_from("<i", encrypted)
        message = context.unwrap_winrm(encrypted[4 : 4 + length], encrypted[4 + length :])
    except Exception as error:  # pyspnego raises almost anything on a bad message
        raise NotDecryptable(str(error)) from error
    if len(message) != int(head[2]):
        raise NotDecryptable("the message does not have the length that its header says")
    return head[1].decode("ascii"), message


def encrypt(context: spnego.ContextProxy, protocol: str, message: bytes) -> tuple[str, bytes]:
    """The content type and the body."""
    header, data, padding = context.wrap_winrm(message)
    head = (
        f"--{_BOUNDARY}\r\n\tContent-Type: {protocol}\r\n"
        f"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length={len(message) + padding}\r\n"
        f"--{_BOUNDARY}\r\n\tContent-Type: application/octet-stream\r\n"
    )
    body = head.encode("ascii") + struct.pack("<i", len(header)) + header + data + f"--{_BOUNDARY}--\r\n".encode()
    return f'multipart/encrypted;protocol="{protocol}";boundary="{_BOUNDARY}"', body
