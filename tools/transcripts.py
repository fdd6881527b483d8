"""Run the commands that a page shows, and compare their output with the page.

    python tools/transcripts.py docs/tutorial.md            check; differences are shown, and the exit code is 1
    python tools/transcripts.py --write docs/tutorial.md    write the output into the page where it differs

A page's transcripts are its fenced blocks of the language ``console``. They run in order, in a new folder with nothing
but the clone's ``examples/``, and with no recorded runs:

- ``$ COMMAND`` is typed into a shell; the lines under it are its output. After a command that does not end with 0 the
  page shows ``$ echo $?``.
- ``NAME$ COMMAND`` is typed into another terminal, which has that name in the text. Its command may keep running: the
  tool waits for the last line that the page shows. ``NAME$ ^C`` ends it; so does the end of the page.
- A line that is only ``…``, or words between two ``…``, leaves out any number of lines.
- A block of another language whose first line is the comment ``# FILE`` is saved under that name.
- ``<!-- console`` opens a block that is run and not shown, up to ``-->``.

Words are compared exactly, line breaks and the spaces between words are not. What differs from run to run (``VARYING``)
is not compared: run ids, times, durations, ports, and figures that depend on the lab's clock. If a page prints a run id
and types it later, the tool types the id that was printed now.

A page shows what stays on a terminal: standard output, then standard error without the lines of progress.

The package index does not have the easops of this clone. So either an environment that has it is used (``--bin``; then
the commands that install are skipped), or its wheel is given (``--wheel``; then these commands run, pip uses that wheel
for ``"easops[…]"``, and its index for everything else; pip's output is not compared). The tool needs only the standard
library and a POSIX shell.
"""

from __future__ import annotations

import argparse
import difflib
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = "/home/ada/easops"
"""What a page shows for the folder in which its commands run."""
WHO: Final = "ada on desk"
"""What a page shows for the user and the machine."""
PATIENCE: Final = 300.0
"""Seconds that a command may take: pip on a slow line is the slowest."""

_FENCE: Final = re.compile(r"^(`{3,}|~{3,})\s*(\w*)")
_PROMPT: Final = re.compile(r"^(\w*)\$ (.+)$")
_FILE: Final = re.compile(r"^# ([\w./-]+\.\w+)$")
_ELISION: Final = re.compile(r"^\s*…(?: .* …)?\s*$")
_INSTALLS: Final = re.compile(r"^(?:python3? -m venv |\. \.venv/bin/activate$|pip install )")
_EASOPS: Final = re.compile(r'"easops(\[[\w,]+\])?"')
_RUN: Final = re.compile(r"\b\d{8}-\d{6}-[0-9a-f]{4}\b")
_NUMBER: Final = r"\d[\d,]*(?:\.\d+)?"
VARYING: Final = (
    (_RUN, "<run>"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "<digest>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|\+00:00)?"), "<time>"),
    (re.compile(r"\b\d\d-\d\d \d\d:\d\d\b"), "<time>"),
    (re.compile(r"(?<![\w:])\d\d:\d\d(?::\d\d)?Z?\b(?!:)"), "<time>"),
    (re.compile(rf"\b{_NUMBER} (?:ms|s|min|h|days?)\b"), "<duration>"),
    (re.compile(r"\b(?:\d+d)?(?:\d+h)?(?:\d+m)?\d+s\b"), "<duration>"),
    (re.compile(r"<duration>(?: <duration>)+"), "<duration>"),
    (re.compile(rf"{_NUMBER} ((?:-> \S+ )?percent)\b"), r"<figure> \1"),
    (re.compile(rf"-> {_NUMBER} percent\b"), "-> <figure> percent"),
    (re.compile(rf"\(limit {_NUMBER}\)"), "(limit <figure>)"),
    (re.compile(r"ActiveSync, \d{4}-\d\d-\d\d$", re.MULTILINE), "ActiveSync, <date>"),
    (re.compile(rf"\b{_NUMBER} lines of\b"), "<count> lines of"),
    (re.compile(rf"\b{_NUMBER} of ActiveSync\b"), "<count> of ActiveSync"),
    (re.compile(rf"\b{_NUMBER} contact syncs\b"), "<count> contact syncs"),
    (re.compile(rf"\(max {_NUMBER}\)"), "(max <figure>)"),
    (re.compile(rf"\b{_NUMBER} (KiB|MiB|GiB|bytes)\b"), r"<figure> \1"),
    (re.compile(r"(?<![\w.])\d+\.\d(?![\w.])"), "<figure>"),
    (re.compile(r"\b\d+ of \d+ Pings\b"), "<count> of <count> Pings"),
    (re.compile(r"\b\d+ (Pings?|Syncs?)\b"), r"<count> \1"),
    (re.compile(r"\b(back|front) end \d+\b"), r"\1 end <count>"),
    (re.compile(r"\bworkers \d+(?:, \d+)*\b"), "workers <pid>"),
    (re.compile(r"\b127\.0\.0\.1:\d+"), "127.0.0.1:<port>"),
)
"""What differs from one run to the next, and what replaces it in a comparison."""


@dataclass
class Typed:
    """A command of a page, in line *at*. Its output is the lines *first* to *last*, from 0, without *last*."""

    terminal: str
    command: str
    at: int
    first: int
    last: int


@dataclass
class Saved:
    """A file of a page."""

    name: str
    text: str


@dataclass
class Result:
    """The result of a page: the differences, and the page with the current output."""

    page: Path
    differences: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


def parts_of(lines: Sequence[str]) -> Iterator[Typed | Saved]:
    """The commands and the files of a page, in order."""
    number = 0
    while number < len(lines):
        fence = _FENCE.match(lines[number])
        if fence is None and lines[number] != "<!-- console":
            number += 1
            continue
        ends, language = (fence[1], fence[2]) if fence else ("-->", "console")
        first = number + 1
        last = next((at for at in range(first, len(lines)) if lines[at].strip() == ends), len(lines))
        if language == "console":
            yield from _typed(lines, first, last)
        elif first < last and (named := _FILE.match(lines[first])):
            yield Saved(named[1], "\n".join(lines[first:last]) + "\n")
        number = last + 1


def _typed(lines: Sequence[str], first: int, last: int) -> Iterator[Typed]:
    prompts = [at for at in range(first, last) if _PROMPT.match(lines[at])]
    for at, following in zip(prompts, [*prompts[1:], last], strict=True):
        prompt = _PROMPT.match(lines[at])
        assert prompt is not None
        yield Typed(prompt[1], prompt[2], at, at + 1, following)


def has_transcripts(page: Path) -> bool:
    lines = page.read_text(encoding="utf-8").splitlines()
    return any(isinstance(part, Typed) for part in parts_of(lines))


def masked(text: str) -> str:
    """The words of *text*, with one space between them, without what varies."""
    text = " ".join(text.split())
    for pattern, name in VARYING:
        text = pattern.sub(name, text)
    return text


def matches(shown: Sequence[str], printed: Sequence[str]) -> bool:
    """Whether the lines *shown* on a page match the lines *printed*."""
    segments: list[list[str]] = [[]]
    for line in shown:
        if _ELISION.match(line):
            segments.append([])
        else:
            segments[-1].append(line)
    texts = [masked("\n".join(segment)) for segment in segments]
    words = [re.escape(text) for text in texts if text]
    begins = "" if texts[0] else r"(?:.* )?"
    ends = "" if texts[-1] else r"(?: .*)?"
    if not words:
        return len(texts) > 1 or not masked("\n".join(printed))
    return re.fullmatch(begins + r" (?:.* )?".join(words) + ends, masked("\n".join(printed))) is not None


def stays(stderr: str) -> list[str]:
    """The lines of standard error without those of progress, which a terminal shows in one line and then erases."""
    lines = stderr.splitlines()
    return [
        line
        for line, after in zip(lines, [*lines[1:], ""], strict=False)
        if not line.startswith("easops: ") or after.startswith("  ")
    ]


class Terminal:
    """A shell in its own process group; commands are typed into it one after the other."""

    def __init__(self, folder: Path, environment: Mapping[str, str], outputs: Path) -> None:
        self._outputs = outputs
        outputs.mkdir()
        self._shell = subprocess.Popen(
            ["sh"],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            start_new_session=True,
            # A process in the background may ignore Ctrl-C, and a shell passes that on to its commands.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self._count = 0
        self._type("trap : INT")
        self.status: int | None = 0
        """The exit code of the last command; None while it runs."""

    def begin(self, command: str) -> None:
        before, self.status = self.status, None
        self._count += 1
        out, err = self._files()
        # Braces make no subshell: a variable that a command sets is there for the next one.
        self._type(f"(exit {before})\n{{ {command}\n}} </dev/null >'{out}' 2>'{err}'\nprintf '%s\\n' \"$?\"")

    def ended(self, seconds: float) -> bool:
        """Whether the command ended within that time."""
        assert self._shell.stdout is not None
        if self.status is None and select.select([self._shell.stdout], [], [], seconds)[0]:
            line = self._shell.stdout.readline()
            self.status = int(line) if line else 128
        return self.status is not None

    def printed(self) -> list[str]:
        out, err = (
            file.read_text(encoding="utf-8", errors="replace") if file.exists() else "" for file in self._files()
        )
        return [*out.splitlines(), *stays(err)]

    def interrupt(self) -> bool:
        """Send Ctrl-C; returns whether that ended the command."""
        os.killpg(self._shell.pid, signal.SIGINT)
        return self.ended(30)

    def close(self) -> None:
        if not self.ended(0) and not self.interrupt():
            os.killpg(self._shell.pid, signal.SIGKILL)
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        self._shell.stdin.close()
        self._shell.wait(30)
        self._shell.stdout.close()

    def _files(self) -> tuple[Path, Path]:
        return self._outputs / f"{self._count}.out", self._outputs / f"{self._count}.err"

    def _type(self, text: str) -> None:
        assert self._shell.stdin is not None
        self._shell.stdin.write(text + "\n")
        self._shell.stdin.flush()


def environment_of(state: Path, commands: Path | None) -> dict[str, str]:
    """This process's environment, without the variables that change the output, and with its own state folder."""
    dropped = re.compile(r"(EASOPS|PYTHON|GITHUB|GITLAB|CI|VIRTUAL_ENV|COLUMNS|LINES|FORCE_COLOR|NO_COLOR|TERM|LC_)")
    environment = {name: value for name, value in os.environ.items() if not dropped.match(name)}
    environment |= {"EASOPS_STATE": str(state), "LANG": "C.UTF-8", "PYTHONUTF8": "1", "TERM": "dumb", "COLUMNS": "80"}
    if commands is not None:
        environment["PATH"] = f"{commands}{os.pathsep}{environment['PATH']}"
    return environment | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def run_page(page: Path, *, commands: Path | None = None, wheel: Path | None = None) -> Result:
    """Run a page's commands with the easops in the folder *commands* or in the *wheel*."""
    result = Result(page)
    lines = page.read_text(encoding="utf-8").splitlines()
    written: list[tuple[Typed, list[str]]] = []
    ids: dict[str, str] = {}
    here = f"{subprocess.check_output(['id', '-un'], text=True).strip()} on {socket.gethostname()}"
    with ExitStack() as stack:
        made = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="easops-page-", ignore_cleanup_errors=True)))
        made = made.resolve()
        folder, state, outputs = made / "easops", made / "state", made / "outputs"
        for name in (folder, state, outputs):
            name.mkdir()
        (folder / "examples").symlink_to(ROOT / "examples")
        environment = environment_of(state, commands)
        terminals: dict[str, Terminal] = {}
        for part in parts_of(lines):
            if isinstance(part, Saved):
                (folder / part.name).parent.mkdir(parents=True, exist_ok=True)
                (folder / part.name).write_text(part.text, encoding="utf-8")
                continue
            if commands is not None and _INSTALLS.match(part.command):
                continue
            if part.terminal not in terminals:
                terminals[part.terminal] = Terminal(folder, environment, outputs / f"terminal-{part.terminal}")
                stack.callback(terminals[part.terminal].close)
            shown = lines[part.first : part.last]
            command = _RUN.sub(lambda found: ids.get(found[0], found[0]), part.command).replace(FOLDER, str(folder))
            installs = _INSTALLS.match(command) is not None
            if wheel is not None and installs:
                command = _EASOPS.sub(rf'"easops\1 @ {wheel.resolve().as_uri()}"', command)
            printed, trouble = _answer(terminals[part.terminal], command, part, shown)
            if installs and terminals[part.terminal].status == 0:
                continue
            printed = [line.replace(str(folder), FOLDER).replace(here, WHO) for line in printed]
            ids.update(zip(_ids(shown), _ids(printed), strict=False))
            if trouble or not matches(shown, printed):
                written.append((part, printed))
                result.differences.append(_difference(page, part, shown, printed, trouble))
            if not _explained(lines, part, terminals[part.terminal]):
                ended = f"{page}:{part.at + 1}: {part.command!r} ended with {terminals[part.terminal].status}"
                result.differences.append(f"{ended}; if that is intended, show it on the page: $ echo $?")
    result.lines = rewritten(lines, written, {now: then for then, now in ids.items()})
    return result


def _answer(terminal: Terminal, command: str, part: Typed, shown: Sequence[str]) -> tuple[list[str], str]:
    """What a command printed, and what went wrong; empty if nothing did."""
    if command == "^C":
        return ([], "") if terminal.interrupt() else ([], "it did not end")
    if terminal.status is None:
        return [], "the previous command is still running in that terminal"
    terminal.begin(command)
    last = next((masked(line) for line in reversed(shown) if line.strip()), "")
    until = time.monotonic() + PATIENCE
    while not terminal.ended(0.05):
        if part.terminal and last and last in [masked(line) for line in terminal.printed()]:
            terminal.ended(2)
            break
        if time.monotonic() > until:
            terminal.interrupt()
            return terminal.printed(), f"it took longer than {PATIENCE:.0f} s"
    return terminal.printed(), ""


def _explained(lines: Sequence[str], part: Typed, terminal: Terminal) -> bool:
    """Whether the command ended with 0, still runs, or the page shows its exit code."""
    if terminal.status in (0, None) or part.command == "^C":
        return True
    following = next((line for line in lines[part.last :] if line.strip() and not _FENCE.match(line)), "")
    return part.last < len(lines) and following == f"{part.terminal}$ echo $?"


def _ids(lines: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(_RUN.findall("\n".join(lines))))


def _difference(page: Path, part: Typed, shown: Sequence[str], printed: Sequence[str], trouble: str) -> str:
    expected, actual = ([masked(line) for line in lines if line.strip()] for lines in (shown, printed))
    diff = difflib.unified_diff(expected, actual, "on the page", "printed", lineterm="", n=2)
    return "\n".join([f"{page}:{part.at + 1}: $ {part.command}  {trouble}".rstrip(), *diff])


def rewritten(lines: Sequence[str], written: Iterable[tuple[Typed, list[str]]], ids: Mapping[str, str]) -> list[str]:
    """The page with the current output where it differs; *ids* maps the printed run ids to the page's own. What the
    page leaves out stays left out, as far as its place can be found."""
    result = list(lines)
    for part, printed in reversed(list(written)):
        named = [_RUN.sub(lambda found: ids.get(found[0], found[0]), line) for line in printed]
        result[part.first : part.last] = elided(lines[part.first : part.last], named)
    return result


def elided(shown: Sequence[str], printed: Sequence[str]) -> list[str]:
    """The *printed* lines without those that *shown* leaves out, which end at the line that is shown next."""
    end = len(shown)
    while end and not shown[end - 1].strip():
        end -= 1
    result: list[str] = []
    at = 0
    for number, line in enumerate(shown[:end]):
        if not _ELISION.match(line):
            continue
        before = shown[number - 1] if number else None
        after = shown[number + 1] if number + 1 < end else None
        cut = _line(printed, before, at) + 1 if before is not None else at
        result += [*printed[at:cut], line]
        at = len(printed) if after is None else _line(printed, after, cut)
    return [*result, *printed[at:], *shown[end:]]


def _line(printed: Sequence[str], line: str, first: int) -> int:
    """The index of *line* in *printed*; *first* if there is no such line: the author has to look at it."""
    return next((at for at in range(first, len(printed)) if masked(printed[at]) == masked(line)), first)


def main() -> int:
    parser = argparse.ArgumentParser(description="Run the commands that pages show, and compare their output.")
    parser.add_argument("pages", nargs="+", type=Path, metavar="PAGE")
    parser.add_argument("--write", action="store_true", help="write the output into the pages")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--bin", type=Path, metavar="FOLDER", help="the folder with the easops command (default: beside this Python)"
    )
    which.add_argument("--wheel", type=Path, metavar="FILE", help="the wheel that pip installs as easops")
    arguments = parser.parse_args()
    # SIGTERM ends the shells too, and Ctrl-C works even if this was started in the background, where it is ignored.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    commands = None if arguments.wheel else (arguments.bin or Path(sys.executable).parent).absolute()
    code = 0
    for page in arguments.pages:
        started = time.monotonic()
        result = run_page(page, commands=commands, wheel=arguments.wheel)
        for difference in result.differences:
            print(difference, flush=True)
        if arguments.write:
            page.write_text("\n".join(result.lines) + "\n", encoding="utf-8")
        verdict = "differs" if result.differences else "as shown"
        print(f"{page}: {verdict} ({time.monotonic() - started:.0f} s)", flush=True)
        code = code or int(bool(result.differences) and not arguments.write)
    return code


if __name__ == "__main__":
    if shutil.which("sh") is None:
        sys.exit("the commands of the pages need a POSIX shell (sh), and there is none")
    sys.exit(main())
