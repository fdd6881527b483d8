"""What is said and where: the result on stdout, progress on stderr; drawn on a terminal, in plain lines off it."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.status import Status as Spinner

_LONGEST: Final = 140
"""Characters of a line of progress: it says what is waited for, and need not say all of it."""


class Voice:
    """Says things; never raises, since a closed pipe or a full disk must not end a run in its middle.

    On a terminal progress is one line that is drawn over; elsewhere a plain line whenever it differs from the last.
    *quiet* says no progress.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._lock = threading.RLock()
        self._spinner: Spinner | None = None
        self._last = ""

    def result(self, text: str) -> None:
        """A part of the result, on stdout; an empty text is no part."""
        if text:
            with self._lock, self._undrawn():
                _write(sys.stdout, text)

    def note(self, text: str) -> None:
        """Something a person should know, on stderr."""
        with self._lock, self._undrawn():
            _write(sys.stderr, text)

    def trouble(self, lines: Sequence[str]) -> None:
        """The lines of an error, on stderr; on a terminal none is wider than that."""
        from easops.report.error import fitted

        width = _width()
        self.note("\n".join(lines if width is None else fitted(lines, width)))

    def progress(self, text: str) -> None:
        """What is being done or waited for."""
        text = " ".join(text.split())
        text = text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
        with self._lock:
            if self._quiet or not text or text == self._last:
                return
            self._last = text
            if not _draws():
                _write(sys.stderr, f"easops: {text}")
                return
            from rich.console import Console
            from rich.text import Text

            line = Text(text, no_wrap=True, overflow="ellipsis")
            if self._spinner is None:
                console = Console(stderr=True)
                line.truncate(console.width - 4, overflow="ellipsis")
                self._spinner = console.status(line)
                self._spinner.start()
            else:
                line.truncate(self._spinner.console.width - 4, overflow="ellipsis")
                self._spinner.update(line)

    def quiet_down(self) -> None:
        """Stop drawing: before a question, and at the end."""
        with self._lock:
            if self._spinner is not None:
                self._spinner.stop()
                self._spinner = None
            self._last = ""

    @contextlib.contextmanager
    def _undrawn(self) -> Iterator[None]:
        if self._spinner is not None:
            self._spinner.stop()
        yield
        if self._spinner is not None:
            self._spinner.start()


def _width() -> int | None:
    """The columns of the terminal that stderr is; None off one."""
    import os

    if not sys.stderr.isatty():
        return None
    with contextlib.suppress(OSError, ValueError):
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    return 80


def _draws() -> bool:
    import os

    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def _write(stream: object, text: str) -> None:
    with contextlib.suppress(OSError, ValueError):  # ValueError: it is closed
        print(text, file=stream, flush=True)  # type: ignore[call-overload]


def trace_commands(voice: Voice) -> None:
    """Say every cmdlet that is sent."""
    import logging

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            voice.note(f"  > {record.getMessage()}")

    log = logging.getLogger("easops.remoting")
    log.setLevel(logging.DEBUG)
    log.addHandler(Handler())
