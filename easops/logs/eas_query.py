"""The query of an Exchange ActiveSync request, in its plain and in its base64 form.

Pure functions over text: whatever a client sends, they return a value and raise nothing.
Source: MS-ASHTTP 2.2.1.1.1.
"""

from __future__ import annotations

import base64
import binascii
import functools
import re
from typing import Final
from urllib.parse import unquote

import attrs

from easops.logs.eas_log import EasLog, parse_log

_COMMANDS: Final = (
    "Sync", "SendMail", "SmartForward", "SmartReply", "GetAttachment", "GetHierarchy", "CreateCollection",
    "DeleteCollection", "MoveCollection", "FolderSync", "FolderCreate", "FolderDelete", "FolderUpdate", "MoveItems",
    "GetItemEstimate", "MeetingResponse", "Search", "Settings", "Ping", "ItemOperations", "Provision",
    "ResolveRecipients", "ValidateCert", "Find",
)  # fmt: skip
_VERSIONS: Final = (121, 140, 141, 160, 161)
_USER_TAG: Final = 8
_USUAL: Final = 1 << 11
"""Characters. Longer queries are not kept."""
_BASE64 = re.compile(r"[A-Za-z0-9+/]{8,}={0,2}$")


@attrs.frozen
class EasQuery:
    """What the query of an ActiveSync request says.

    *command* is the protocol's command (``Sync``, ``Ping``, …), *device_id* and *device_type* are what the device calls
    itself. *user* is what the client sent: evidence, but no proof of who it is. *log* is the server's ``Log=`` value.
    Each is None if the query does not have it; the front end's log from 2013 on has no ``Log=``.
    """

    command: str | None = None
    user: str | None = None
    device_id: str | None = None
    device_type: str | None = None
    log: EasLog | None = None


def parse_query(text: str) -> EasQuery:
    """A ``cs-uri-query`` of the ActiveSync virtual directory, plain or base64."""
    return _known(text) if len(text) < _USUAL else _parse(text)


def _parse(text: str) -> EasQuery:
    head, _, rest = text.partition("&")
    compact = _base64_query(head)
    parameters = _parameters(rest if compact is not None else text)
    log = parse_log(parameters["log"]) if parameters.get("log") else None
    if compact is not None:
        return attrs.evolve(compact, log=log)
    return EasQuery(
        command=_plain(parameters.get("cmd")),
        user=_plain(parameters.get("user")),
        device_id=_plain(parameters.get("deviceid")),
        device_type=_plain(parameters.get("devicetype")),
        log=log,
    )


_known: Final = functools.lru_cache(1 << 12)(_parse)
"""The same: a proof reads the lines of its window again and again."""


def _parameters(text: str) -> dict[str, str]:
    """The values of a plain query by their names in lower case, still escaped.

    The first value of a name counts, except for ``log``: the server appends it, so the last one is the server's,
    whatever the client sent.
    """
    parameters: dict[str, str] = {}
    for pair in text.split("&"):
        name, equals, value = pair.partition("=")
        name = name.lower()
        if equals and (name == "log" or name not in parameters):
            parameters[name] = value
    return parameters


def _plain(value: str | None) -> str | None:
    return unquote(value) or None if value is not None else None


def _base64_query(head: str) -> EasQuery | None:
    """The query in its base64 form (MS-ASHTTP 2.2.1.1.1.1); None if *head* does not have this form."""
    text = unquote(head) if "%" in head else head
    if not _BASE64.match(text):
        return None
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        if data[0] not in _VERSIONS:
            return None
        command = _COMMANDS[data[1]]
        device, end = _counted(data, 4)
        policy_key, end = _counted(data, end)
        device_type, end = _counted(data, end)
        if len(policy_key) not in (0, 4):
            return None
        return EasQuery(
            command, _user_of(data, end), _device_id(device), device_type.decode("utf-8", "replace") or None
        )
    except (binascii.Error, IndexError, ValueError):
        return None


def _counted(data: bytes, start: int) -> tuple[bytes, int]:
    """The bytes whose count is at *start*, and the position after them. Raises IndexError if there are too few."""
    end = start + 1 + data[start]
    if end > len(data):
        raise IndexError("cut off")
    return data[start + 1 : end], end


def _device_id(raw: bytes) -> str | None:
    if all(0x20 < byte < 0x7F for byte in raw):
        return raw.decode("ascii") or None
    return raw.hex().upper()  # a GUID's 16 bytes


def _user_of(data: bytes, start: int) -> str | None:
    position = start
    while position < len(data):
        tag = data[position]
        value, position = _counted(data, position + 1)
        if tag == _USER_TAG:
            return value.decode("utf-8", "replace") or None
    return None
