"""The stored signatures, ``exchange.json`` and ``windows.json``, transcribed from Microsoft's reference pages.

``cmdlets`` has an entry by the name of each cmdlet:

- ``page``: the page it is from, as a path below ``github.com/MicrosoftDocs``; ``sources`` has the commits;
- ``sets``: the names of its parameter sets;
- ``parameters``: by name ``[type, sets, versions, aliases, values]``, whose end is left out where it is the default.
  *sets* is a list of ``[number of the set or -1 for all, mandatory, position or -1, pipeline]`` (pipeline: 1 by value,
  2 by property name, 3 both); *versions* are bits (1 is 2010, 2 is 2013, ... 16 is SE; default: all); *values* are what
  an enumeration or a ValidateSet takes;
- and, where they are not the default: ``versions``, ``should_process``, ``default`` (set), ``aliases``, ``module``.

``tools/lab_signatures.py`` checks the files, and shows an entry as its page's SYNTAX section does.

The Windows below Exchange 2010 is the oldest that it runs on, with PowerShell 2.0. Where an Exchange page names no
default parameter set, ``Identity`` is taken if there is a set of that name: without it plain calls that every server
answers would be ambiguous.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

import attrs

from easops.lab.signatures.signature import COMMON, COMMON_SINCE_3_0, SHOULD_PROCESS, Membership, Parameter, Signature

VERSIONS = ("2010", "2013", "2016", "2019", "SE")
"""The versions of Exchange that there are signatures of, in the order of their bits."""

_UNLIMITED_SINCE_2013 = {("New-ThrottlingPolicy", "EASMaxConcurrency"), ("Set-ThrottlingPolicy", "EASMaxConcurrency")}
"""Parameters that are UInt32 on their pages; published procedures for 2013 and later give them ``Unlimited``."""

EVERY_VERSION = (1 << len(VERSIONS)) - 1


@functools.cache
def read_entries(name: str) -> Mapping[str, Any]:
    """The entries of ``exchange`` or ``windows``, by cmdlet."""
    text = resources.files("easops.lab").joinpath("signatures", f"{name}.json").read_text(encoding="utf-8")
    entries: Mapping[str, Any] = json.loads(text)["cmdlets"]
    return entries


def signature_of(name: str, entry: Mapping[str, Any], version: str) -> Signature | None:
    """The cmdlet *name* as *version* has it; None where that version does not have it."""
    bit = 1 << VERSIONS.index(version)
    if not entry.get("versions", bit) & bit:
        return None
    every = [_parameter(key, value) for key, value in entry["parameters"].items()]
    here = {parameter.name: parameter for parameter, versions in every if versions & bit}
    for key in here.keys() if version != "2010" else ():
        if (name, key) in _UNLIMITED_SINCE_2013:
            here[key] = attrs.evolve(here[key], type="Unlimited")
    # A set whose own parameters are all of other versions does not exist in this one.
    has_parameter: dict[int, bool] = {}
    for parameter, _versions in every:
        for number in parameter.sets:
            if number >= 0:
                has_parameter[number] = has_parameter.get(number, False) or parameter.name in here
    names = entry["sets"]
    kept = [number for number in range(len(names)) if has_parameter.get(number, True)] or list(range(len(names)))
    renumbered = {old: new for new, old in enumerate(kept)}
    parameters = {
        parameter.name: attrs.evolve(
            parameter,
            sets={renumbered.get(old, -1): m for old, m in parameter.sets.items() if old < 0 or old in renumbered},
        )
        for parameter in here.values()
    }
    sets = tuple(names[number] for number in kept)
    default = entry.get("default")
    should_process = entry.get("should_process", False)
    common = {key: common for key, common in COMMON.items() if version != "2010" or key not in COMMON_SINCE_3_0}
    return Signature(
        name=name,
        sets=sets,
        default=sets.index(default) if default in sets else None,
        parameters={**parameters, **common, **(SHOULD_PROCESS if should_process else {})},
        should_process=should_process,
        aliases=tuple(entry.get("aliases", ())),
        module=entry.get("module", ""),
    )


def _parameter(name: str, entry: Sequence[Any]) -> tuple[Parameter, int]:
    """The parameter, and the bits of the versions that have it."""
    defaults: list[Any] = [EVERY_VERSION, (), ()]
    type_, sets, versions, aliases, values = [*entry, *defaults[len(entry) - 2 :]]
    memberships = {
        number: Membership(bool(mandatory), position if position >= 0 else None, pipeline)
        for number, mandatory, position, pipeline in sets
    }
    return Parameter(name, type_, memberships, tuple(aliases), tuple(values)), versions
