"""Finding a playbook by its name or its file, and checking it against easops' own actions and detectors."""

from __future__ import annotations

from pathlib import Path

from easops.actions import ACTIONS
from easops.detectors import DETECTORS
from easops.playbook.language.load import load_playbook
from easops.playbook.language.model import Playbook


def find_playbook(path_or_name: Path | str) -> Playbook:
    """The playbook in a file, or the shipped playbook of that name (``contacts-sync-storm``), fully checked.

    No server is asked.

    Raises:
        BadInput: there is no such file or shipped playbook, or the playbook is not valid. The error lists every
            problem, each with ``file:line:column``.
    """
    return load_playbook(path_or_name, actions=ACTIONS, detectors=DETECTORS)
