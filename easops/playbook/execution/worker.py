"""Executing recorded runs, each in its own process: only one run per process.

The standard input of a child is a pipe that this process keeps open. When it closes, also because this process was
killed, the child stops as on SIGTERM. So it never outlives this process.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Final

from easops.status import EXIT_UNPROVEN

_POLL: Final = 0.1
"""Seconds between two looks at the children's exit codes."""


def serve(
    run_ids: Sequence[str],
    options: Sequence[str],
    *,
    on_line: Callable[[str, str], None],
    on_end: Callable[[str, int], None],
    stop: threading.Event,
) -> None:
    """Resume the runs, all at once, and wait until they have ended.

    *options* are options of ``easops runs resume``. *on_line* is called with a run's id and each line of its progress,
    *on_end* with its id and exit code. A child that was killed counts as one whose outcome is unknown. When *stop* is
    set, each child finishes the write in flight, and ends.
    """
    children = {run_id: _start(run_id, options, on_line) for run_id in run_ids}
    try:
        while children:
            for run_id, (child, reader) in list(children.items()):
                if child.poll() is not None:
                    reader.join()
                    del children[run_id]
                    on_end(run_id, child.returncode if child.returncode >= 0 else EXIT_UNPROVEN)
            if stop.wait(_POLL if children else 0):
                for child, _ in children.values():
                    _stop(child)
                for child, _ in children.values():
                    child.wait()
    finally:
        for child, _ in children.values():
            _stop(child)


def _start(
    run_id: str, options: Sequence[str], on_line: Callable[[str, str], None]
) -> tuple[subprocess.Popen[str], threading.Thread]:
    child = subprocess.Popen(
        [sys.executable, "-m", "easops", "runs", "resume", run_id, "--until-stdin-closes", *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
    )

    def read() -> None:
        assert child.stderr is not None
        for line in child.stderr:
            on_line(run_id, line.rstrip())

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    return child, reader


def _stop(child: subprocess.Popen[str]) -> None:
    assert child.stdin is not None
    child.stdin.close()
