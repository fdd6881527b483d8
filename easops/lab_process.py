"""The built-in lab as a child process: the simulated organisation that ``--lab`` works on.

The lab ends when its standard input closes, so it never outlives this process, not even when this process is killed.
By the same pipe this process moves the lab's clock, which stands otherwise: see ``easops.standing_clock``, and
``CALL_TAKES`` of the lab for what a call costs.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Final

import attrs

from easops.errors import BadInput, EasopsError
from easops.inventory.host import Host
from easops.inventory.load import load_inventory
from easops.standing_clock import StandingClock
from easops.status import EXIT_USAGE

DEFAULT_SCENARIO: Final = "contacts-storm"
"""The scenario of a lab for which nobody names one."""

_INHERITED: Final = (
    *("PATH", "PYTHON", "VIRTUAL_ENV", "LD_", "DYLD_", "HOME", "LANG", "LC_", "TZ", "TMP", "TEMP"),
    *("SYSTEM", "WINDIR", "COMSPEC", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "COVERAGE"),
)
"""What the names of variables begin with that the lab's process gets: a password of this one's is none of them."""


class LabError(EasopsError):
    """The built-in lab did not start, or ended before its time."""


@attrs.define
class Lab:
    """A running lab: its hosts, and its clock, which moves when somebody waits by it."""

    scenario: str
    hosts: tuple[Host, ...]
    clock: StandingClock
    inventory: Path
    _process: subprocess.Popen[str]

    def stop(self) -> None:
        """End it, and wait until it has stored its clock."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it has ended, and took no last line
            self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Lab:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


_prepared: Final[list[tuple[subprocess.Popen[str], IO[str]]]] = []


def prepare_lab() -> None:
    """Begin to start the process of the next lab: what it needs is loaded while this process does something else. It
    ends with this process, used or not."""
    if not _prepared:
        _prepared.append(_new_process())


def _new_process() -> tuple[subprocess.Popen[str], IO[str]]:
    """The process of a lab that waits for the arguments of ``easops lab start``, and the file of its errors."""
    # A file, not a pipe: nobody reads while the lab runs, and a full pipe would hold it up.
    errors = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115  # closed by whoever starts the lab
    process = subprocess.Popen(
        [sys.executable, "-m", "easops", "lab", "start-when-told"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        encoding="utf-8",
        env={name: value for name, value in os.environ.items() if name.upper().startswith(_INHERITED)},
    )
    return process, errors


def start_lab(scenario: str | None, folder: Path, *, seed: int | None = None, begin: dt.datetime | None = None) -> Lab:
    """Start the lab whose world *folder* keeps; *scenario* and *seed* (1) name the world to make where there is none
    yet, which begins at *begin* (now).

    Raises BadInput (no such scenario, a folder of something else) and LabError, with the lab's own words.
    """
    arguments = ["--state", str(folder), "--clock-by-stdin"]
    if scenario is not None:
        arguments += ["--scenario", scenario]
    if seed is not None:
        arguments += ["--seed", str(seed)]
    if begin is not None:
        arguments += ["--begin", begin.isoformat()]
    process, errors = _prepared.pop() if _prepared else _new_process()
    with errors:
        line = _asked(process, arguments)
        if not line:
            process.wait()
            errors.seek(0)
            raise _not_started(errors.read(), process.returncode)
    ready = json.loads(line)
    inventory = Path(ready["inventory"])
    return Lab(
        ready["scenario"],
        load_inventory(inventory).hosts,
        StandingClock(dt.datetime.fromisoformat(ready["start"]), functools.partial(_reach, process)),
        inventory,
        process,
    )


@contextlib.contextmanager
def temporary_lab(scenario: str, seed: int | None = None) -> Iterator[Lab]:
    """A new lab, stopped and deleted at the end of the block. *scenario*, *seed* and errors as ``start_lab``."""
    with (
        tempfile.TemporaryDirectory(prefix="easops-lab-", ignore_cleanup_errors=True) as folder,
        start_lab(scenario, Path(folder), seed=seed) as lab,
    ):
        yield lab


def _reach(process: subprocess.Popen[str], moment: float) -> float:
    """Have the lab's clock reach *moment*, and give what it shows; both in seconds since its start."""
    line = _asked(process, {"until": moment})
    if not line:
        raise LabError("the lab has ended", "its process is gone, and its clock with it", "run the playbook again")
    return float(json.loads(line)["now"])


def _asked(process: subprocess.Popen[str], message: object) -> str:
    """The lab's answer to one line of JSON; empty where it has ended."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps(message) + "\n")
        process.stdin.flush()
        return process.stdout.readline()
    except (OSError, ValueError):  # ValueError: the pipe is closed
        return ""


def _not_started(said: str, code: int) -> EasopsError:
    """The error that the lab's three lines tell; other words stand as they are."""
    what, *rest = said.strip().splitlines() or [f"it ended with code {code}"]
    told = {"why": "", "next": ""}
    for line in rest:
        name, colon, text = line.strip().partition(":")
        if colon and name in told:
            told[name] = text.strip()
        elif not told["why"]:
            told["why"] = line.strip()
    kind = BadInput if code == EXIT_USAGE else LabError
    return kind(f"the lab did not start: {what.removeprefix('easops: ')}", told["why"], told["next"])
