"""Executing recorded runs, each in a process of its own: the engine is one a process.

A child stops as on SIGTERM when its standard input ends, so that it outlives the process that started it in no way, a
kill included.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Final

from easops.status import EXIT_UNPROVEN

_LOOK: Final = 0.1


def serve(
    run_ids: Sequence[str],
    options: Sequence[str],
    *,
    said: Callable[[str, str], None],
    ended: Callable[[str, int], None],
    stop: threading.Event,
) -> None:
    """Resume the runs, all at once, and wait for their ends.

    *options* are those of ``easops runs resume``. *said* is given each line that a child says on the way, *ended* each
    exit code, as they come: a child that was killed has that of an outcome which is not known. Once *stop* is set,
    every child finishes the write in flight, and ends.
    """
    left = {run_id: _start(run_id, options, said) for run_id in run_ids}
    try:
        while left:
            for run_id, (child, reader) in list(left.items()):
                if child.poll() is not None:
                    reader.join()
                    del left[run_id]
                    ended(run_id, child.returncode if child.returncode >= 0 else EXIT_UNPROVEN)
            if stop.wait(_LOOK if left else 0):
                for child, _ in left.values():
                    _let_go(child)
                for child, _ in left.values():
                    child.wait()
    finally:
        for child, _ in left.values():
            _let_go(child)


def _start(
    run_id: str, options: Sequence[str], said: Callable[[str, str], None]
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
            said(run_id, line.rstrip())

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    return child, reader


def _let_go(child: subprocess.Popen[str]) -> None:
    assert child.stdin is not None
    child.stdin.close()
