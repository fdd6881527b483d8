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
    """A command whose help lists the names of a *table*, which is imported only when that help is shown."""

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
    """For a missing *argument*: the names that exist, and the command that lists them; each may be empty."""
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
    typer.Option(
        "--inventory",
        "-i",
        metavar="FILE",
        help="Inventory file with the hosts (default: the environment variable EASOPS_INVENTORY).",
    ),
]
Credentials = Annotated[
    Path | None,
    typer.Option(
        "--inventory",
        "-i",
        metavar="FILE",
        help="Inventory to take credentials from. Hosts come from the recorded run.",
    ),
]
Lab = Annotated[
    bool, typer.Option("--lab", help="Use a simulated organisation, made for this command, instead of real servers.")
]
Scenario = Annotated[
    str | None,
    typer.Option(
        "--scenario",
        metavar="NAME",
        help="The lab's scenario (contacts-storm); easops lab list shows them.",
        autocompletion=completion.scenarios,
    ),
]
Seed = Annotated[
    int | None, typer.Option("--seed", metavar="N", help="Which variant of the lab's scenario to make (1).")
]
On = Annotated[
    str | None,
    typer.Option(
        "--on", metavar="SELECTOR", help="Select hosts, for example site=AMS and role=mailbox, or by name: EX01,EX02."
    ),
]
Limit = Annotated[
    str | None,
    typer.Option(
        "--limit",
        metavar="SELECTOR",
        help="Use only these of the playbook's hosts, for example site=AMS, or by name: EX01,EX02.",
    ),
]
Html = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Also write the run as an HTML page.")]
Junit = Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Also write a JUnit file (for CI).")]
Notify = Annotated[
    Path | None,
    typer.Option(
        "--notify",
        metavar="FILE",
        help="Notifications file: who is notified when the run ends (default: the environment variable EASOPS_NOTIFY).",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout, and nothing else there.")]
Check = Annotated[bool, typer.Option("--check", help="Read everything, change nothing, and report what would change.")]
Diff = Annotated[bool, typer.Option("--diff", help="Show the values before and after, for every item.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation before the first change.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print only the final summary.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show all evidence and every cmdlet that is sent.")]
Anew = Annotated[bool, typer.Option("--anew", help="Start a new run even if an earlier run is unfinished.")]
Wait = Annotated[
    str | None,
    typer.Option(
        "--wait",
        metavar="DURATION",
        help="How long to wait while another run changes the same target (default: 10m, no limit on a terminal).",
    ),
]
Detailed = Annotated[
    bool,
    typer.Option(
        "--detailed-exitcode",
        help="Exit with 2 instead of 0 if something was found and not treated, or would be changed.",
    ),
]
Protect = Annotated[
    list[str] | None, typer.Option("--protect", metavar="NAME,…", help="Mailboxes and groups that must not be changed.")
]
RunId = Annotated[
    str, typer.Argument(metavar="RUN", help="Run id, or its first characters.", autocompletion=completion.runs)
]
UntilStdinCloses = Annotated[
    bool, typer.Option("--until-stdin-closes", help="For programs: stop, as on SIGTERM, when standard input is closed.")
]
