"""Loads a ``.ps1`` that lies beside its module under the same stem."""

from __future__ import annotations

import functools
from importlib import resources

from easops.remoting.command import Parameters, Script


@functools.cache
def _text(package: str, name: str) -> str:
    # Sent with LF line ends wherever it was installed, so that one digest names it.
    return (resources.files(package) / name).read_text(encoding="utf-8").replace("\r\n", "\n")


def load_script(package: str, name: str, parameters: Parameters, *, reads: bool) -> Script:
    """The script *name* of *package*, verbatim, with its arguments."""
    return Script(name, _text(package, name), parameters, reads=reads)
