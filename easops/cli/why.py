"""``easops why``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from easops.cli import arguments, completion, options
from easops.cli.console import Console

if TYPE_CHECKING:
    from easops.detectors.finding import Detection


def why(
    subject: Annotated[
        str,
        typer.Argument(
            metavar="RUN|DETECTOR",
            help="A recorded run, or a detector, which then looks again.",
            autocompletion=completion.entries("easops.detectors", "DETECTORS"),
        ),
    ],
    who: Annotated[str, typer.Argument(metavar="WHO", help="A user, a device id, or a server.")],
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY=VALUE]…", help="Parameters of the detector."),
    ] = None,
    inventory: options.Inventory = None,
    lab: options.Lab = False,
    scenario: options.Scenario = None,
    seed: options.Seed = None,
    logs: Annotated[
        list[Path] | None,
        typer.Option("--logs", metavar="PATH", help="Read these IIS log files or folders instead of servers."),
    ] = None,
    on: options.On = None,
    as_json: options.Json = False,
) -> None:
    """Explain why somebody is a finding, or is none: each test, and what would change it."""
    from easops.detectors import DETECTORS
    from easops.detectors.why import explain
    from easops.errors import BadInput

    console = Console()
    if subject in DETECTORS:
        detections = [_looked_again(subject, who, words, inventory, lab, scenario, seed, logs, on, console)]
    elif words or inventory or lab or scenario or seed is not None or logs or on:
        raise BadInput(
            f"there is no detector called {subject!r}",
            "parameters, --logs, --lab and --inventory are for a detector; of a recorded run nothing is read again",
            f"name a detector ({', '.join(DETECTORS)}), or type easops why {subject} WHO",
        )
    else:
        detections = _recorded(subject)
    console.stop_progress()
    console.result(console.form(as_json).explained(explain(detections, who)))


def _looked_again(
    detector: str,
    who: str,
    words: list[str] | None,
    inventory: Path | None,
    lab: bool,
    scenario: str | None,
    seed: int | None,
    logs: list[Path] | None,
    on: str | None,
    console: Console,
) -> Detection:
    from easops.detectors import DETECTORS
    from easops.detectors.detect import detect

    values = arguments.parameter_values(words or [], DETECTORS[detector].parameters, detector)
    arguments.check_lab(lab, scenario, seed, inventory)
    if logs:
        return detect(detector, None, values, logs=logs)
    hosts = None if lab else arguments.hosts_of(inventory)
    return detect(
        detector,
        hosts,
        values,
        lab=lab,
        scenario=scenario,
        seed=seed,
        on=on or "runs=activesync",
        observer=console,
    )


def _recorded(run: str) -> list[Detection]:
    from easops.errors import BadInput
    from easops.playbook.assessment.run_report import report_of
    from easops.playbook.record.run_view import show_run

    report = report_of(show_run(run))
    found = [step.detection for step in report.steps if step.kind == "detect" and step.detection is not None]
    if not found:
        raise BadInput(f"run {run} detected nothing", "no detect step of it has a result", "name another run")
    return found
