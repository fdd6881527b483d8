"""``easops notify``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from easops.cli import arguments, options
from easops.cli.console import Console


def notify(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="Notifications file (default: the environment variable EASOPS_NOTIFY)."),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Send a test message to every notification channel."""
    from easops.errors import BadInput
    from easops.status import EXIT_CODES, Status, worst

    notifications = arguments.notifications_of(file)
    if notifications is None:
        raise BadInput("there is no notifications file", "neither FILE nor EASOPS_NOTIFY names one", "name a file")
    console = Console()
    console.progress("sending a test message to each channel")
    notices = notifications.send_test()
    console.stop_progress()
    statuses = {"sent": Status.OK, "failed": Status.FAILED, "unknown": Status.UNKNOWN}
    status = worst(statuses[notice.status] for notice in notices)
    console.result(console.form(as_json).notices(notices, status, EXIT_CODES[status]))
    raise typer.Exit(EXIT_CODES[status])
