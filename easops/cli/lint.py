"""``easops lint``."""

from __future__ import annotations

from typing import Annotated

import typer

from easops.cli.voice import Voice


def lint(
    playbooks: Annotated[list[str], typer.Argument(metavar="PLAYBOOK…", help="Files, or names of shipped playbooks.")],
) -> None:
    """Check playbooks whole, and run nothing: every problem as file:line:column."""
    from easops.document import DocumentError
    from easops.playbook.run import find_playbook
    from easops.report.error import problem_line
    from easops.status import EXIT_USAGE

    voice = Voice()
    code = 0
    for playbook in playbooks:
        try:
            find_playbook(playbook)
        except DocumentError as error:
            code = EXIT_USAGE
            for problem in error.problems:
                voice.result(problem_line(problem))
        else:
            voice.result(f"{playbook}: ok")
    raise typer.Exit(code)
