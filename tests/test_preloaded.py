"""A command of the preloaded ``easops`` behaves as one of the real program."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="there is no fork: the stub is the real program"),
]

REAL = [sys.executable, "-m", "easops"]


@pytest.mark.parametrize(
    ("words", "given"),
    [
        (["--version"], ""),
        (["nosuch"], ""),
        (["lint", "missing.yml"], ""),
        (["lint", "here.yml"], ""),
        (["runs", "list", "--json"], ""),
        (["runs", "show", "20200101-000000-0000"], ""),
        (["inventory", "from-ansible", "-"], "no JSON"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_its_output_and_exit_code_are_those_of_the_real_one(
    commands: Path, tmp_path: Path, words: Sequence[str], given: str
) -> None:
    (tmp_path / "here.yml").write_text("easops: 1\nname: x\n", encoding="utf-8")
    environment = {**os.environ, "EASOPS_STATE": str(tmp_path / "state")}
    quick, real = (
        subprocess.run(
            [*command, *words],
            input=given,
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env=environment,
        )
        for command in ([str(commands / "easops")], REAL)
    )
    assert (quick.returncode, quick.stdout, quick.stderr) == (real.returncode, real.stdout, real.stderr)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_a_signal_ends_it_and_its_lab(commands: Path, tmp_path: Path, number: int, code: int) -> None:
    words = ["run", "contacts-sync-storm", "--lab", "--scenario", "contacts-storm-stubborn"]
    with subprocess.Popen(
        [commands / "easops", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "EASOPS_STATE": str(tmp_path)},
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline()
        program.send_signal(number)
        assert program.wait(60) == code
        ends = time.monotonic() + 20
        # The pipe closes when the last process that has it has ended: the child, too.
        assert program.stdout.read() is not None
        assert time.monotonic() < ends
