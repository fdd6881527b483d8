"""``easops runs``: the recorded runs, and what to do with one that did not finish."""

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

app: typer.Typer = typer.Typer(
    name="runs",
    help="Show recorded runs; resume, reconcile or abandon one.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list")
def list_(as_json: options.Json = False) -> None:
    """List all recorded runs, the newest first."""
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
    """Show one run: its steps, what is unknown, and what to do next."""
    from easops.playbook.assessment.run_report import report_of
    from easops.playbook.record.run_view import show_run

    files = ReportFiles({"html": html, "junit": junit})
    view = show_run(run)
    report, console = report_of(view), Console()
    console.result(console.form(as_json).run_view(view, report, diff=diff, verbose=verbose))
    for note in files.write(report):
        console.note(note)


@app.command()
@takes_run_options
def resume(
    run: options.RunId,
    inventory: options.Credentials = None,
    detailed_exitcode: options.Detailed = False,
    junit: options.Junit = None,
    until_stdin_closes: options.UntilStdinCloses = False,
    *,
    shared: RunOptions,
) -> None:
    """Resume a dead, stopped or unfinished run, or start a submitted one."""
    from easops.playbook.record.run_view import show_run
    from easops.playbook.resume import resume as resume_run

    recorded = show_run(run).run
    files = ReportFiles({"html": shared.html, "junit": junit})
    with files.also_on_error(recorded.playbook):
        hosts = arguments.credentials_of(inventory)
        longest_wait = arguments.longest_wait(shared.wait)
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
                wait=longest_wait,
                observer=display,
                hosts=hosts,
                stopper=stopper,
                announcer=display.announcer,
            ),
            until_stdin_closes=until_stdin_closes,
        )
        display.finish(report, detailed=detailed_exitcode)


@app.command()
def reconcile(run: options.RunId, inventory: options.Credentials = None, as_json: options.Json = False) -> None:
    """Read what a dead run may have done, and record it. Changes nothing."""
    from easops.playbook.reconcile import reconcile as reconcile_run
    from easops.playbook.record.run_view import show_run

    run_id = show_run(run).run.run_id
    console = Console()
    found = reconcile_run(run_id, hosts=arguments.credentials_of(inventory), observer=console)
    _finish_reconcile(run_id, found, console, as_json, closed=False)


@app.command()
def abandon(run: options.RunId, inventory: options.Credentials = None, as_json: options.Json = False) -> None:
    """Reconcile a dead run, then close it and release its targets."""
    from easops.playbook.reconcile import abandon as abandon_run
    from easops.playbook.record.run_view import show_run

    run_id = show_run(run).run.run_id
    console = Console()
    found = abandon_run(run_id, hosts=arguments.credentials_of(inventory), observer=console)
    _finish_reconcile(run_id, found, console, as_json, closed=True)


def _finish_reconcile(
    run_id: str, found: Sequence[tuple[Change, ChangeOutcome]], console: Console, as_json: bool, *, closed: bool
) -> None:
    """Show what was found out. Exit with 6 if anything is still unknown; "it was not done" is known."""
    from easops.status import EXIT_CODES, Status

    status = Status.UNKNOWN if any(outcome.status is Status.UNKNOWN for _, outcome in found) else Status.OK
    code = EXIT_CODES[status]
    console.stop_progress()
    console.result(console.form(as_json).reconciled(run_id, found, status, code, closed=closed))
    raise typer.Exit(code)
