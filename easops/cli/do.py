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
            help="Its parameters; a lone text needs no key.",
            autocompletion=completion.parameters("action", "easops.actions", "ACTIONS"),
        ),
    ] = None,
    inventory: options.Inventory = None,
    on: options.On = None,
    because: Annotated[
        str | None, typer.Option("--because", metavar="TEXT", help="Why: stands in the record; a recycle needs it.")
    ] = None,
    protect: options.Protect = None,
    check: options.Check = False,
    anew: options.Anew = False,
    detailed_exitcode: options.Detailed = False,
    *,
    shared: RunOptions,
) -> None:
    """Carry out one action, with the gates, the record and the undo of a playbook."""
    from easops.actions import ACTIONS
    from easops.playbook.do import do as carry_out
    from easops.playbook.do import single

    chosen = arguments.named(ACTIONS, action, "action")
    values = arguments.parameter_values(words or [], chosen.parameters, action)
    single(chosen, values, on=on is not None, because=because is not None)  # what is missing is said at once
    hosts = arguments.hosts_of(inventory)
    protected = tuple(user.strip() for part in protect or [] for user in part.split(",") if user.strip())
    patience = arguments.patience(shared.wait)
    files = ReportFiles({"html": shared.html})
    announcer = arguments.notifications_of(shared.notify)
    display = RunDisplay(
        f"do {action}",
        shared,
        files,
        announcer,
        checked=check,
    )
    report = display.execute(
        lambda stopper: carry_out(
            action,
            hosts,
            values,
            on=on,
            because=because,
            protect=protected,
            check=check,
            confirm=display.confirm(),
            anew=anew,
            wait=patience,
            observer=display,
            stopper=stopper,
            announcer=display.announcer,
        )
    )
    display.finish(report, detailed=detailed_exitcode)
