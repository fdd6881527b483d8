"""``easops show``."""

from __future__ import annotations

from typing import Annotated

import typer

from easops.cli import arguments, completion, options
from easops.cli.console import Console, trace_commands


def show(
    reading: Annotated[
        str,
        typer.Argument(
            metavar="READING", help=options.NAMES, autocompletion=completion.entries("easops.readings", "READINGS")
        ),
    ],
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[KEY=VALUE]…",
            help="Its parameters; a lone text needs no key.",
            autocompletion=completion.parameters("reading", "easops.readings", "READINGS"),
        ),
    ] = None,
    inventory: options.Inventory = None,
    on: options.On = None,
    as_json: options.Json = False,
    verbose: options.Verbose = False,
) -> None:
    """Show a reading of the servers, or of the organisation."""
    from easops.readings import READINGS
    from easops.readings.take import take

    chosen = arguments.named(READINGS, reading, "reading")
    typed = arguments.parameter_values(words or [], chosen.parameters, reading)
    values = arguments.with_defaults(typed, chosen.parameters)
    hosts = arguments.selected(on or "all", arguments.hosts_of(inventory))
    console = Console()
    if verbose:
        trace_commands(console)
    result = take(chosen, values, hosts)
    console.result(console.form(as_json).reading(result))
    raise typer.Exit(result.exit_code)
