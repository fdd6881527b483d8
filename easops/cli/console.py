"""Output: results on stdout, progress and errors on stderr; styled on a terminal, plain lines elsewhere.

Whatever is printed is made visible here: no control character of a server's or a client's text reaches a terminal.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.status import Status as Spinner
    from rich.text import Text as Drawn

    from easops.report import Format

_WIDTH: Final = 80
"""The width of a terminal that does not report one, and the smallest width that a table is fitted to, in columns."""

_PROSE: Final = 100
"""The width beyond which a sentence is hard to read, in columns."""

_REPEAT: Final = 60.0
"""Seconds after which a wait that continues is reported again where there is no terminal; the interval doubles."""


class Console:
    """Writes to stdout and stderr; never raises, since a closed pipe or a full disk must not end a run in its middle.

    On a terminal progress is one line that is redrawn; elsewhere it is a plain line when something new is waited for,
    repeated rarely while that lasts. *quiet* shows no progress.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._lock = threading.RLock()
        self._spinner: Spinner | None = None
        self._waiting = _Waiting()
        self._reported: dict[str, tuple[float, float]] = {}
        """For each wait: when it was first reported, and how many seconds after that it is reported again."""

    def form(self, as_json: bool) -> Format:
        """The format of results: one JSON document, or text that fits stdout."""
        from easops.report import FORMATS
        from easops.report.terminal.text import Text

        if as_json:
            return FORMATS["json"]
        width = _width(sys.stdout)
        return Text(None if width is None else max(width, _WIDTH), colour=_has_colour(sys.stdout))

    def result(self, text: str, *, trusted: bool = False) -> None:
        """Print a part of the result on stdout, unless it is empty. *trusted*: GitHub may take commands from it."""
        if text:
            with self._lock, self._without_spinner():
                self._reported.clear()
                _write(sys.stdout, text, trusted=trusted)

    def note(self, text: str) -> None:
        """Print something that a person should know on stderr."""
        with self._lock, self._without_spinner():
            _write(sys.stderr, text)

    def commands(self, lines: Sequence[str]) -> None:
        """Print GitHub workflow commands on stderr."""
        if lines:
            with self._lock, self._without_spinner():
                _write(sys.stderr, "\n".join(lines), trusted=True)

    def lines(self, lines: Sequence[str]) -> None:
        """Print lines of a report on stderr, styled where that is a terminal."""
        from easops.report.terminal.styled_line import printed

        self.note(printed(lines, colour=_has_colour(sys.stderr)))

    def error(self, lines: Sequence[str]) -> None:
        """Print the lines of an error on stderr, fitted to the terminal's width."""
        from easops.report.terminal.error import fitted

        width = _width(sys.stderr)
        self.lines(lines if width is None else fitted(lines, min(width, _PROSE)))

    def progress(self, text: str) -> None:
        """Show what is being done or waited for; for an ``easops.clock.Waiting`` also how long."""
        with self._lock:
            if self._quiet or not text:
                return
            self._waiting.take(text)
            if not _draws():
                self._report(text)
            elif self._spinner is None:
                from rich.console import Console

                console = Console(stderr=True)
                self._waiting.width = console.width - 4  # two for the spinner, and the last column stays free
                self._spinner = console.status(self._waiting)
                self._spinner.start()

    def _report(self, text: str) -> None:
        """Print *text* as a line of its own, unless it was printed recently."""
        about, now = getattr(text, "about", text), time.monotonic()
        first, repeat = self._reported.get(about, (now, 0.0))
        if now - first >= repeat:
            self._reported[about] = (first, max(_REPEAT, 2 * repeat) if hasattr(text, "about") else float("inf"))
            _write(sys.stderr, f"easops: {self._waiting.fitted()}")

    def stop_progress(self) -> None:
        """Stop the spinner: before a question, and at the end."""
        with self._lock:
            if self._spinner is not None:
                self._spinner.stop()
                self._spinner = None
            self._reported.clear()

    @contextlib.contextmanager
    def _without_spinner(self) -> Iterator[None]:
        if self._spinner is not None:
            self._spinner.stop()
        yield
        if self._spinner is not None:
            self._spinner.start()


class _Waiting:
    """What is being waited for, and for how long; the spinner redraws it."""

    def __init__(self) -> None:
        self.width = _WIDTH
        self._subject = self._times = ""
        self._since = time.monotonic()

    def take(self, text: str) -> None:
        from easops.visible import visible

        subject = visible(" ".join(getattr(text, "subject", text).split()))
        if subject != self._subject:
            self._since = time.monotonic()
        self._subject, self._times = subject, getattr(text, "times", "")

    def fitted(self, width: int | None = None, times: str = "") -> str:
        """The text in at most *width* columns (None: uncut); the duration is never cut off."""
        times = self._times or times
        times = f" ({times})" if times else ""
        room = len(self._subject) if width is None else width - len(times)
        subject = self._subject if len(self._subject) <= room else self._subject[: max(room - 3, 0)] + "..."
        return subject + times

    def __rich__(self) -> Drawn:
        from rich.text import Text

        seconds = time.monotonic() - self._since
        return Text(self.fitted(self.width, f"{seconds:.0f} s" if seconds >= 3 else ""), no_wrap=True)


def _width(stream: IO[str]) -> int | None:
    """The width of the terminal behind *stream*, in columns; None if it is not a terminal."""
    if not stream.isatty():
        return None
    with contextlib.suppress(OSError, ValueError):
        return os.get_terminal_size(stream.fileno()).columns or _WIDTH
    return _WIDTH


def _draws() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def _has_colour(stream: IO[str]) -> bool:
    """Whether to use colour: on a terminal that supports it; NO_COLOR turns it off, FORCE_COLOR on, even in a pipe.

    Source: no-color.org, force-color.org: either counts when it is set and not empty.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb" and _supports_escapes()


def _supports_escapes() -> bool:
    """Whether this console supports escape sequences; on Windows this turns them on."""
    supported = True
    if sys.platform == "win32":
        import ctypes

        kernel32 = ctypes.windll.kernel32
        console, mode = kernel32.GetStdHandle(-11), ctypes.c_ulong()
        virtual_terminal = 0x0004  # ENABLE_VIRTUAL_TERMINAL_PROCESSING, of SetConsoleMode
        supported = bool(
            kernel32.GetConsoleMode(console, ctypes.byref(mode))
            and kernel32.SetConsoleMode(console, mode.value | virtual_terminal)
        )
    return supported


def _write(stream: IO[str], text: str, *, trusted: bool = False) -> None:
    from easops.report.terminal.styled_line import Painted
    from easops.visible import visible_lines

    if not isinstance(text, Painted):
        text = visible_lines(text)
    if not trusted and os.environ.get("GITHUB_ACTIONS") == "true":
        text = _without_commands(text)
    with contextlib.suppress(OSError, ValueError):  # ValueError: the stream is closed
        print(text, file=stream, flush=True)


def _without_commands(text: str) -> str:
    """*text* without what GitHub would take for a workflow command: some of it comes from clients, e.g. user agents.

    JSON means the same afterwards: no line of it begins with ``::``, and ``\\u005b`` is a bracket.
    """
    return re.sub(r"(^|[\r\n])(\s*)::", r"\1\2\\::", text).replace("##[", r"##\u005b")


def trace_commands(console: Console) -> None:
    """Print every cmdlet that is sent."""
    import logging

    from easops.visible import visible

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            console.note(f"  > {visible(record.getMessage())}")

    log = logging.getLogger("easops.remoting")
    log.setLevel(logging.DEBUG)
    log.addHandler(Handler())


def escape_warnings() -> None:
    """Make control characters visible also in what a library logs and nobody handles, which Python prints on stderr."""
    import logging

    from easops.visible import visible_lines

    class Escaping(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return visible_lines(super().format(record))

    if logging.lastResort is not None:
        logging.lastResort.setFormatter(Escaping())
