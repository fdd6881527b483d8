"""``easops undo``."""

from __future__ import annotations

from typing import Annotated

import typer

from easops.cli import arguments, options
from easops.cli.report_files import ReportFiles
from easops.cli.run_display import RunDisplay
from easops.cli.run_options import RunOptions, takes_run_options


@takes_run_options
def undo(
    run: options.RunId,
    inventory: options.Credentials = None,
    check: options.Check = False,
    skip_drifted: Annotated[
        bool, typer.Option("--skip-drifted", help="Leave what somebody changed since as it is, and put back the rest.")
    ] = False,
    detailed_exitcode: options.Detailed = False,
    *,
    shared: RunOptions,
) -> None:
    """Put back what a run changed. Nothing is put back if something has changed since."""
    from easops.playbook.record.run_view import show_run
    from easops.playbook.undo import undo as undo_run

    recorded = show_run(run).run
    hosts = arguments.credentials_of(inventory)
    longest_wait = arguments.longest_wait(shared.wait)
    files = ReportFiles({"html": shared.html})
    announcer = arguments.notifications_or_warning(shared.notify, recorded.document.get("notify"))
    display = RunDisplay(
        f"Undo of run {recorded.run_id} ({recorded.playbook})",
        shared,
        files,
        announcer,
        lab=recorded.lab,
        checked=check,
    )
    if recorded.lab is not None:
        display.progress("starting the lab of the run again")
    report = display.execute(
        lambda stopper: undo_run(
            recorded.run_id,
            check=check,
            skip_drifted=skip_drifted,
            confirm=display.confirm(),
            wait=longest_wait,
            observer=display,
            hosts=hosts,
            stopper=stopper,
            announcer=display.announcer,
        )
    )
    display.finish(report, detailed=detailed_exitcode)
