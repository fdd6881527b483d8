"""``easops undo``."""

from __future__ import annotations

from typing import Annotated

import typer

from easops.cli import arguments, options
from easops.cli.report_files import ReportFiles
from easops.cli.run_display import RunDisplay, notifications_of_rescue


def undo(
    run: options.RunId,
    inventory: options.Credentials = None,
    check: options.Check = False,
    skip_drifted: Annotated[
        bool, typer.Option("--skip-drifted", help="Leave what has changed since as it is, and put back the rest.")
    ] = False,
    diff: options.Diff = False,
    yes: options.Yes = False,
    wait: options.Wait = None,
    detailed_exitcode: options.Detailed = False,
    html: options.Html = None,
    notify: options.Notify = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Put back what a run changed; refused whole where something has changed since."""
    from easops.playbook.record.run_view import show_run
    from easops.playbook.undo import undo as undo_run

    held = show_run(run).run
    hosts = arguments.credentials_of(inventory)
    patience = arguments.patience(wait)
    files = ReportFiles({"html": html})
    announcer = notifications_of_rescue(notify, held.document.get("notify"))
    display = RunDisplay(
        f"Undo of run {held.run_id} ({held.playbook})",
        held.lab,
        command=held.run_id + (" --skip-drifted" if skip_drifted else ""),
        as_json=as_json,
        files=files,
        announcer=announcer,
        checked=check,
        diff=diff,
        quiet=quiet,
        verbose=verbose,
    )
    if held.lab is not None:
        display.progress("starting the run's lab again")
    report = display.carried_out(
        lambda stopper: undo_run(
            held.run_id,
            check=check,
            skip_drifted=skip_drifted,
            confirm=display.confirm(yes=yes),
            wait=patience,
            observer=display,
            hosts=hosts,
            stopper=stopper,
            announcer=display.announcer,
        )
    )
    display.close(report, detailed=detailed_exitcode)
