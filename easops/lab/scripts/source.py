"""The twin of ``easops/logs/source.ps1``: a byte range of a file."""

from __future__ import annotations

import datetime as dt
import gzip
from collections.abc import Iterable
from typing import Any, Final

from easops.lab.cmdlet import Call, ScriptTwin
from easops.lab.value import I64, CmdletFailed, ErrorInfo
from easops.lab.world import World

_CHUNK: Final = 262_144


def _read_log(world: World, call: Call) -> Iterable[Any]:
    """The bytes in packed chunks, then the file's length, the offset of the range, and the server's clock."""
    path = str(call.parameters.get("Path") or "")
    world.flush()
    server = world.servers[call.server]
    disk = server.disk
    file = disk.file(path)
    if file is None:
        raise CmdletFailed(
            ErrorInfo(
                f"Could not find file '{path}'.",
                "System.IO.FileNotFoundException",
                f"Could not find file '{path}'.",  # what `throw` makes of an exception
                "OperationStopped",
                target=path,
            )
        )
    total = file.size
    offset = min(max(int(call.parameters.get("Offset") or 0), 0), total)
    remaining = min(int(call.parameters.get("Length") or 0), total - offset)
    for start in range(offset, offset + remaining, _CHUNK):
        yield gzip.compress(disk.read(path, start, min(_CHUNK, offset + remaining - start)), compresslevel=1, mtime=0)
    # DateTime's round-trip format has seven digits of a second.
    moment = dt.datetime.fromtimestamp(server.told(world.time), dt.UTC)
    yield {"Length": I64(total), "Offset": I64(offset), "Time": f"{moment:%Y-%m-%dT%H:%M:%S.%f}0Z", "Packed": True}


SOURCE: Final = ScriptTwin(
    "logs/source.ps1", "db1f78d7a3fdaec58a91c7943432f13c8e523db5c3310f3af39dbbc418497a72", _read_log
)
