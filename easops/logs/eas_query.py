"""The query of an Exchange ActiveSync request, and the ``Log=`` value that the server appends to it.

Pure functions over text: whatever a client sends, they give a value and raise nothing.

Sources: MS-ASHTTP 2.2.1.1.1 (both forms of the query), "Exchange ActiveSync reporting services" (TechNet bb201675)
for the ``Log=`` tokens; the grammar of each server generation is in docs/explanation of the log formats.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Final, Literal
from urllib.parse import unquote, unquote_plus

import attrs

_COMMANDS: Final = (
    "Sync", "SendMail", "SmartForward", "SmartReply", "GetAttachment", "GetHierarchy", "CreateCollection",
    "DeleteCollection", "MoveCollection", "FolderSync", "FolderCreate", "FolderDelete", "FolderUpdate", "MoveItems",
    "GetItemEstimate", "MeetingResponse", "Search", "Settings", "Ping", "ItemOperations", "Provision",
    "ResolveRecipients", "ValidateCert", "Find",
)  # fmt: skip
_VERSIONS: Final = (121, 140, 141, 160, 161)
_USER_TAG: Final = 8
_BASE64 = re.compile(r"[A-Za-z0-9+/]{8,}={0,2}$")

_V2003 = re.compile(r"V(?:[123]|NA)T(?:Em|Co|Ca|NA)S[NSRF]C")
_TOKEN = re.compile(r"([A-Za-z]+)(.*)$", re.DOTALL)
_INDEXED = re.compile(r"(\d+):(.*)$", re.DOTALL)
_INTEGER = re.compile(r"-?\d+$", re.ASCII)
_TIME = re.compile(r"\d{1,2}:\d\d:\d\d(?:\.\d+)?$", re.ASCII)
_COUNT = re.compile(r"(\d+)[A-Za-z]+", re.ASCII)
_ACTIVITY = re.compile(r"(?:\w+:)?([\w.]+)\[([^\]]*)\]=(-?\d+)(?:\.\d+)?$", re.ASCII)
_POLICY = re.compile(r"Policy:(.+?)_[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")

_FOLDER_KEYS: Final = frozenset(
    "Ty Filt Filter St Sk Sks Sst SsCmt Sslc Cli Srv Svr BR BPR Pfs Filts MR FtsR ProvSyncType "
    "TotSvC ColdSvC ColdCpyC TotLdC GetChgsIter GetChgsTime".split()
)

TokenKind = Literal["text", "integer", "time", "unknown"]


@attrs.frozen
class Token:
    """One token of a ``Log=`` value: ``Fc2``, ``Ty:Co``, ``Ver1:161`` (index 1), ``TmRcv10:02:11.5``.

    *value* is decoded text (an integer's digits too). An unknown token has an empty key and its text as it stands.
    """

    key: str
    value: str
    kind: TokenKind
    index: int | None = None

    @property
    def integer(self) -> int | None:
        """The value as an integer, however it was written; None where it is none."""
        return int(self.value) if _INTEGER.match(self.value) and len(self.value) < 20 else None


@attrs.frozen
class Changes:
    """Items that one side sent in a folder: the first three counts of ``Cli:`` or ``Srv:``."""

    adds: int = 0
    changes: int = 0
    deletes: int = 0

    @classmethod
    def parse(cls, text: str) -> Changes:
        # By position: the letters' case and their number differ between builds.
        counts = [int(digits[:18]) for digits in _COUNT.findall(text)[:3]]
        return cls(*counts)


@attrs.frozen
class Folder:
    """One folder block: collection id, type (``Co`` contacts, ``Em`` mail, ...), sync type (``F`` first,
    ``S`` subsequent, ``R`` recovery, ``I`` invalid key), and what client and server sent."""

    collection: str
    type: str | None
    sync_type: str | None
    client: Changes
    server: Changes


@attrs.frozen
class RpcCount:
    """Mailbox calls of one request: ``RpcC`` (2007 and 2010), or the sum of ``RPC.C`` of ``ActivityContextData``
    over its instances, or of ``MAPI.C`` where there is no RPC.C; never both."""

    value: int
    source: Literal["RpcC", "RPC.C", "MAPI.C"]


@attrs.frozen
class EasLog:
    """A ``Log=`` value. *generation* ``2003`` is recognised and not read: its tokens are empty."""

    generation: Literal["2003", "2007"]
    tokens: tuple[Token, ...] = ()

    def first(self, key: str) -> Token | None:
        """The first token of that key."""
        return next((token for token in self.tokens if token.key == key), None)

    def text(self, key: str) -> str | None:
        found = self.first(key)
        return None if found is None else found.value

    @property
    def folders(self) -> tuple[Folder, ...]:
        """The folder blocks, in order: from ``Fid:`` to the next one or the first key that is no folder's."""
        return tuple(_folders(self.tokens))

    @property
    def rpc(self) -> RpcCount | None:
        held = self.first("RpcC")
        if held is not None and held.integer is not None:
            return RpcCount(held.integer, "RpcC")
        activity = self.text("ActivityContextData")
        if activity is None:
            return None
        sums: dict[str, int] = {}
        for part in activity.split(";"):
            entry = _ACTIVITY.match(part.strip())
            if entry and len(entry[3]) < 20:
                sums[entry[1]] = sums.get(entry[1], 0) + int(entry[3])
        if "RPC.C" in sums:
            return RpcCount(sums["RPC.C"], "RPC.C")
        return RpcCount(sums["MAPI.C"], "MAPI.C") if "MAPI.C" in sums else None

    @property
    def throttling_policy(self) -> str | None:
        """The name of the throttling policy that ``Budget:`` says was in force; None where it does not say."""
        found = _POLICY.search(self.text("Budget") or "")
        return found[1] if found else None

    @property
    def error(self) -> str | None:
        """The name in ``Error:``, without its detail."""
        return re.split(r"[:+ ]", self.text("Error") or "")[0] or None


@attrs.frozen
class EasQuery:
    """What the query says. *user* is what the client typed: evidence, never proof of who it is.

    *command* and the others are None where the query does not say; *log* is None where no ``Log=`` follows (the front
    end's log from 2013 on).
    """

    command: str | None = None
    user: str | None = None
    device_id: str | None = None
    device_type: str | None = None
    log: EasLog | None = None


def parse_query(text: str) -> EasQuery:
    """A ``cs-uri-query`` of the ActiveSync virtual directory, in its plain or base64 form."""
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


def parse_log(text: str) -> EasLog:
    """The value of ``Log=``. Splitting on ``_`` is always safe: inside a value it is written ``%5F``."""
    if _V2003.match(text):
        return EasLog("2003")
    return EasLog("2007", tuple(_token(part) for part in text.split("_") if part))


def _token(part: str) -> Token:
    found = _TOKEN.match(part)
    if found is None:
        return Token("", part, "unknown")
    key, rest = found.groups()
    if rest.startswith(":"):
        return Token(key, unquote_plus(rest[1:]), "text")
    if key.startswith("Tm") and _TIME.match(rest):
        return Token(key, rest, "time")
    indexed = _INDEXED.match(rest)
    if indexed and len(indexed[1]) < 10:
        return Token(key, unquote_plus(indexed[2]), "text", int(indexed[1]))
    if _INTEGER.match(rest):
        return Token(key, rest, "integer")
    return Token("", part, "unknown")


def _folders(tokens: tuple[Token, ...]) -> Iterator[Folder]:
    block: dict[str, str] | None = None
    for token in tokens:
        if token.key == "Fid" or token.key not in _FOLDER_KEYS:
            if block is not None:
                yield _folder(block)
            block = {"Fid": token.value} if token.key == "Fid" else None
        elif block is not None:
            block.setdefault(token.key, token.value)
    if block is not None:
        yield _folder(block)


def _folder(block: Mapping[str, str]) -> Folder:
    return Folder(
        collection=block["Fid"],
        type=block.get("Ty"),
        sync_type=block.get("St"),
        client=Changes.parse(block.get("Cli", "")),
        server=Changes.parse(block.get("Srv") or block.get("Svr", "")),  # documentation says Svr, servers write Srv
    )


def _parameters(text: str) -> dict[str, str]:
    """The pairs of a plain query by lower-cased name, still escaped; the first of a name counts, but the last Log=,
    which the server appends after whatever the client sent."""
    found: dict[str, str] = {}
    for pair in text.split("&"):
        name, equals, value = pair.partition("=")
        name = name.lower()
        if equals and (name == "log" or name not in found):
            found[name] = value
    return found


def _plain(value: str | None) -> str | None:
    return unquote(value) or None if value is not None else None


def _base64_query(head: str) -> EasQuery | None:
    """MS-ASHTTP 2.2.1.1.1.1; None where *head* is not of this form."""
    text = unquote(head) if "%" in head else head
    if not _BASE64.match(text):
        return None
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        if data[0] not in _VERSIONS:
            return None
        command = _COMMANDS[data[1]]
        device, at = _counted(data, 4)
        policy_key, at = _counted(data, at)
        device_type, at = _counted(data, at)
        if len(policy_key) not in (0, 4):
            return None
        return EasQuery(command, _user_of(data, at), _device_id(device), device_type.decode("utf-8", "replace") or None)
    except (binascii.Error, IndexError, ValueError):
        return None


def _counted(data: bytes, at: int) -> tuple[bytes, int]:
    end = at + 1 + data[at]
    if end > len(data):
        raise IndexError("cut")
    return data[at + 1 : end], end


def _device_id(raw: bytes) -> str | None:
    if all(0x20 < byte < 0x7F for byte in raw):
        return raw.decode("ascii") or None
    return raw.hex().upper()  # a GUID's 16 bytes


def _user_of(data: bytes, at: int) -> str | None:
    while at < len(data):
        tag = data[at]
        value, at = _counted(data, at + 1)
        if tag == _USER_TAG:
            return value.decode("utf-8", "replace") or None
    return None
