"""Ctrl-C and SIGTERM while a run executes, and ending the process at once."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import NoReturn


class StopSignals:
    """The first signal ends the run at its next boundary, a second one ends the process at once.

    With *until_stdin_closes* the end of standard input counts as a SIGTERM, and Ctrl-C is ignored: it reaches the
    program that started this one, too, and that program decides.
    """

    def __init__(self, until_stdin_closes: bool) -> None:
        from easops.status import EXIT_INTERRUPTED

        self._until_stdin_closes = until_stdin_closes
        self.code = EXIT_INTERRUPTED
        """The exit code of the signal that arrived."""
        self._declined: threading.Event | None = None

    @contextlib.contextmanager
    def declining(self) -> Iterator[threading.Event]:
        """While somebody is asked for confirmation: a signal is a "no", after which the run ends as refused. Nothing
        was sent yet, so there is nothing to stop."""
        self._declined = threading.Event()
        try:
            yield self._declined
        finally:
            self._declined = None

    def __call__(self, stop: Callable[[], None]) -> None:
        """Install the handlers; *stop* ends the run at its next boundary."""
        from easops.status import EXIT_INTERRUPTED, EXIT_TERMINATED

        stopping = False

        def handle(number: int, frame: object) -> None:
            nonlocal stopping
            if self._declined is not None and not self._declined.is_set():
                self._declined.set()
                return
            code = EXIT_TERMINATED if number == signal.SIGTERM else EXIT_INTERRUPTED
            if stopping:
                os._exit(code)
            stopping, self.code = True, code
            # Bypasses the stream's lock, which this thread may hold when the signal arrives.
            with contextlib.suppress(OSError):
                os.write(2, b"\neasops: stopping; the current operation is finished first (Ctrl-C again: at once)\n")
            stop()

        def watch_stdin() -> None:
            while os.read(0, 4096):  # bypasses the buffer, whose lock a daemon thread must not hold at exit
                pass
            self.code = EXIT_TERMINATED
            stop()

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, handle)
        if self._until_stdin_closes:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            threading.Thread(target=watch_stdin, daemon=True).start()


def leave(code: int) -> NoReturn:
    """End the process at once, with everything that was written flushed.

    The interpreter's own ending would wait for threads that may hang on a server.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
