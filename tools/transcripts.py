"""Carry out the commands that a page shows, and compare what they print with the page.

    python tools/transcripts.py docs/tutorial.md            check; a difference is shown, and exits 1
    python tools/transcripts.py --write docs/tutorial.md    write what was printed into the page, where it differs

A page's transcripts are its fenced blocks of the language ``console``, carried out in order, in a new folder that has
the clone's ``examples/`` and nothing else, with records of easops that are empty:

- ``$ COMMAND`` is typed into a shell; the lines under it are what it prints. A command that does not end with 0 is
  followed by ``$ echo $?``.
- ``NAME$ COMMAND`` is typed into another terminal, which the text calls so. Its command may go on: it is waited for
  until the last line that the page shows has been printed. ``NAME$ ^C`` ends it; so does the end of the page.
- A line of ``…`` alone, or of words between two, leaves out any number of lines.
- A block of another language whose first line is the comment ``# FILE`` is saved under that name.
- ``<!-- console`` opens a block that is carried out and not shown, up to ``-->``.

Words are compared exactly, line breaks and the space between words are not. What differs from run to run (``VARYING``)
is left out of the comparison: ids of runs, times, durations, ports, and figures that hang on the lab's clock. The id of
a run that a page has printed and then types is replaced by the one that was printed now.

What is shown is what stays on a terminal: standard output, then standard error without the lines of progress.

The index of packages has no easops of this clone. So either an environment stands in that has it (``--bin``; then the
commands that install are passed over), or its wheel is given (``--wheel``; then they are carried out, pip is told to
take that wheel for ``"easops[…]"``, and takes all else from its index; what it says of that index is not compared).
Only the standard library is needed, and a POSIX shell.
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
"""What a page says for the folder in which its commands are carried out."""
WHO: Final = "ada on desk"
"""What a page says for who carries them out, and on which machine."""
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
"""What differs from one run to the next, and what stands for it in a comparison."""


@dataclass
class Typed:
    """A command of a page. ``first`` and ``last`` bound the lines under it, from 0, the last one excluded."""

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
    """What came of a page: the differences, and the page with what was printed now."""

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
    """The words of *text*, one space between them, without what varies."""
    text = " ".join(text.split())
    for pattern, name in VARYING:
        text = pattern.sub(name, text)
    return text


def matches(shown: Sequence[str], printed: Sequence[str]) -> bool:
    """Whether the lines *shown* on a page stand for the lines *printed*."""
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
    """The lines of standard error that are no progress: on a terminal that is one line, drawn over and then gone."""
    lines = stderr.splitlines()
    return [
        line
        for line, after in zip(lines, [*lines[1:], ""], strict=False)
        if not line.startswith("easops: ") or after.startswith("  ")
    ]


class Terminal:
    """A shell of its own process group, into which one command after the other is typed."""

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
            # Who started this in the background may have had it ignore Ctrl-C, which a shell hands on for good.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self._count = 0
        self._type("trap : INT")
        self.status: int | None = 0
        """How the last command ended; None while it goes on."""

    def begin(self, command: str) -> None:
        before, self.status = self.status, None
        self._count += 1
        out, err = self._files()
        # The braces take no subshell: what a command sets, the next one has.
        self._type(f"(exit {before})\n{{ {command}\n}} </dev/null >'{out}' 2>'{err}'\nprintf '%s\\n' \"$?\"")

    def ended(self, seconds: float) -> bool:
        """Whether the command has ended within that time."""
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
        """Ctrl-C; whether the command has ended by it."""
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
    """This process's environment without what changes what is printed, and with records of its own."""
    dropped = re.compile(r"(EASOPS|PYTHON|GITHUB|GITLAB|CI|VIRTUAL_ENV|COLUMNS|LINES|FORCE_COLOR|NO_COLOR|TERM|LC_)")
    held = {name: value for name, value in os.environ.items() if not dropped.match(name)}
    held |= {"EASOPS_STATE": str(state), "LANG": "C.UTF-8", "PYTHONUTF8": "1", "TERM": "dumb", "COLUMNS": "80"}
    if commands is not None:
        held["PATH"] = f"{commands}{os.pathsep}{held['PATH']}"
    return held | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def carry_out(page: Path, *, commands: Path | None = None, wheel: Path | None = None) -> Result:
    """Carry out a page's commands, with the easops in the folder *commands* or in the *wheel*."""
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
                result.differences.append(f"{ended}; where that is meant, the page shows it: $ echo $?")
    result.lines = rewritten(lines, written, {now: then for then, now in ids.items()})
    return result


def _answer(terminal: Terminal, command: str, part: Typed, shown: Sequence[str]) -> tuple[list[str], str]:
    """What a command printed, and what is wrong with how it went."""
    if command == "^C":
        return ([], "") if terminal.interrupt() else ([], "it did not end")
    if terminal.status is None:
        return [], "the command before it goes on in that terminal"
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
    """Whether the command ended with 0, goes on, or the page shows with what it ended."""
    if terminal.status in (0, None) or part.command == "^C":
        return True
    following = next((line for line in lines[part.last :] if line.strip() and not _FENCE.match(line)), "")
    return part.last < len(lines) and following == f"{part.terminal}$ echo $?"


def _ids(lines: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(_RUN.findall("\n".join(lines))))


def _difference(page: Path, part: Typed, shown: Sequence[str], printed: Sequence[str], trouble: str) -> str:
    expected, held = ([masked(line) for line in lines if line.strip()] for lines in (shown, printed))
    told = difflib.unified_diff(expected, held, "on the page", "printed", lineterm="", n=2)
    return "\n".join([f"{page}:{part.at + 1}: $ {part.command}  {trouble}".rstrip(), *told])


def rewritten(lines: Sequence[str], written: Iterable[tuple[Typed, list[str]]], ids: Mapping[str, str]) -> list[str]:
    """The page with what was printed where that differs; *ids* are the page's own, by those that were printed. What a
    page leaves out it goes on leaving out, as far as that can be found."""
    held = list(lines)
    for part, printed in reversed(list(written)):
        named = [_RUN.sub(lambda found: ids.get(found[0], found[0]), line) for line in printed]
        held[part.first : part.last] = elided(lines[part.first : part.last], named)
    return held


def elided(shown: Sequence[str], printed: Sequence[str]) -> list[str]:
    """The *printed* lines, those left out that *shown* leaves out: up to the line that is shown next."""
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
    """Where *line* stands in *printed*; where nothing is like it, *first*, for an author to look at."""
    return next((at for at in range(first, len(printed)) if masked(printed[at]) == masked(line)), first)


def main() -> int:
    parser = argparse.ArgumentParser(description="Carry out the commands that pages show, and compare what they print.")
    parser.add_argument("pages", nargs="+", type=Path, metavar="PAGE")
    parser.add_argument("--write", action="store_true", help="write what was printed into the pages")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--bin", type=Path, metavar="FOLDER", help="where easops is installed; else beside this Python")
    which.add_argument("--wheel", type=Path, metavar="FILE", help="what pip is to take for easops")
    given = parser.parse_args()
    # What was started is ended where this is; and Ctrl-C, which is ignored in the background, reaches the shells.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    commands = None if given.wheel else (given.bin or Path(sys.executable).parent).absolute()
    code = 0
    for page in given.pages:
        started = time.monotonic()
        result = carry_out(page, commands=commands, wheel=given.wheel)
        for difference in result.differences:
            print(difference, flush=True)
        if given.write:
            page.write_text("\n".join(result.lines) + "\n", encoding="utf-8")
        told = "differs" if result.differences else "as shown"
        print(f"{page}: {told} ({time.monotonic() - started:.0f} s)", flush=True)
        code = code or int(bool(result.differences) and not given.write)
    return code


if __name__ == "__main__":
    if shutil.which("sh") is None:
        sys.exit("the commands of the pages are typed into a POSIX shell, and there is none")
    sys.exit(main())
