"""``easops approve``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from easops.cli import options
from easops.cli.console import Console


def approve(
    run: options.RunId,
    deny: Annotated[bool, typer.Option("--deny", help="Deny the changes: the run cannot be resumed.")] = False,
    digest: Annotated[
        str | None,
        typer.Option("--digest", metavar="DIGEST", help="Approve only if the planned changes have this digest."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
    as_json: options.Json = False,
) -> None:
    """Approve or deny what a run plans to change. easops runs resume then carries it out."""
    from easops.playbook.record.approval import approve as approve_run
    from easops.playbook.record.approval import pending_approval
    from easops.report.terminal.approval import asked_lines
    from easops.report.terminal.error import three_lines
    from easops.status import EXIT_REFUSED

    console = Console()
    form = console.form(as_json)
    asked = pending_approval(run)
    run_id, shown = asked.run.run_id, asked.approval.digest
    if not yes and not (sys.stdin.isatty() and sys.stderr.isatty()):
        console.result(form.asked(asked, EXIT_REFUSED))
        next_step = f"type easops approve {run_id}{' --deny' if deny else ''} --yes --digest {shown}"
        console.error(three_lines("nothing was decided", "there is no terminal to ask for confirmation", next_step))
        raise typer.Exit(EXIT_REFUSED)
    if not as_json:
        console.result(form.asked(asked, 0))
    elif not yes:
        console.lines(asked_lines(asked))
    if not yes and asked.decision is None:
        sys.stderr.write(f"\n{'Deny' if deny else 'Approve'} these changes? [y/N] ")
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            console.error(three_lines("nothing was decided", "you did not confirm", ""))
            raise typer.Exit(EXIT_REFUSED)
    # The digest is that of the plan that was shown: a plan that was made since has another one, and is refused.
    decision = approve_run(run_id, digest or shown, deny=deny)
    console.result(form.decided(asked, decision))
