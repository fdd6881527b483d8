"""Shell completion: the words that a shell offers when somebody presses Tab, each with its help.

Each function returns the words that are possible at one place; typer offers those that begin like the typed one.
Completion must be quick and silent: on any error there are no words, and no file is created.
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
"""Words with their help texts, which may be empty."""

_RUNS: Final = 30
"""How many runs are offered: the newest ones."""


def requested() -> bool:
    """Whether this process was started by a shell for completion: typer's scripts set a variable."""
    return "_EASOPS_COMPLETE" in os.environ


def disable_rich() -> None:
    """Make typer complete without rich, which takes a third of the time, and wraps help texts to the terminal's width:
    fish would offer each wrapped line as a word."""
    sys.modules["rich"] = None  # type: ignore[assignment]


def _silent(words: Callable[[typer.Context, str], Words]) -> Callable[[typer.Context, str], Words]:
    @functools.wraps(words)
    def guarded(ctx: typer.Context, incomplete: str) -> Words:
        try:
            found = words(ctx, incomplete)
            return [(word, _plain(help_text)) for word, help_text in found if os.name == "nt" or "\\" not in word]
        except Exception:
            return []

    return guarded


def _plain(help_text: str) -> str:
    """*help_text* without the characters that zsh would evaluate.

    In a word typer escapes those characters itself, but not a backslash before one: so on POSIX a word with a backslash
    is not offered at all.
    """
    text = " ".join(help_text.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}").split())
    return "".join(character for character in text if character not in '[](){}"`$\\;:')


def entries(module: str, table: str) -> Callable[[typer.Context, str], Words]:
    """The names of a table of the library, with their summaries."""

    def words(ctx: typer.Context, incomplete: str) -> Words:
        return [(name, entry.summary) for name, entry in getattr(importlib.import_module(module), table).items()]

    return _silent(words)


def parameters(argument: str, module: str, table: str) -> Callable[[typer.Context, str], Words]:
    """``name=default`` for the parameters of a table's entry; *argument* is the argument that names the entry."""

    def words(ctx: typer.Context, incomplete: str) -> Words:
        chosen = getattr(importlib.import_module(module), table)[ctx.params[argument]]
        typed = {str(word).partition("=")[0] for word in ctx.params.get("words") or ()}
        return [
            (f"{parameter.name}={'' if parameter.required else _as_typed(parameter.default)}", parameter.help)
            for parameter in chosen.parameters
            if parameter.kind != "result" and parameter.name not in typed
        ]

    return _silent(words)


def _as_typed(default: object) -> str:
    """A default value as somebody would type it."""
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
    """Names of shipped playbooks, and the playbook files in the folder that is being typed."""
    from easops.playbook.language.load import shipped_playbooks

    shipped = [(name, _title(path)) for name, path in shipped_playbooks().items()]
    folder = incomplete[: len(incomplete) - len(os.path.basename(incomplete))]
    files = sorted(path for path in Path(folder or ".").iterdir() if path.suffix in (".yml", ".yaml"))
    return shipped + [(folder + path.name, title) for path in files if (title := _title(path))]


def _title(path: Path) -> str:
    """The title of a playbook; empty for a file that is not a playbook."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        head = list(itertools.islice(lines, 50))
    named = (line.partition(":")[2].strip() for line in head if line.startswith("name:"))
    return next(named, "") if any(line.startswith("easops:") for line in head) else ""


@_silent
def inputs(ctx: typer.Context, incomplete: str) -> Words:
    """``name=default`` for the inputs of the playbook on the command line."""
    from easops.actions import ACTIONS
    from easops.detectors import DETECTORS
    from easops.playbook.language.load import load_playbook

    typed = {str(pair).partition("=")[0] for pair in ctx.params.get("inputs") or ()}
    # While the value of an option is missing, typer leaves the playbook among the unparsed arguments.
    playbook = ctx.params.get("playbook") or ctx.args[0]
    declared = load_playbook(playbook, actions=ACTIONS, detectors=DETECTORS).inputs
    return [
        (f"{parameter.name}={'' if parameter.required else _as_typed(parameter.default)}", parameter.help)
        for parameter in declared
        if parameter.name not in typed
    ]


@_silent
def scenarios(ctx: typer.Context, incomplete: str) -> Words:
    from easops.lab.world.scenario import read_scenario, scenario_names

    return [(name, str(read_scenario(name)["description"])) for name in scenario_names()]


@_silent
def runs(ctx: typer.Context, incomplete: str) -> Words:
    """The newest runs in this machine's SQLite file; none from PostgreSQL, which would take too long."""
    from easops.playbook.record.location import VARIABLE, recent_runs

    if os.environ.get(VARIABLE):
        return []
    return [
        (run.run_id, " ".join(part for part in (run.title, run.status, "in the lab" if run.lab else "") if part))
        for run in recent_runs(_RUNS)
    ]


@_silent
def files(ctx: typer.Context, incomplete: str) -> Words:
    """No words: the shell then offers files."""
    return []
