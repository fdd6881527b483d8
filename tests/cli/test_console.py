"""What is said off a terminal and on one: a real one, at two widths."""

from __future__ import annotations

import io
import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from easops.cli import console as console_module
from easops.cli.console import Console
from easops.clock import Waiting

from .conftest import Easops

LOGS = Path(__file__).parent.parent / "data" / "logs"
FINDING = ("detect", "contact_sync_storm", "--logs", str(LOGS / "2016-back-end"))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(console_module, "time", clock)
    return clock


def test_off_a_terminal_each_thing_waited_for_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    for text in ("step 2 of 6: How loaded they are", "EX1: measuring", "EX2: measuring", "EX1: measuring"):
        console.progress(text)
    assert capsys.readouterr().err.splitlines() == [
        "easops: step 2 of 6: How loaded they are",
        "easops: EX1: measuring",
        "easops: EX2: measuring",
    ]


def test_a_wait_that_goes_on_is_said_again_at_ever_longer_intervals(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    console = Console()
    for second in range(0, 30 * 60, 10):
        clock.now = float(second)
        console.progress(Waiting(f"EX1: {second} s have passed", second, 1800, about="EX1"))
    assert capsys.readouterr().err.splitlines() == [
        "easops: EX1: 0 s have passed (at most 30 min)",
        "easops: EX1: 60 s have passed (60 s of at most 30 min)",
        "easops: EX1: 120 s have passed (2 min of at most 30 min)",
        "easops: EX1: 240 s have passed (4 min of at most 30 min)",
        "easops: EX1: 480 s have passed (8 min of at most 30 min)",
        "easops: EX1: 960 s have passed (16 min of at most 30 min)",
    ]


def test_a_long_wait_is_complete_in_a_log_and_cut_on_a_terminal_except_for_its_times(
    capsys: pytest.CaptureFixture[str],
) -> None:
    wait = Waiting("waiting for " + "somebody " * 20, 90, 600)
    Console().progress(wait)
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "easops: " + " ".join(wait.split())

    waited = console_module._Waiting()
    waited.take(wait)
    assert len(waited.fitted(79)) == 79
    assert waited.fitted(79).endswith("... (90 s of at most 10 min)")


def test_on_a_terminal_what_takes_its_time_says_how_long(clock: Clock) -> None:
    waited = console_module._Waiting()
    waited.take("step 2 of 6: How loaded they are")
    clock.now = 2.0
    assert str(waited.__rich__()) == "step 2 of 6: How loaded they are"
    clock.now = 12.0
    assert str(waited.__rich__()) == "step 2 of 6: How loaded they are (12 s)"
    waited.take(Waiting("EX1: it is ending", 30, 120))
    assert str(waited.__rich__()) == "EX1: it is ending (30 s of at most 2 min)"


COLOUR = {
    "a terminal": (True, {}, True),
    "a pipe": (False, {}, False),
    "no colour": (True, {"NO_COLOR": "1"}, False),
    "no colour, and empty": (True, {"NO_COLOR": ""}, True),
    "a dumb terminal": (True, {"TERM": "dumb"}, False),
    "forced in a pipe": (False, {"FORCE_COLOR": "1"}, True),
    "forced and forbidden": (False, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
}


@pytest.mark.parametrize("name", COLOUR)
def test_colour_is_for_terminals_and_for_who_wants_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, environment, colour = COLOUR[name]
    monkeypatch.setattr(sys, "stdout", Terminal() if terminal else io.StringIO())
    monkeypatch.setenv("TERM", "xterm")
    for variable in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(console_module, "_supports_escapes", lambda: True)
    Console().result(Console().form(False).submitted("R"))
    from easops.report.terminal.text import Text

    form = Console().form(False)
    assert isinstance(form, Text)
    assert form.colour is colour


def on_a_terminal(columns: int, *words: str) -> str:
    """What a command writes to a terminal of so many columns."""
    pty, fcntl, termios = pytest.importorskip("pty"), pytest.importorskip("fcntl"), pytest.importorskip("termios")
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color"}
    environment = {name: value for name, value in environment.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    with subprocess.Popen(
        [sys.executable, "-m", "easops", *words], stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    ) as process:
        os.close(theirs)
        output = b""
        while True:
            try:
                data = os.read(ours, 65536)
            except OSError:  # on Linux the end of a terminal whose other side is closed
                break
            if not data:
                break
            output += data
        os.close(ours)
        process.wait(timeout=60)
    return output.decode()


def test_on_a_real_terminal_a_finding_is_coloured_and_says_what_it_says_in_a_pipe(process: Easops) -> None:
    painted = on_a_terminal(80, *FINDING)
    assert "\x1b[35m" in painted
    assert re.sub(r"\x1b\[[\d;]*m", "", painted).replace("\r\n", "\n") == process(*FINDING).out


def test_a_table_takes_a_wide_terminal_and_is_folded_on_a_narrow_one(
    calm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("show", "worker-processes", "-i", str(calm))
    narrow, wide = (on_a_terminal(columns, *words).replace("\r", "").splitlines() for columns in (80, 200))
    assert max(map(len, narrow)) <= 80 < max(map(len, wide)) <= 200
    assert len(wide) < len(narrow)
