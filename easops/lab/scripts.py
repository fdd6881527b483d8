"""The scripts that the Python engine knows by their digest, and what it does in their place: ``SCRIPTS``.

It cannot run script text. A script whose digest is not here is refused with a typed error; a test holds the digests
against the scripts as they lie in the package.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, Final

from easops.lab import appcmd
from easops.lab.cmdlet import Call, ScriptTwin
from easops.lab.value import I64, CmdletFailed, ErrorInfo
from easops.lab.world import World
from easops.registry import table

_CHUNK: Final = 262_144


def _read_log(world: World, call: Call) -> Iterable[Any]:
    """logs/source.ps1: a byte range of a file, then its length, where the range began, and the server's clock."""
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
    begin = min(max(int(call.parameters.get("Offset") or 0), 0), total)
    left = min(int(call.parameters.get("Length") or 0), total - begin)
    with file.open("rb") as stream:
        stream.seek(begin)
        while left > 0:
            chunk = stream.read(min(_CHUNK, left))
            yield chunk
            left -= len(chunk)
    # DateTime's round-trip format has seven digits of a second.
    moment = dt.datetime.fromtimestamp(world.time, dt.UTC)
    yield {"Length": I64(total), "Offset": I64(begin), "Time": f"{moment:%Y-%m-%dT%H:%M:%S.%f}0Z"}


def _run_appcmd(world: World, call: Call) -> Iterable[Any]:
    """iis/appcmd.ps1: the lines that appcmd.exe writes, then its exit code."""
    arguments = [str(argument) for argument in call.parameters.get("Arguments") or ()]
    try:
        ended = appcmd.run(world, world.servers[call.server], arguments)
    except appcmd.NotSimulated as what:
        raise CmdletFailed(
            ErrorInfo(
                f"The lab does not simulate appcmd {what}.",
                "System.NotSupportedException",
                "LabNotSimulated",
                "NotImplemented",
                target=str(what),
            )
        ) from None
    return [*ended.lines, {"ExitCode": ended.code}]


def _appcmd_changes(call: Call) -> bool:
    return appcmd.changes([str(argument) for argument in call.parameters.get("Arguments") or ()])


SCRIPTS: Final = table(
    ScriptTwin(
        "iis/appcmd.ps1",
        "a22db8744da15cc08fd1d44dc755615f303b4612826efae744663ec36574f186",
        _run_appcmd,
        _appcmd_changes,
    ),
    ScriptTwin("logs/source.ps1", "432a07456a0a18b65794a3a022d7273d5ec6f43aeec23a1e0143648248169ddb", _read_log),
)
