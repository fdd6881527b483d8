"""``easops detect``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from easops.cli import arguments, completion, options
from easops.cli.console import Console, trace_commands


def detect(
    detector: Annotated[
        str,
        typer.Argument(
            metavar="DETECTOR", help=options.NAMES, autocompletion=completion.entries("easops.detectors", "DETECTORS")
        ),
    ],
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[KEY=VALUE]…",
            help="Parameters of the detector.",
            autocompletion=completion.parameters("detector", "easops.detectors", "DETECTORS"),
        ),
    ] = None,
    inventory: options.Inventory = None,
    lab: options.Lab = False,
    scenario: options.Scenario = None,
    seed: options.Seed = None,
    logs: Annotated[
        list[Path] | None,
        typer.Option(
            "--logs",
            metavar="PATH",
            help="Read these IIS log files or folders instead of servers: W3SVC2 (Exchange 2010: W3SVC1).",
        ),
    ] = None,
    on: options.On = None,
    detailed_exitcode: options.Detailed = False,
    as_json: options.Json = False,
    verbose: options.Verbose = False,
) -> None:
    """Look for a fault, and show the evidence. Changes nothing."""
    from easops.detectors import DETECTORS
    from easops.detectors.detect import detect as run_detector
    from easops.detectors.detection_status import detect_status
    from easops.errors import BadInput
    from easops.lab_process import DEFAULT_SCENARIO
    from easops.status import EXIT_CODES, EXIT_PENDING, Severity, severity

    chosen = arguments.entry(DETECTORS, detector, "detector")
    values = arguments.parameter_values(words or [], chosen.parameters, detector)
    arguments.check_lab(lab, scenario, seed, inventory)
    console = Console()
    if verbose:
        trace_commands(console)
    if logs:
        if inventory is not None or on is not None or lab:
            raise BadInput(
                "--logs excludes --inventory, --on and --lab", "it reads files, and no server", "leave one of them out"
            )
        found = run_detector(detector, None, values, logs=logs)
    else:
        if lab:
            console.progress("starting the lab")
        hosts = None if lab else arguments.hosts_of(inventory)
        found = run_detector(
            detector, hosts, values, lab=lab, scenario=scenario, seed=seed, on=on or "runs=activesync", observer=console
        )
    console.stop_progress()
    status = detect_status(found)
    code = EXIT_CODES[status]
    if detailed_exitcode and found.found and severity(status) is Severity.GOOD:
        code = EXIT_PENDING
    simulated = (scenario or DEFAULT_SCENARIO) if lab else None
    console.result(console.form(as_json).detection(found, status, code, lab=simulated, verbose=verbose))
    raise typer.Exit(code)
