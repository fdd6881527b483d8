"""What is said and where: the result on stdout, progress on stderr; drawn on a terminal, in plain lines off it."""

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
"""Columns of a terminal that does not say how many it has, and the fewest that a table is fitted to."""

_PROSE: Final = 100
"""Columns beyond which a sentence is hard to read, however wide the terminal."""

_AGAIN: Final = 60.0
"""Seconds after which a wait that goes on is said once more off a terminal; then after twice as many, and so on."""


class Console:
    """Says things; never raises, since a closed pipe or a full disk must not end a run in its middle.

    On a terminal progress is one line that is drawn over; elsewhere a plain line when something new is waited for, and
    seldom again while that goes on. *quiet* says no progress.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._lock = threading.RLock()
        self._spinner: Spinner | None = None
        self._waited = _Waited()
        self._told: dict[str, tuple[float, float]] = {}
        """When each wait was first said, and how long after that it is to be said again."""

    def form(self, as_json: bool) -> Format:
        """How results are written: as one document, or as text that suits what stdout is."""
        from easops.report import FORMATS
        from easops.report.terminal.text import Text

        if as_json:
            return FORMATS["json"]
        width = _width(sys.stdout)
        return Text(None if width is None else max(width, _WIDTH), colour=_has_colour(sys.stdout))

    def result(self, text: str, *, trusted: bool = False) -> None:
        """A part of the result, on stdout; an empty text is no part. *trusted*: a forge may take commands from it."""
        if text:
            with self._lock, self._undrawn():
                self._told.clear()
                _write(sys.stdout, text, trusted=trusted)

    def note(self, text: str) -> None:
        """Something a person should know, on stderr."""
        with self._lock, self._undrawn():
            _write(sys.stderr, text)

    def commands(self, lines: Sequence[str]) -> None:
        """What a forge is told in its own language, on stderr; none is nothing."""
        if lines:
            with self._lock, self._undrawn():
                _write(sys.stderr, "\n".join(lines), trusted=True)

    def lines(self, lines: Sequence[str]) -> None:
        """Lines of a report on stderr, with what stands out in them where that is a terminal."""
        from easops.report.terminal.styled_line import painted

        self.note("\n".join(map(painted, lines) if _has_colour(sys.stderr) else lines))

    def trouble(self, lines: Sequence[str]) -> None:
        """The lines of an error, on stderr; on a terminal none is wider than that."""
        from easops.report.terminal.error import fitted

        width = _width(sys.stderr)
        self.lines(lines if width is None else fitted(lines, min(width, _PROSE)))

    def progress(self, text: str) -> None:
        """What is being done or waited for; of an ``easops.clock.Waiting`` how long, too."""
        with self._lock:
            if self._quiet or not text:
                return
            self._waited.take(text)
            if not _draws():
                self._tell(text)
            elif self._spinner is None:
                from rich.console import Console

                console = Console(stderr=True)
                self._waited.width = console.width - 4  # the spinner's own two, and a terminal's last
                self._spinner = console.status(self._waited)
                self._spinner.start()

    def _tell(self, text: str) -> None:
        """Say it in a line of its own, if that is news."""
        about, now = getattr(text, "about", text), time.monotonic()
        since, again = self._told.get(about, (now, 0.0))
        if now - since >= again:
            self._told[about] = (since, max(_AGAIN, 2 * again) if hasattr(text, "about") else float("inf"))
            _write(sys.stderr, f"easops: {self._waited.fitted()}")

    def quiet_down(self) -> None:
        """Stop drawing: before a question, and at the end."""
        with self._lock:
            if self._spinner is not None:
                self._spinner.stop()
                self._spinner = None
            self._told.clear()

    @contextlib.contextmanager
    def _undrawn(self) -> Iterator[None]:
        if self._spinner is not None:
            self._spinner.stop()
        yield
        if self._spinner is not None:
            self._spinner.start()


class _Waited:
    """What is waited for, drawn anew by the spinner as the time goes by."""

    def __init__(self) -> None:
        self.width = _WIDTH
        self._subject = self._times = ""
        self._since = time.monotonic()

    def take(self, text: str) -> None:
        subject = " ".join(getattr(text, "subject", text).split())
        if subject != self._subject:
            self._since = time.monotonic()
        self._subject, self._times = subject, getattr(text, "times", "")

    def fitted(self, width: int | None = None, times: str = "") -> str:
        """In at most *width* columns, None: whole; what is cut is never how long."""
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
    """The columns of the terminal that *stream* is; None off one."""
    if not stream.isatty():
        return None
    with contextlib.suppress(OSError, ValueError):
        return os.get_terminal_size(stream.fileno()).columns or _WIDTH
    return _WIDTH


def _draws() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def _has_colour(stream: IO[str]) -> bool:
    """On a terminal that knows it; NO_COLOR forbids it anywhere, and FORCE_COLOR has it in a pipe, too.

    Source: no-color.org, force-color.org: either counts when it is set and not empty.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb" and _understands_escapes()


def _understands_escapes() -> bool:
    """Whether this console takes escape sequences: on Windows it is asked to."""
    understands = True
    if sys.platform == "win32":
        import ctypes

        kernel32 = ctypes.windll.kernel32
        console, mode = kernel32.GetStdHandle(-11), ctypes.c_ulong()
        virtual_terminal = 0x0004  # ENABLE_VIRTUAL_TERMINAL_PROCESSING, of SetConsoleMode
        understands = bool(
            kernel32.GetConsoleMode(console, ctypes.byref(mode))
            and kernel32.SetConsoleMode(console, mode.value | virtual_terminal)
        )
    return understands


def _write(stream: IO[str], text: str, *, trusted: bool = False) -> None:
    if not trusted and os.environ.get("GITHUB_ACTIONS") == "true":
        text = _harmless(text)
    with contextlib.suppress(OSError, ValueError):  # ValueError: it is closed
        print(text, file=stream, flush=True)


def _harmless(text: str) -> str:
    """*text* without what GitHub would take for a command to itself: a user agent is what a client sent.

    JSON says the same afterwards: in it a line never begins so, and ``\\u005b`` is a bracket.
    """
    return re.sub(r"(^|[\r\n])(\s*)::", r"\1\2\\::", text).replace("##[", r"##\u005b")


def trace_commands(console: Console) -> None:
    """Say every cmdlet that is sent."""
    import logging

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            console.note(f"  > {record.getMessage()}")

    log = logging.getLogger("easops.remoting")
    log.setLevel(logging.DEBUG)
    log.addHandler(Handler())
