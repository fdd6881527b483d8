"""``easops do``."""

from __future__ import annotations

from typing import Annotated

import typer

from easops.cli import arguments, completion, options
from easops.cli.report_files import ReportFiles
from easops.cli.run_display import RunDisplay
from easops.cli.run_options import RunOptions, takes_run_options


@takes_run_options
def do(
    action: Annotated[
        str,
        typer.Argument(
            metavar="ACTION", help=options.NAMES, autocompletion=completion.entries("easops.actions", "ACTIONS")
        ),
    ],
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[KEY=VALUE]…",
            help="Parameters of the action; a single value may be given without KEY=.",
            autocompletion=completion.parameters("action", "easops.actions", "ACTIONS"),
        ),
    ] = None,
    inventory: options.Inventory = None,
    lab: options.Lab = False,
    scenario: options.Scenario = None,
    seed: options.Seed = None,
    on: options.On = None,
    because: Annotated[
        str | None, typer.Option("--because", metavar="TEXT", help="Reason, for the record; required for a recycle.")
    ] = None,
    protect: options.Protect = None,
    check: options.Check = False,
    anew: options.Anew = False,
    detailed_exitcode: options.Detailed = False,
    *,
    shared: RunOptions,
) -> None:
    """Carry out one action, with the checks, the record and the undo of a playbook."""
    from easops.actions import ACTIONS
    from easops.lab_process import DEFAULT_SCENARIO
    from easops.playbook.do import do as do_action
    from easops.playbook.language.one_action import one_action_playbook

    chosen = arguments.entry(ACTIONS, action, "action")
    values = arguments.parameter_values(words or [], chosen.parameters, action)
    # An argument that is missing is reported before anything is started.
    one_action_playbook(chosen, values, on=on is not None, because=because is not None)
    arguments.check_lab(lab, scenario, seed, inventory)
    hosts = None if lab else arguments.hosts_of(inventory)
    protected = arguments.items(protect or [], "--protect")
    longest_wait = arguments.longest_wait(shared.wait)
    files = ReportFiles({"html": shared.html})
    announcer = arguments.notifications_of(shared.notify)
    display = RunDisplay(
        f"do {action}",
        shared,
        files,
        announcer,
        lab=(scenario or DEFAULT_SCENARIO) if lab else None,
        checked=check,
    )
    if lab:
        display.progress("starting the lab")
    report = display.execute(
        lambda stopper: do_action(
            action,
            hosts,
            values,
            lab=lab,
            scenario=scenario,
            seed=seed,
            on=on,
            because=because,
            protect=protected,
            check=check,
            confirm=display.confirm(),
            anew=anew,
            wait=longest_wait,
            observer=display,
            stopper=stopper,
            announcer=display.announcer,
        )
    )
    display.finish(report, detailed=detailed_exitcode)
