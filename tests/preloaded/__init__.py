"""``easops`` without its second of imports: for tests that type many commands.

A process of its own has imported all that commands need. For each command it forks a child, which takes over the
arguments, environment, working folder and files of the program that was typed: a stub named ``easops``, which starts in
20 ms, passes on SIGINT and SIGTERM, and ends with the child's exit code. Where there is no fork, the stub is the real
program.

Tests of what starting means (libraries, completion, secrets, time) and tests that kill -9 use real processes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]

_STUB: Final = """\
#!{python} -IS
import json, os, select, signal, socket, sys
connection = socket.socket(socket.AF_UNIX)
connection.connect({address!r})
asked = json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]).encode("utf-8", "surrogateescape")
socket.send_fds(connection, [len(asked).to_bytes(4, "big")], [0, 1, 2])
connection.sendall(asked)
connection.setblocking(False)
signal.set_wakeup_fd(connection.fileno())  # the number of a signal is sent at once, whatever is going on here
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda *_: None)
select.select([connection], [], [])
code = connection.recv(1)
sys.exit(code[0] if code else 137)
"""


@contextmanager
def preloaded() -> Iterator[Path]:
    """A folder with the stub ``easops``, which works until the end of the block."""
    if not hasattr(os, "fork"):
        yield Path(sys.executable).parent
        return
    with tempfile.TemporaryDirectory(prefix="easops-preloaded-") as name:  # short: a socket's path has 107 bytes
        folder = Path(name)
        stub = folder / "easops"
        stub.write_text(_STUB.format(python=sys.executable, address=str(folder / "socket")), encoding="utf-8")
        stub.chmod(0o755)
        with subprocess.Popen(
            [sys.executable, "-m", "tests.preloaded", str(folder / "socket")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
        ) as server:
            assert server.stdout is not None
            assert server.stdout.readline(), "it did not start"
            yield folder
            assert server.stdin is not None
            server.stdin.close()
            server.wait(20)
