"""easops in processes of their own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from easops.playbook.record.database import DatabaseAway
from easops.playbook.record.state_folder import StateFolder


def environment_of(state: StateFolder) -> dict[str, str]:
    """The environment in which a child process keeps its state there."""
    url = {} if state.database is None else {"EASOPS_DATABASE_URL": state.database_url}
    others = {name: value for name, value in os.environ.items() if name != "EASOPS_DATABASE_URL"}
    return {**others, **url, "EASOPS_STATE": str(state.path)}


def wait_until(true: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Whether it became true; it may say DatabaseAway until then."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        with contextlib.suppress(DatabaseAway):
            if true():
                return True
        time.sleep(0.05)
    return False


USERS = tuple(f"{name}@contoso.example" for name in ("laura.brandt", "marco.ricci", "tomas.novak", "victoria.chen"))

BLOCKS = """
easops: 1
name: Block them
hosts: runs=activesync
inputs:
  users: {type: list}
steps:
  - name: Block each of them
    for_each: "{{ users }}"
    do: block_user
    with: {user: "{{ item }}"}
    because: they flood
"""
"""A playbook with one short write a user, all on the organisation."""


REAL: Final = (sys.executable, "-m", "easops")
program: list[str] = [*REAL]
"""How a child process is started; conftest.py puts one here that starts at once."""


def script(name: str, *arguments: object) -> list[str]:
    """The command that executes a Python script of this folder, with as quick a start."""
    path = str(Path(__file__).with_name(name))
    start = [sys.executable, path] if program == [*REAL] else [*program, "--script", path]
    return [*start, *map(str, arguments)]


@contextlib.contextmanager
def easops(state: StateFolder, *words: str, new_group: bool = False) -> Iterator[subprocess.Popen[str]]:
    """The command line as a child process; killed at the end of the block where it still lives.

    Its standard input is a pipe that stays open.
    """
    with subprocess.Popen(
        [*(REAL if new_group else program), *words],  # what starts at once is in a group of its own
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment_of(state),
        start_new_session=new_group,
    ) as child:
        try:
            yield child
        finally:
            child.kill()
