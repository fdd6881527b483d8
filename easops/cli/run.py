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
            metavar="PLAYBOOK",
            help="Playbook file, or name of a shipped playbook.",
            autocompletion=completion.playbooks,
        ),
    ],
    inventory: options.Inventory = None,
    lab: options.Lab = False,
    scenario: Annotated[
        str | None,
        typer.Option(
            "--scenario",
            metavar="NAME",
            help="The lab's scenario (the playbook's own); easops lab list shows them.",
            autocompletion=completion.scenarios,
        ),
    ] = None,
    seed: options.Seed = None,
    limit: options.Limit = None,
    check: options.Check = False,
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input", metavar="NAME=VALUE", help="Set an input of the playbook.", autocompletion=completion.inputs
        ),
    ] = None,
    submit: Annotated[
        bool, typer.Option("--submit", help="Only record the run; easops worker executes it. Needs --yes.")
    ] = False,
    anew: options.Anew = False,
    detailed_exitcode: options.Detailed = False,
    junit: options.Junit = None,
    *,
    shared: RunOptions,
) -> None:
    """Run a playbook: find the fault, cure it, prove the cure."""
    if lab:
        from easops.lab_process import prepare_lab

        prepare_lab()
    from easops.errors import BadInput
    from easops.playbook.language.find import find_playbook
    from easops.playbook.run import run as run_playbook
    from easops.playbook.run import submit as submit_run

    arguments.check_lab(lab, scenario, seed, inventory)
    files = ReportFiles({"html": shared.html, "junit": junit})
    if submit and files:
        raise BadInput(
            "--submit writes no report",
            "the run has not started",
            f"easops runs show RUN {files.options} writes it afterwards",
        )
    with files.also_on_error(playbook):
        found = find_playbook(playbook)
        if lab and scenario is None and found.scenario is None:
            raise BadInput(f"{playbook} names no scenario", "--lab needs one", "add --scenario NAME")
        if submit and (lab or check or not shared.yes):
            raise BadInput(
                "--submit needs --yes, and excludes --lab and --check",
                "a worker has nobody to ask for confirmation, and a lab runs only on this machine",
                "add --yes, or leave --submit out",
            )
        hosts = None if lab else arguments.hosts_of(inventory)
        values = arguments.inputs(inputs or [])
        if submit:
            announcer = arguments.notifications_of(shared.notify, check_secrets=False)
            run_id = submit_run(found, hosts or (), values, limit=limit, anew=anew, announcer=announcer)
            console = Console()
            console.result(console.form(shared.as_json).submitted(run_id))
            return
        longest_wait = arguments.longest_wait(shared.wait)
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
                seed=seed,
                limit=limit,
                confirm=display.confirm(),
                anew=anew,
                wait=longest_wait,
                observer=display,
                stopper=stopper,
                announcer=display.announcer,
            )
        )
        display.finish(report, detailed=detailed_exitcode)
