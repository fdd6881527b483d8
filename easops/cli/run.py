"""``easops run``."""

from __future__ import annotations

from typing import Annotated

import typer

from easops.cli import arguments, completion, options
from easops.cli.console import Console
from easops.cli.report_files import ReportFiles
from easops.cli.run_display import RunDisplay
from easops.cli.run_options import RunOptions, takes_run_options


@takes_run_options
def run(
    playbook: Annotated[
        str,
        typer.Argument(
            metavar="PLAYBOOK", help="A file, or the name of a shipped playbook.", autocompletion=completion.playbooks
        ),
    ],
    inventory: options.Inventory = None,
    lab: Annotated[bool, typer.Option("--lab", help="Run it on a simulated organisation, made for this run.")] = False,
    scenario: Annotated[
        str | None,
        typer.Option(
            "--scenario",
            metavar="NAME",
            help="Which one; easops lab list shows them.",
            autocompletion=completion.scenarios,
        ),
    ] = None,
    limit: options.Limit = None,
    check: options.Check = False,
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input", metavar="NAME=VALUE", help="An input of the playbook.", autocompletion=completion.inputs
        ),
    ] = None,
    submit: Annotated[
        bool, typer.Option("--submit", help="Record the run only, for easops worker to execute; needs --yes.")
    ] = False,
    anew: options.Anew = False,
    detailed_exitcode: options.Detailed = False,
    junit: options.Junit = None,
    *,
    shared: RunOptions,
) -> None:
    """Run a playbook: find, cure, prove."""
    from easops.errors import BadInput
    from easops.playbook.language.find import find_playbook
    from easops.playbook.run import run as run_playbook
    from easops.playbook.run import submit as submit_run

    if lab and inventory is not None:
        raise BadInput("--lab and --inventory exclude each other", "the lab brings its own hosts", "leave one out")
    if scenario is not None and not lab:
        raise BadInput(
            "--scenario is the lab's", "without --lab the run is on real servers", "add --lab, or leave it out"
        )
    files = ReportFiles({"html": shared.html, "junit": junit})
    if submit and files:
        raise BadInput(
            "--submit writes no report",
            "the run has not begun",
            f"easops runs show RUN {files.options} writes it afterwards",
        )
    with files.or_why(playbook):
        found = find_playbook(playbook)
        if lab and scenario is None and found.scenario is None:
            raise BadInput(
                f"{playbook} names no scenario", "so --lab does not know which world to make", "add --scenario NAME"
            )
        if submit and (lab or check or not shared.yes):
            raise BadInput(
                "--submit goes with --yes, and neither with --lab nor with --check",
                "a worker has nobody to ask, and a lab is of this machine",
                "add --yes, or leave --submit out",
            )
        hosts = None if lab else arguments.hosts_of(inventory)
        values = arguments.inputs(inputs or [])
        if submit:
            announcer = arguments.notifications_of(shared.notify, here=False)
            run_id = submit_run(found, hosts or (), values, limit=limit, anew=anew, announcer=announcer)
            console = Console()
            console.result(console.form(shared.as_json).submitted(run_id))
            return
        patience = arguments.patience(shared.wait)
        announcer = arguments.notifications_of(shared.notify)
        display = RunDisplay(
            found.name,
            shared,
            files,
            announcer,
            lab=(scenario or found.scenario) if lab else None,
            limit=limit,
            checked=check,
        )
        if lab:
            display.progress("starting the lab")
        report = display.execute(
            lambda stopper: run_playbook(
                found,
                hosts,
                values,
                check=check,
                lab=lab,
                scenario=scenario,
                limit=limit,
                confirm=display.confirm(),
                anew=anew,
                wait=patience,
                observer=display,
                stopper=stopper,
                announcer=display.announcer,
            )
        )
        display.finish(report, detailed=detailed_exitcode)
