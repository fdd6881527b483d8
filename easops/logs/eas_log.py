"""The ``Log=`` value that an Exchange server appends to the query of an ActiveSync request.

Pure functions over text: whatever is in it, they return a value and raise nothing.

Source: "Exchange ActiveSync reporting services" (TechNet bb201675) for the tokens; the grammar of each server
generation is in docs/explanation of the log formats.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Final, Literal
from urllib.parse import unquote_plus

import attrs

_V2003 = re.compile(r"V(?:[123]|NA)T(?:Em|Co|Ca|NA)S[NSRF]C")
_TOKEN = re.compile(r"([A-Za-z]+)(.*)$", re.DOTALL)
_INDEXED = re.compile(r"(\d+):(.*)$", re.DOTALL)
_INTEGER = re.compile(r"-?\d+$", re.ASCII)
_TIME = re.compile(r"\d{1,2}:\d\d:\d\d(?:\.\d+)?$", re.ASCII)
_COUNT = re.compile(r"(?<!\d)(\d+)[A-Za-z]+", re.ASCII)  # from the first digit only: else quadratic
_ACTIVITY = re.compile(r"(?:\w+:)?([\w.]+)\[([^\]]*)\]=(-?\d+)(?:\.\d+)?$", re.ASCII)
_POLICY_ID = re.compile(r"_[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")

MOST_TOKENS: Final = 4000
"""Tokens that are read of one value; a server writes some dozens, and some hundreds for many folders."""

_SHORT: Final = 24
"""Characters. The value of a longer token hardly ever comes a second time."""

_FOLDER_KEYS: Final = frozenset(
    "Ty Filt Filter St Sk Sks Sst SsCmt Sslc Cli Srv Svr BR BPR Pfs Filts MR FtsR ProvSyncType "
    "TotSvC ColdSvC ColdCpyC TotLdC GetChgsIter GetChgsTime".split()
)

TokenKind = Literal["text", "integer", "time", "unknown"]
"""How the value of a token is written."""


@attrs.frozen
class Token:
    """One token of a ``Log=`` value: ``Fc2``, ``Ty:Co``, ``Ver1:161`` (index 1), ``TmRcv10:02:11.5``.

    *key* is its name, *value* its decoded text (for a number, its digits), *kind* how the value is written, and *index*
    the number between the two, if there is one. A token that easops does not know has an empty key, and all of its text
    as its value.
    """

    key: str
    value: str
    kind: TokenKind
    index: int | None = None

    @property
    def integer(self) -> int | None:
        """The value as an integer, whatever its *kind*; None if it is not one."""
        return int(self.value) if _INTEGER.match(self.value) and len(self.value) < 20 else None


@attrs.frozen
class Changes:
    """How many items one side added, changed and deleted in a folder: the first three counts of ``Cli:`` or ``Srv:``.

    They are *adds*, *changes* and *deletes*.
    """

    adds: int = 0
    changes: int = 0
    deletes: int = 0

    @classmethod
    def parse(cls, text: str) -> Changes:
        """The counts of ``5a0c1d``; those that are missing are 0."""
        # By position, because builds differ in the case of the letters and in how many there are.
        counts = [int(match[1][:18]) for match in itertools.islice(_COUNT.finditer(text), 3)]
        return cls(*counts)


@attrs.frozen
class Folder:
    """One folder in a ``Log=`` value.

    *collection* is the id that the device uses for it, *type* its kind (``Co`` contacts, ``Em`` mail, …), *sync_type*
    how it was synchronised: ``F`` for the first time, ``S`` again, ``R`` to recover, ``I`` with an invalid key.
    *client* and *server* are what each of the two sent; *sync_key* is the key that the client sent (``Sk``), another
    one after each sync that it knows to have succeeded.
    """

    collection: str
    type: str | None
    sync_type: str | None
    client: Changes
    server: Changes
    sync_key: str | None = None


@attrs.frozen
class RpcCount:
    """How many mailbox calls a request made: *value*, and where the number is from (*source*).

    That is ``RpcC`` (2007 and 2010); or the sum of ``RPC.C`` over the instances of ``ActivityContextData``; or, only if
    there is no ``RPC.C``, that of ``MAPI.C``.
    """

    value: int
    source: Literal["RpcC", "RPC.C", "MAPI.C"]


@attrs.frozen
class EasLog:
    """A ``Log=`` value, as its *tokens*.

    *generation* is the format: ``2007`` and later, or ``2003``, which easops recognises but does not read, so it has no
    tokens.
    """

    generation: Literal["2003", "2007"]
    tokens: tuple[Token, ...] = ()

    def first(self, key: str) -> Token | None:
        """The first token with this key; None if there is none."""
        return next((token for token in self.tokens if token.key == key), None)

    def text(self, key: str) -> str | None:
        """The value of the first token with this key; None if there is none."""
        token = self.first(key)
        return None if token is None else token.value

    @property
    def folders(self) -> tuple[Folder, ...]:
        """The folders, in their order. One begins at ``Fid:`` and ends at the next ``Fid:``, or at a key that does not
        belong to a folder."""
        return tuple(_folders(self.tokens))

    @property
    def rpc(self) -> RpcCount | None:
        """How many mailbox calls the request made; None if the server did not log it."""
        token = self.first("RpcC")
        if token is not None and token.integer is not None:
            return RpcCount(token.integer, "RpcC")
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
        """The name of the throttling policy that applied, from ``Budget:``; None if it does not say."""
        _, found, name = (self.text("Budget") or "").partition("Policy:")
        end = _POLICY_ID.search(name, 1) if found else None
        return name[: end.start()] if end else None

    @property
    def status(self) -> int | None:
        """The ActiveSync status of the answer (``S1``, ``SC1:1``; 1 is good); None if it is not logged."""
        token = self.first("SC") or self.first("S")
        return None if token is None else token.integer

    @property
    def error(self) -> str | None:
        """The name of the error in ``Error:``, without details; None if there is none."""
        return re.split(r"[:+ ]", self.text("Error") or "")[0] or None


def parse_log(text: str) -> EasLog:
    """The tokens of a ``Log=`` value, at most MOST_TOKENS. They are separated by ``_``; inside a value it is written
    ``%5F``."""
    if _V2003.match(text):
        return EasLog("2003")
    parts = text.split("_", MOST_TOKENS)[:MOST_TOKENS]
    return EasLog("2007", tuple(_short(part) if len(part) < _SHORT else _token(part) for part in parts if part))


def _token(part: str) -> Token:
    match = _TOKEN.match(part)
    if match is None:
        return Token("", part, "unknown")
    key, rest = match.groups()
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


_short: Final = functools.lru_cache(1 << 14)(_token)
"""The same: most tokens of a log are short and come again and again."""


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
        server=Changes.parse(block.get("Srv") or block.get("Svr", "")),  # the documentation says Svr, servers write Srv
        sync_key=block.get("Sk"),
    )
