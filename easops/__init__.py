"""Find and cure Exchange ActiveSync overload over remote PowerShell: evidence, the smallest cure, proof, undo.

``load_inventory`` names the hosts. ``detect`` looks for a fault with evidence, ``run`` carries out a playbook, ``do``
a single action, and ``undo`` puts back what they changed. ``read_hosts`` reads many servers at once by the functions
of ``easops.exchange``, ``easops.iis`` and ``easops.logs``, which a script may also call by itself, with a session of a
``SessionPool``.

Nothing here prints, or ends the process. Errors are those of ``easops.errors``, all of them ``EasopsError``.
Importing this module loads nothing else: each name is loaded when it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from easops.detectors.detect import detect
    from easops.detectors.finding import Detection
    from easops.errors import EasopsError
    from easops.inventory.load import load_inventory
    from easops.playbook.assessment.run_report import RunReport
    from easops.playbook.do import do
    from easops.playbook.language.find import find_playbook
    from easops.playbook.resume import resume
    from easops.playbook.run import run
    from easops.playbook.steps.observer import Observer
    from easops.playbook.undo import undo
    from easops.remoting.pool import SessionPool, read_hosts
    from easops.status import Status

_ROOMS = {
    "Detection": "easops.detectors.finding",
    "EasopsError": "easops.errors",
    "Observer": "easops.playbook.steps.observer",
    "RunReport": "easops.playbook.assessment.run_report",
    "SessionPool": "easops.remoting.pool",
    "Status": "easops.status",
    "detect": "easops.detectors.detect",
    "do": "easops.playbook.do",
    "find_playbook": "easops.playbook.language.find",
    "load_inventory": "easops.inventory.load",
    "read_hosts": "easops.remoting.pool",
    "resume": "easops.playbook.resume",
    "run": "easops.playbook.run",
    "undo": "easops.playbook.undo",
}

__all__ = [
    "Detection",
    "EasopsError",
    "Observer",
    "RunReport",
    "SessionPool",
    "Status",
    "detect",
    "do",
    "find_playbook",
    "load_inventory",
    "read_hosts",
    "resume",
    "run",
    "undo",
]


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'easops' has no attribute {name!r}")
    return getattr(import_module(_ROOMS[name]), name)
