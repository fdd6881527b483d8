"""What GitHub Actions gets besides the result: annotations, and the summary of the job."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from easops.cli.console import Console

if TYPE_CHECKING:
    from easops.errors import EasopsError
    from easops.playbook.assessment.run_report import RunReport


def on_github() -> bool:
    return os.environ.get("GITHUB_ACTIONS") == "true"


def root_folder() -> Path:
    """The folder to which file names in annotations are relative: the checkout, else the current folder."""
    return Path(os.environ.get("GITHUB_WORKSPACE") or Path.cwd())


def annotate_error(console: Console, error: EasopsError) -> None:
    """Annotate the error that ended a command."""
    if on_github():
        from easops.report.ci.github import of_error

        console.commands(of_error(error, root_folder()))


def annotate_stop(console: Console, what: str, why: str, next_step: str) -> None:
    """Annotate that a run was stopped."""
    if on_github():
        from easops.report.ci.github import of_words

        console.commands([of_words(what, why, next_step)])


def report_end(console: Console, report: RunReport, exit_code: int) -> None:
    """Annotate what stopped or failed in a run, and append the run to the job's summary."""
    if not on_github():
        return
    from easops.report import FORMATS
    from easops.report.ci.github import of_run
    from easops.report.ci.github_summary import LARGEST, run_summary

    console.commands(of_run(report))
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    written = 0
    with contextlib.suppress(OSError):
        written = Path(path).stat().st_size
    room = max(LARGEST - written - 1, 0)
    text = run_summary(report, exit_code, form=FORMATS["text"], room=room)
    try:
        with Path(path).open("a", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as problem:
        console.note(f"easops: cannot write the job's summary: {problem.strerror or problem}")
