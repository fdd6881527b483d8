from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from easops.cli.app import main


class Answer(NamedTuple):
    """What a command left: its exit code, and its two streams."""

    code: int
    out: str
    err: str


Easops = Callable[..., Answer]


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state folder that the commands of a test use; no inventory is set."""
    monkeypatch.setenv("EASOPS_STATE", str(tmp_path / "state"))
    for variable in ("EASOPS_INVENTORY", "FORCE_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path / "state"


@pytest.fixture
def easops(state: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Easops]:
    """Calls a command in this process, as ``easops`` does."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def call(*words: str | Path) -> Answer:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        assert isinstance(ended.value.code, int)
        return Answer(ended.value.code, *capsys.readouterr())

    yield call
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def process(state: Path, commands: Path) -> Easops:
    """Calls a command in a process of its own, without a terminal."""

    def call(*words: str | Path) -> Answer:
        done = subprocess.run(
            [commands / "easops", *map(str, words)],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            env=dict(os.environ),
            timeout=300,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    return call
