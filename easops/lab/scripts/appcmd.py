"""The twin of ``easops/iis/appcmd.ps1``: runs appcmd.exe."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from easops.lab.cmdlet import Call, ScriptTwin
from easops.lab.scripts import appcmd_exe
from easops.lab.value import CmdletFailed, ErrorInfo
from easops.lab.world import World


def _run_appcmd(world: World, call: Call) -> Iterable[Any]:
    """The lines that appcmd.exe writes, then its exit code."""
    try:
        result = appcmd_exe.run(world, world.servers[call.server], _arguments(call))
    except appcmd_exe.NotSimulated as refused:
        raise CmdletFailed(
            ErrorInfo(
                f"The lab does not simulate appcmd {refused}.",
                "System.NotSupportedException",
                "LabNotSimulated",
                "NotImplemented",
                target=str(refused),
            )
        ) from None
    return [*result.lines, {"ExitCode": result.code}]


def _changes(call: Call) -> bool:
    return appcmd_exe.changes(_arguments(call))


def _arguments(call: Call) -> list[str]:
    return [str(argument) for argument in call.parameters.get("Arguments") or ()]


APPCMD: Final = ScriptTwin(
    "iis/appcmd.ps1",
    "a22db8744da15cc08fd1d44dc755615f303b4612826efae744663ec36574f186",
    _run_appcmd,
    _changes,
)
