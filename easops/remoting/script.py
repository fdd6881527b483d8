"""Loads a ``.ps1`` file, which is next to the module that uses it and has the same name."""

from __future__ import annotations

import functools
from importlib import resources

from easops.remoting.command import Parameters, Script


@functools.cache
def _text(package: str, name: str) -> str:
    # Always with LF line ends, whatever system it was installed on: the lab recognises a script by its digest.
    return (resources.files(package) / name).read_text(encoding="utf-8").replace("\r\n", "\n")


def load_script(package: str, name: str, parameters: Parameters, *, reads: bool) -> Script:
    """The script *name* of *package*, unchanged, with the values of its parameters."""
    return Script(name, _text(package, name), parameters, reads=reads)
