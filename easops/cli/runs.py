"""``easops runs``: what was run, and the ways out of a run that died."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from easops.cli import arguments, options
from easops.cli.console import Console
from easops.cli.report_files import ReportFiles
from easops.cli.run_display import RunDisplay
from easops.cli.run_options import RunOptions, takes_run_options

if TYPE_CHECKING:
    from easops.actions.change import Change, ChangeOutcome

app = typer.Typer(
    name="runs",
    help="Show the recorded runs; go on with one, settle it, or close it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list")
def list_(as_json: options.Json = False) -> None:
    """Show all recorded runs, the newest first."""
    from easops.playbook.record.run_view import list_runs

    console = Console()
    console.result(console.form(as_json).runs(list_runs()))


@app.command()
def show(
    run: options.RunId,
    html: options.Html = None,
    junit: options.Junit = None,
    as_json: options.Json = False,
    diff: options.Diff = False,
    verbose: options.Verbose = False,
) -> None:
    """Show one run: what was done, what is not known, and what to type."""
    from easops.playbook.assessment.run_report import report_of
    from easops.playbook.record.run_view import show_run

    files = ReportFiles({"html": html, "junit": junit})
    view = show_run(run)
    report, console = report_of(view), Console()
    console.result(console.form(as_json).run_view(view, report, diff=diff, verbose=verbose))
    for told in files.write(report):
        console.note(told)


@app.command()
@takes_run_options
def resume(
    run: options.RunId,
    inventory: options.Credentials = None,
    junit: options.Junit = None,
    until_stdin_closes: options.UntilStdinCloses = False,
    *,
    shared: RunOptions,
) -> None:
    """Go on with a run that died, was stopped, or ended owing its later steps; or begin one that was submitted."""
    from easops.playbook.record.run_view import show_run
    from easops.playbook.resume import resume as resume_run

    recorded = show_run(run).run
    files = ReportFiles({"html": shared.html, "junit": junit})
    with files.or_why(recorded.playbook):
        hosts = arguments.credentials_of(inventory)
        patience = arguments.patience(shared.wait)
        announcer = arguments.notifications_or_warning(shared.notify, recorded.document.get("notify"))
        display = RunDisplay(
            recorded.playbook,
            shared,
            files,
            announcer,
            lab=recorded.lab,
            limit=recorded.limit,
        )
        report = display.execute(
            lambda stopper: resume_run(
                recorded.run_id,
                confirm=display.confirm(),
                wait=patience,
                observer=display,
                hosts=hosts,
                stopper=stopper,
                announcer=display.announcer,
            ),
            until_stdin_closes=until_stdin_closes,
        )
        display.finish(report)


@app.command()
def reconcile(run: options.RunId, inventory: options.Credentials = None, as_json: options.Json = False) -> None:
    """Settle by reading what a dead run may have done; changes nothing."""
    from easops.playbook.reconcile import reconcile as reconcile_run
    from easops.playbook.record.run_view import show_run

    run_id = show_run(run).run.run_id
    _settled(run_id, reconcile_run(run_id, hosts=arguments.credentials_of(inventory)), as_json, closed=False)


@app.command()
def abandon(run: options.RunId, inventory: options.Credentials = None, as_json: options.Json = False) -> None:
    """Settle a dead run by reading, then close it for good: its targets are free."""
    from easops.playbook.reconcile import abandon as abandon_run
    from easops.playbook.record.run_view import show_run

    run_id = show_run(run).run.run_id
    _settled(run_id, abandon_run(run_id, hosts=arguments.credentials_of(inventory)), as_json, closed=True)


def _settled(run_id: str, found: Sequence[tuple[Change, ChangeOutcome]], as_json: bool, *, closed: bool) -> None:
    """Show what was settled. Exit 6 where anything is still not known; that something was not done is an answer."""
    from easops.status import EXIT_CODES, Status

    status = Status.UNKNOWN if any(outcome.status is Status.UNKNOWN for _, outcome in found) else Status.OK
    code = EXIT_CODES[status]
    console = Console()
    console.result(console.form(as_json).settled(run_id, found, status, code, closed=closed))
    raise typer.Exit(code)
