"""Find and cure Exchange ActiveSync overload over remote PowerShell: evidence, the smallest cure, proof, undo.

The flow: ``load_inventory`` names the hosts, ``find_playbook`` reads a playbook, ``run`` carries it out and gives a
``RunReport``, ``undo`` puts everything back. An ops script that wants single things opens sessions with
``SessionPool`` and calls the functions of ``easops.exchange`` and ``easops.iis``.

Importing this module loads nothing else: each name is loaded when it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from easops.detectors.finding import Detection
    from easops.errors import AccessRefused, CommandFailed, EasopsError, OutcomeUnknown, UnreachableHost
    from easops.inventory.load import load_inventory
    from easops.playbook.outcome import RunReport
    from easops.playbook.run import find_playbook, resume, run
    from easops.playbook.undo import undo
    from easops.remoting.pool import SessionPool
    from easops.status import Status

_ROOMS = {
    "AccessRefused": "easops.errors",
    "CommandFailed": "easops.errors",
    "Detection": "easops.detectors.finding",
    "EasopsError": "easops.errors",
    "OutcomeUnknown": "easops.errors",
    "RunReport": "easops.playbook.outcome",
    "SessionPool": "easops.remoting.pool",
    "Status": "easops.status",
    "UnreachableHost": "easops.errors",
    "find_playbook": "easops.playbook.run",
    "load_inventory": "easops.inventory.load",
    "resume": "easops.playbook.run",
    "run": "easops.playbook.run",
    "undo": "easops.playbook.undo",
}

__all__ = [
    "AccessRefused",
    "CommandFailed",
    "Detection",
    "EasopsError",
    "OutcomeUnknown",
    "RunReport",
    "SessionPool",
    "Status",
    "UnreachableHost",
    "find_playbook",
    "load_inventory",
    "resume",
    "run",
    "undo",
]


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'easops' has no attribute {name!r}")
    return getattr(import_module(_ROOMS[name]), name)
