"""Messages that the context of a logon seals, as they travel over plain HTTP (MS-WSMV 2.2.9.1)."""

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


class NotSealed(ValueError):
    """The body is not what this context sealed."""


def is_sealed(content_type: str) -> bool:
    return content_type.lower().startswith("multipart/encrypted")


def unseal(context: spnego.ContextProxy, body: bytes) -> tuple[str, bytes]:
    """The protocol that the client names, and the message. Raises NotSealed."""
    head, tail = _HEAD.match(body), _TAIL.search(body)
    if head is None or tail is None or head[1].decode("ascii") not in _PROTOCOLS:
        raise NotSealed("the parts of multipart/encrypted are expected")
    sealed = body[head.end() : tail.start()]
    try:
        (length,) = struct.unpack_from("<i", sealed)
        message = context.unwrap_winrm(sealed[4 : 4 + length], sealed[4 + length :])
    except Exception as error:  # pyspnego meets a bad message with whatever it stumbles over
        raise NotSealed(str(error)) from error
    if len(message) != int(head[2]):
        raise NotSealed("its length is not the one that it says")
    return head[1].decode("ascii"), message


def seal(context: spnego.ContextProxy, protocol: str, message: bytes) -> tuple[str, bytes]:
    """The content type, and the body."""
    header, data, padding = context.wrap_winrm(message)
    head = (
        f"--{_BOUNDARY}\r\n\tContent-Type: {protocol}\r\n"
        f"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length={len(message) + padding}\r\n"
        f"--{_BOUNDARY}\r\n\tContent-Type: application/octet-stream\r\n"
    )
    body = head.encode("ascii") + struct.pack("<i", len(header)) + header + data + f"--{_BOUNDARY}--\r\n".encode()
    return f'multipart/encrypted;protocol="{protocol}";boundary="{_BOUNDARY}"', body
