"""A lab whose clock stands until somebody waits, and processes that run against it and may be killed.

A process is forked from one that has imported all it needs, so that it costs a fraction of a second. It asks this one
for the time, and waits by moving the lab's clock.
"""

from __future__ import annotations

import datetime as dt
import json
import multiprocessing
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import attrs

from easops.inventory.host import Host
from easops.inventory.load import load_inventory
from easops.lab import server
from easops.playbook.record.state_folder import StateFolder
from easops.remoting.secret import Secret
from tests.playbook.organisation import Reads, reads
from tests.playbook.processes import environment_of
from tests.playbook.tasks import process

T = TypeVar("T")

BEGIN: Final = dt.datetime(2026, 11, 24, 17, 0, tzinfo=dt.UTC)
if sys.platform == "win32":
    CONTEXT = multiprocessing.get_context("spawn")
else:
    CONTEXT = multiprocessing.get_context("forkserver")
    CONTEXT.set_forkserver_preload(
        [
            "easops.inventory.load",
            "easops.playbook.undo",
            "easops.playbook.resume",
            "easops.playbook.run",
            "easops.remoting.psrp",
            "sqlalchemy.dialects.sqlite",
            "unittest.mock",
        ]
    )


class Killed(Exception):
    """The process was ended by SIGKILL before it gave an answer."""


class Raised(Exception):
    """The process's task raised *kind*; the text has its traceback."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


@attrs.define
class Stage:
    """The lab, and the state folder of the runs."""

    lab: server.Lab
    state: StateFolder

    @property
    def hosts(self) -> tuple[Host, ...]:
        return load_inventory(self.lab.inventory).hosts

    def in_process(self, task: Callable[..., T], *arguments: Any) -> T:
        """The result of *task*, run in a process of its own. Raises Killed, or Raised."""
        ours, theirs = CONTEXT.Pipe()
        child = CONTEXT.Process(target=process, args=(theirs, environment_of(self.state), task, arguments))
        child.start()
        theirs.close()
        what: str = "killed"
        value: object = None
        with suppress(EOFError, ConnectionResetError), ours:
            while what not in ("answer", "raised"):
                what, value = ours.recv()
                if what == "sleep":
                    self.lab.world.advance(max(cast("float", value), 0.1))
                if what in ("now", "sleep"):
                    ours.send(self.lab.world.now())
        child.join()
        if child.exitcode == -signal.SIGKILL:
            self.lab.faults.expire_shells()  # a dead client's shells go after their idle time; else they fill the quota
            raise Killed
        assert child.exitcode == 0, f"the process ended with {child.exitcode}"
        if what == "raised":
            raise Raised(*cast("tuple[str, str]", value))
        return cast("T", value)

    def sent(self) -> list[tuple[str, str, dict[str, Any]]]:
        """The lab's own record: each change that a server has made, in order: server, cmdlet, parameters."""
        path = self.lab.folder / "changes.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [(call["server"], call["cmdlet"], call["parameters"]) for call in map(json.loads, lines)]

    def reads(self) -> Reads:
        return reads(self.hosts)


@contextmanager
def new_stage(
    folder: Path, data: Mapping[str, Any], *, seed: int = 1, database: Secret | None = None
) -> Iterator[Stage]:
    """A lab with the scenario *data*, and an empty state folder, both in *folder*. *database* replaces the database in
    the state folder."""
    write_world(folder / "lab", data, seed=seed)
    with server.start(folder / "lab", speed=0) as lab:
        yield Stage(lab, StateFolder(folder / "state", database))


def write_world(folder: Path, data: Mapping[str, Any], *, seed: int = 1) -> None:
    """Make *folder* that of a lab with the scenario *data*, whose clock stands at BEGIN."""
    folder.mkdir(parents=True)
    world = {"format": 1, "scenario": "test", "data": data, "seed": seed, "start": BEGIN.timestamp(), "speed": 0}
    (folder / "world.json").write_text(json.dumps(world), encoding="utf-8")
