"""The question before the changes, at a terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Easops

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")


@pytest.mark.slow
@pytest.mark.parametrize("typed", [b"\x03", b"\x04", b"n\n"], ids=["ctrl-c", "end of input", "no"])
def test_a_run_that_is_not_confirmed_leaves_nothing_behind(
    typed: bytes, easops: Easops, lab: Path, state: Path
) -> None:
    import pty

    words = ["do", "limit_eas_usage", "laura.brandt@contoso.example", "--because", "a test", "-i", str(lab)]
    ours, theirs = pty.openpty()
    environment = {**os.environ, "EASOPS_STATE": str(state), "TERM": "dumb"}
    with subprocess.Popen(
        [Path(sys.executable).parent / "easops", *words],
        stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True,
        preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),  # makes it the controlling terminal
    ) as program:  # fmt: skip
        os.close(theirs)
        seen = b""
        while b"[y/N]" not in seen:
            seen += os.read(ours, 4096)
        os.write(ours, typed)
        assert program.wait(30) == 3, seen.decode()
    os.close(ours)

    assert [run["status"] for run in json.loads(easops("runs", "list", "--json").out)["runs"]] == ["refused"]
    done = easops(*words, "--yes", "--json")
    assert done.code == 0, "it blocks no later run"
    assert easops("undo", json.loads(done.out)["run_id"], "--yes").code == 0  # the lab is that of other tests, too
