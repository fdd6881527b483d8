"""``easops worker``."""

from __future__ import annotations

import os
import signal
import threading
from typing import Annotated

import typer

from easops.cli import arguments, completion, options
from easops.cli.console import Console
from easops.cli.stop_signals import leave


def worker(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUN...", help="Run ids, or their first characters.", autocompletion=completion.runs),
    ],
    inventory: options.Credentials = None,
    yes: options.Yes = False,
    wait: options.Wait = None,
    notify: options.Notify = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Execute recorded runs on this machine, each in its own process: submitted, dead or unfinished ones."""
    from easops.playbook.assessment.run_report import report_of
    from easops.playbook.execution.worker import serve
    from easops.playbook.record.run_view import show_run
    from easops.status import EXIT_INTERRUPTED, EXIT_TERMINATED

    run_ids = list(dict.fromkeys(show_run(run).run.run_id for run in runs))
    arguments.credentials_of(inventory)
    words = ["--yes"] if yes else []
    if inventory is not None:
        words += ["--inventory", str(inventory)]
    arguments.notifications_of(notify)  # checked here; each child reads it again
    if notify is not None:
        words += ["--notify", str(notify)]
    if wait is not None:
        arguments.duration(wait, "--wait")
        words += ["--wait", wait]
    console = Console(quiet=quiet)
    codes: dict[str, int] = {}
    stop = threading.Event()
    stopped: list[int] = []

    def handle(number: int, frame: object) -> None:
        code = EXIT_TERMINATED if number == signal.SIGTERM else EXIT_INTERRUPTED
        if stopped:
            os._exit(code)  # which closes the children's standard input, so that they stop, too
        stopped.append(code)
        os.write(2, b"\neasops: stopping; the current operation is finished first\n")
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handle)

    def show_line(run_id: str, line: str) -> None:
        console.progress(f"{run_id}: {line.strip().removeprefix('easops: ')}")

    def show_end(run_id: str, code: int) -> None:
        codes[run_id] = code
        console.progress(f"{run_id} ended with exit code {code}")

    console.progress(f"executing {', '.join(run_ids)}")
    serve(run_ids, words, on_line=show_line, on_end=show_end, stop=stop)
    console.stop_progress()
    served = [(view, report_of(view), codes[view.run.run_id]) for view in map(show_run, run_ids)]
    code = stopped[0] if stopped else max(codes.values())
    console.result(console.form(as_json).served(served, code))
    if stopped:
        leave(code)  # main() would print "stopped" once more for an exit code of 130
    raise typer.Exit(code)
