"""The options that several commands have, each described once."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand

from easops.cli import completion

NAMES: Final = "(its names)"
"""Help of an argument that names an entry of a table; see ``naming``."""


def naming(module: str, table: str) -> type[TyperCommand]:
    """A command whose help tells the names of a *table*, which is imported only when that help is asked for."""

    class Naming(TyperCommand):
        def names(self) -> str:
            return ", ".join(getattr(importlib.import_module(module), table))

        def format_help(self, ctx: Any, formatter: Any) -> None:
            for parameter in self.params:
                if getattr(parameter, "help", None) == NAMES:
                    parameter.help = f"{self.names()}."  # type: ignore[attr-defined]
            super().format_help(ctx, formatter)

    return Naming


def choices(command: Any, argument: Any) -> tuple[str, str]:
    """Of an *argument* that is missing: what there is to name, and the command that shows it; each may be empty."""
    metavar = str(getattr(argument, "metavar", ""))
    if metavar.startswith("RUN"):
        return "", "easops runs list"
    if metavar.startswith("PLAYBOOK"):
        from easops.playbook.language.load import shipped_playbooks

        return f"a file, or one of {', '.join(shipped_playbooks())}", ""
    names = getattr(command, "names", None)
    return (f"there are {names()}", "") if names is not None and argument is not None else ("", "")


Inventory = Annotated[
    Path | None,
    typer.Option("--inventory", "-i", metavar="FILE", help="The hosts (or the environment variable EASOPS_INVENTORY)."),
]
Credentials = Annotated[
    Path | None,
    typer.Option("--inventory", "-i", metavar="FILE", help="Supplies credentials; the hosts are the recorded ones."),
]
On = Annotated[
    str | None,
    typer.Option(
        "--on", metavar="SELECTOR", help="Which hosts, as in: site=AMS and role=mailbox; or names: EX01,EX02."
    ),
]
Limit = Annotated[
    str | None,
    typer.Option(
        "--limit", metavar="SELECTOR", help="Narrow the playbook's hosts, as in: site=AMS; or names: EX01,EX02."
    ),
]
Html = Annotated[
    Path | None, typer.Option("--html", metavar="FILE", help="Write the run as a page for a browser, too.")
]
Junit = Annotated[
    Path | None, typer.Option("--junit", metavar="FILE", help="Write the run as a JUnit file, for a forge, too.")
]
Notify = Annotated[
    Path | None,
    typer.Option(
        "--notify", metavar="FILE", help="Who is told of its end (or the environment variable EASOPS_NOTIFY)."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, and nothing else there.")]
Check = Annotated[bool, typer.Option("--check", help="Read everything, change nothing, say what would change.")]
Diff = Annotated[bool, typer.Option("--diff", help="Show before and after of every item.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before the first change.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show the end alone.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show all evidence, and every cmdlet sent.")]
Anew = Annotated[bool, typer.Option("--anew", help="Begin although an earlier run owes its later steps.")]
Wait = Annotated[
    str | None,
    typer.Option("--wait", metavar="DURATION", help="How long to wait for a target that another run holds (10m)."),
]
Detailed = Annotated[
    bool, typer.Option("--detailed-exitcode", help="Exit 2 where something was found or would change.")
]
Protect = Annotated[
    list[str] | None, typer.Option("--protect", metavar="NAME,…", help="Mailboxes and groups that are never touched.")
]
RunId = Annotated[
    str, typer.Argument(metavar="RUN", help="A run's id, or its beginning.", autocompletion=completion.runs)
]
UntilStdinCloses = Annotated[
    bool, typer.Option("--until-stdin-closes", help="For programs: stop, as on SIGTERM, when standard input ends.")
]
