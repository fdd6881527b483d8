"""``easops run``."""

from __future__ import annotations

from typing import Annotated

import typer

from easops.cli import arguments, completion, options
from easops.cli.console import Console
from easops.cli.report_files import ReportFiles
from easops.cli.run_display import RunDisplay


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
    diff: options.Diff = False,
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input", metavar="NAME=VALUE", help="An input of the playbook.", autocompletion=completion.inputs
        ),
    ] = None,
    submit: Annotated[
        bool, typer.Option("--submit", help="Record the run only, for easops worker to execute; needs --yes.")
    ] = False,
    yes: options.Yes = False,
    anew: options.Anew = False,
    wait: options.Wait = None,
    detailed_exitcode: options.Detailed = False,
    html: options.Html = None,
    junit: options.Junit = None,
    notify: options.Notify = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
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
    files = ReportFiles({"html": html, "junit": junit})
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
        if submit and (lab or check or not yes):
            raise BadInput(
                "--submit goes with --yes, and neither with --lab nor with --check",
                "a worker has nobody to ask, and a lab is of this machine",
                "add --yes, or leave --submit out",
            )
        hosts = None if lab else arguments.hosts_of(inventory)
        values = arguments.inputs(inputs or [])
        if submit:
            told = arguments.notifications_of(notify, here=False)
            _submitted(submit_run(found, hosts or (), values, limit=limit, anew=anew, announcer=told), as_json)
            return
        patience = arguments.patience(wait)
        announcer = arguments.notifications_of(notify)
        display = RunDisplay(
            found.name,
            (scenario or found.scenario) if lab else None,
            limit=limit,
            command=playbook,
            as_json=as_json,
            files=files,
            announcer=announcer,
            checked=check,
            diff=diff,
            quiet=quiet,
            verbose=verbose,
        )
        if lab:
            display.progress("starting the lab")
        report = display.carried_out(
            lambda stopper: run_playbook(
                found,
                hosts,
                values,
                check=check,
                lab=lab,
                scenario=scenario,
                limit=limit,
                confirm=display.confirm(yes=yes),
                anew=anew,
                wait=patience,
                observer=display,
                stopper=stopper,
                announcer=display.announcer,
            )
        )
        display.close(report, detailed=detailed_exitcode)


def _submitted(run_id: str, as_json: bool) -> None:

    console = Console()
    console.result(console.form(as_json).submitted(run_id))
