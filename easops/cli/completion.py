"""What a shell offers at a Tab: names, each with what it is.

Each function here gives the words that may stand at one place, of which typer offers those that begin as the typed one
does. It is quick, and silent: whatever goes wrong, there are no words, and no file is made.
"""

from __future__ import annotations

import functools
import importlib
import itertools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import typer

Words = list[tuple[str, str]]
"""Words, each with its help, which may be empty."""

_RUNS: Final = 30
"""Runs that are offered: the newest."""


def asked() -> bool:
    """Whether a shell asks for words: typer's own scripts say so in the environment."""
    return "_EASOPS_COMPLETE" in os.environ


def quicken() -> None:
    """Have typer do without rich while it completes: it would wrap each help to a terminal's width, of which fish makes
    words of their own, and takes a third of the time."""
    sys.modules["rich"] = None  # type: ignore[assignment]


def _silent(words: Callable[[typer.Context, str], Words]) -> Callable[[typer.Context, str], Words]:
    @functools.wraps(words)
    def guarded(ctx: typer.Context, incomplete: str) -> Words:
        try:
            found = words(ctx, incomplete)
            return [(word, _plain(told)) for word, told in found if os.name == "nt" or "\\" not in word]
        except Exception:
            return []

    return guarded


def _plain(told: str) -> str:
    """Help that no shell takes for anything but text: zsh evaluates what it is given.

    Of a word typer escapes what zsh evaluates, but no backslash before it: a word with one is not offered.
    """
    held = " ".join(told.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}").split())
    return "".join(character for character in held if character not in '[](){}"`$\\;:')


def entries(module: str, table: str) -> Callable[[typer.Context, str], Words]:
    """The names of a table of the library, with their summaries."""

    def words(ctx: typer.Context, incomplete: str) -> Words:
        return [(name, entry.summary) for name, entry in getattr(importlib.import_module(module), table).items()]

    return _silent(words)


def parameters(argument: str, module: str, table: str) -> Callable[[typer.Context, str], Words]:
    """``name=`` of the parameters that the entry of a table takes whose name stands in *argument*; with its default."""

    def words(ctx: typer.Context, incomplete: str) -> Words:
        chosen = getattr(importlib.import_module(module), table)[ctx.params[argument]]
        given = {str(word).partition("=")[0] for word in ctx.params.get("words") or ()}
        return [
            (f"{held.name}={'' if held.required else _written(held.default)}", held.help)
            for held in chosen.parameters
            if held.kind != "result" and held.name not in given
        ]

    return _silent(words)


def _written(default: object) -> str:
    """A default as it is typed."""
    import datetime as dt

    from easops.duration import format_duration

    if default is None:
        return ""
    if isinstance(default, dt.timedelta):
        return format_duration(default)
    if isinstance(default, bool):
        return "true" if default else "false"
    if isinstance(default, list | tuple):
        return ",".join(map(str, default))
    return str(default)


@_silent
def playbooks(ctx: typer.Context, incomplete: str) -> Words:
    """Shipped ones by name, and the YAML files of the folder that is being typed."""
    from easops.playbook.language.load import shipped_playbooks

    shipped = [(name, _title(path)) for name, path in shipped_playbooks().items()]
    folder = incomplete[: len(incomplete) - len(os.path.basename(incomplete))]
    files = sorted(path for path in Path(folder or ".").iterdir() if path.suffix in (".yml", ".yaml"))
    return shipped + [(folder + path.name, title) for path in files if (title := _title(path))]


def _title(path: Path) -> str:
    """What a playbook is called; empty where a file is none."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        head = list(itertools.islice(lines, 50))
    named = (line.partition(":")[2].strip() for line in head if line.startswith("name:"))
    return next(named, "") if any(line.startswith("easops:") for line in head) else ""


@_silent
def inputs(ctx: typer.Context, incomplete: str) -> Words:
    """``name=`` of the inputs of the playbook at hand, with the default."""
    from easops.actions import ACTIONS
    from easops.detectors import DETECTORS
    from easops.playbook.language.load import load_playbook

    given = {str(pair).partition("=")[0] for pair in ctx.params.get("inputs") or ()}
    # While the value of an option is missing, typer leaves what stands bare aside.
    playbook = ctx.params.get("playbook") or ctx.args[0]
    declared = load_playbook(playbook, actions=ACTIONS, detectors=DETECTORS).inputs
    return [
        (f"{held.name}={'' if held.required else _written(held.default)}", held.help)
        for held in declared
        if held.name not in given
    ]


@_silent
def scenarios(ctx: typer.Context, incomplete: str) -> Words:
    from easops.lab.world.scenario import read_scenario, scenario_names

    return [(name, str(read_scenario(name)["description"])) for name in scenario_names()]


@_silent
def runs(ctx: typer.Context, incomplete: str) -> Words:
    """The newest runs of this machine's own records, and what they are; of PostgreSQL's none, which would take long."""
    from easops.playbook.record.location import VARIABLE, recent_runs

    if os.environ.get(VARIABLE):
        return []
    return [
        (run.run_id, " ".join(part for part in (run.what, run.status, "in the lab" if run.lab else "") if part))
        for run in recent_runs(_RUNS)
    ]


@_silent
def files(ctx: typer.Context, incomplete: str) -> Words:
    """None: the shell then offers its files."""
    return []
