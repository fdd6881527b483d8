"""The twin of ``easops/logs/source.ps1``: a byte range of a file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, Final

from easops.lab.cmdlet import Call, ScriptTwin
from easops.lab.value import I64, CmdletFailed, ErrorInfo
from easops.lab.world import World

_CHUNK: Final = 262_144


def _read_log(world: World, call: Call) -> Iterable[Any]:
    """The bytes in chunks, then the file's length, the offset of the range, and the server's clock."""
    path = str(call.parameters.get("Path") or "")
    world.flush()
    file = world.servers[call.server].folder(path)
    if not file.is_file():
        raise CmdletFailed(
            ErrorInfo(
                f"Could not find file '{path}'.",
                "System.IO.FileNotFoundException",
                f"Could not find file '{path}'.",  # what `throw` makes of an exception
                "OperationStopped",
                target=path,
            )
        )
    total = file.stat().st_size
    offset = min(max(int(call.parameters.get("Offset") or 0), 0), total)
    remaining = min(int(call.parameters.get("Length") or 0), total - offset)
    with file.open("rb") as stream:
        stream.seek(offset)
        while remaining > 0:
            chunk = stream.read(min(_CHUNK, remaining))
            yield chunk
            remaining -= len(chunk)
    # DateTime's round-trip format has seven digits of a second.
    moment = dt.datetime.fromtimestamp(world.time, dt.UTC)
    yield {"Length": I64(total), "Offset": I64(offset), "Time": f"{moment:%Y-%m-%dT%H:%M:%S.%f}0Z"}


SOURCE: Final = ScriptTwin(
    "logs/source.ps1", "432a07456a0a18b65794a3a022d7273d5ec6f43aeec23a1e0143648248169ddb", _read_log
)
