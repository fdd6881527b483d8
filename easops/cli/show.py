"""``easops show``."""

from __future__ import annotations

from typing import Annotated

import typer

from easops.cli import complete, given, options
from easops.cli.voice import Voice, trace_commands


def show(
    reading: Annotated[
        str,
        typer.Argument(
            metavar="READING", help=options.NAMES, autocompletion=complete.entries("easops.readings", "READINGS")
        ),
    ],
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[KEY=VALUE]…",
            help="Its parameters; a lone text needs no key.",
            autocompletion=complete.parameters("reading", "easops.readings", "READINGS"),
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

    chosen = given.named(READINGS, reading, "reading")
    values = given.with_defaults(given.arguments(words or [], chosen.parameters, reading), chosen.parameters)
    hosts = given.selected(on or "all", given.hosts_of(inventory))
    voice = Voice()
    if verbose:
        trace_commands(voice)
    result = take(chosen, values, hosts)
    voice.result(voice.form(as_json).reading(result))
    raise typer.Exit(result.exit_code)
