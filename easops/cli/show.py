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
            help="Parameters of the reading; a single value may be given without KEY=.",
            autocompletion=completion.parameters("reading", "easops.readings", "READINGS"),
        ),
    ] = None,
    inventory: options.Inventory = None,
    lab: options.Lab = False,
    scenario: options.Scenario = None,
    seed: options.Seed = None,
    on: options.On = None,
    as_json: options.Json = False,
    verbose: options.Verbose = False,
) -> None:
    """Show a reading of the servers or of the organisation."""
    from easops.lab_process import DEFAULT_SCENARIO, temporary_lab
    from easops.readings import READINGS
    from easops.readings.take import take

    chosen = arguments.entry(READINGS, reading, "reading")
    typed = arguments.parameter_values(words or [], chosen.parameters, reading)
    values = arguments.with_defaults(typed, chosen.parameters)
    arguments.check_lab(lab, scenario, seed, inventory)
    console = Console()
    if verbose:
        trace_commands(console)
    if lab:
        console.progress("starting the lab")
        with temporary_lab(scenario or DEFAULT_SCENARIO, seed) as organisation:
            hosts = arguments.select(on or "all", organisation.hosts)
            result = take(chosen, values, hosts, organisation.clock)
    else:
        result = take(chosen, values, arguments.select(on or "all", arguments.hosts_of(inventory)))
    console.stop_progress()
    simulated = (scenario or DEFAULT_SCENARIO) if lab else None
    console.result(console.form(as_json).reading(result, lab=simulated))
    raise typer.Exit(result.exit_code)
