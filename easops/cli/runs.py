"""``easops runs``: what was run, and the ways out of a run that died."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from easops.cli import given, options
from easops.cli.conducting import Telling, notifications_of_rescue
from easops.cli.files import Files
from easops.cli.voice import Voice

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

    voice = Voice()
    voice.result(voice.form(as_json).runs(list_runs()))


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
    from easops.report.file_format import Account

    files = Files({"html": html, "junit": junit})
    view = show_run(run)
    report, voice = report_of(view.run, view.steps), Voice()
    voice.result(voice.form(as_json).run_view(view, report, diff=diff, verbose=verbose))
    for told in files.write(Account(report, view)):
        voice.note(told)


@app.command()
def resume(
    run: options.RunId,
    inventory: options.Credentials = None,
    yes: options.Yes = False,
    diff: options.Diff = False,
    wait: options.Wait = None,
    html: options.Html = None,
    junit: options.Junit = None,
    notify: options.Notify = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
    until_stdin_closes: options.UntilStdinCloses = False,
) -> None:
    """Go on with a run that died, was stopped, or ended owing its later steps; or begin one that was submitted."""
    from easops.playbook.language.load import command_of
    from easops.playbook.record.run_view import show_run
    from easops.playbook.run import resume as resume_run

    held = show_run(run).run
    files = Files({"html": html, "junit": junit})
    with files.or_why(held.playbook):
        hosts = given.credentials_of(inventory)
        patience = given.patience(wait)
        announcer = notifications_of_rescue(notify, held.document.get("notify"))
        telling = Telling(
            held.playbook,
            held.lab,
            limit=held.limit,
            command=command_of(held.document["source"]),
            as_json=as_json,
            files=files,
            announcer=announcer,
            checked=False,
            diff=diff,
            quiet=quiet,
            verbose=verbose,
        )
        report = telling.carried_out(
            lambda stopper: resume_run(
                held.run_id,
                confirm=telling.confirm(yes=yes),
                wait=patience,
                observer=telling,
                hosts=hosts,
                stopper=stopper,
                announcer=telling.announcer,
            ),
            until_stdin_closes=until_stdin_closes,
        )
        telling.close(report)


@app.command()
def reconcile(run: options.RunId, inventory: options.Credentials = None, as_json: options.Json = False) -> None:
    """Settle by reading what a dead run may have done; changes nothing."""
    from easops.playbook.reconcile import reconcile as reconcile_run
    from easops.playbook.record.run_view import show_run

    run_id = show_run(run).run.run_id
    _settled(run_id, reconcile_run(run_id, hosts=given.credentials_of(inventory)), as_json, closed=False)


@app.command()
def abandon(run: options.RunId, inventory: options.Credentials = None, as_json: options.Json = False) -> None:
    """Settle a dead run by reading, then close it for good: its targets are free."""
    from easops.playbook.reconcile import abandon as abandon_run
    from easops.playbook.record.run_view import show_run

    run_id = show_run(run).run.run_id
    _settled(run_id, abandon_run(run_id, hosts=given.credentials_of(inventory)), as_json, closed=True)


def _settled(run_id: str, found: Sequence[tuple[Change, ChangeOutcome]], as_json: bool, *, closed: bool) -> None:
    """Show what was settled. Exit 6 where anything is still not known; that something was not done is an answer."""
    from easops.status import EXIT_CODES, Status

    status = Status.UNKNOWN if any(outcome.status is Status.UNKNOWN for _, outcome in found) else Status.OK
    code = EXIT_CODES[status]
    voice = Voice()
    voice.result(voice.form(as_json).settled(run_id, found, status, code, closed=closed))
    raise typer.Exit(code)
