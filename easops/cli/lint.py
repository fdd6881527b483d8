"""``easops lint``."""

from __future__ import annotations

from typing import Annotated

import typer

from easops.cli import arguments, completion, github_actions
from easops.cli.console import Console


def lint(
    playbooks: Annotated[
        list[str],
        typer.Argument(
            metavar="PLAYBOOK…",
            help="Playbook files, or names of shipped playbooks.",
            autocompletion=completion.playbooks,
        ),
    ],
    form: Annotated[
        str | None, typer.Option("--format", metavar="FORMAT", help="text (default), github (annotations) or sarif.")
    ] = None,
) -> None:
    """Check playbooks without running them; reports every problem as file:line:column."""
    from easops.document import DocumentError
    from easops.playbook.language.find import find_playbook
    from easops.report import LINTS
    from easops.report.terminal.lint import Linted
    from easops.status import EXIT_USAGE

    chosen = arguments.entry(LINTS, form or "text", "format of lint")
    console = Console()
    linted = []
    for playbook in playbooks:
        try:
            find_playbook(playbook)
        except DocumentError as error:
            linted.append(Linted(playbook, error.problems))
        else:
            linted.append(Linted(playbook))
    text = chosen.render(linted, github_actions.root_folder())
    console.result(text, trusted=chosen is LINTS["github"])
    if form is None and github_actions.on_github():
        console.commands(LINTS["github"].render(linted, github_actions.root_folder()).splitlines())
    raise typer.Exit(EXIT_USAGE if any(one.problems for one in linted) else 0)
