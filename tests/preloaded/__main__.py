"""The preloaded process: ``python -m tests.preloaded SOCKET``. It ends when its standard input does."""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import threading
import traceback
from typing import Final, NoReturn

LIBRARIES: Final = (
    "easops.cli.app",
    "easops.cli.approve",
    "easops.cli.detect",
    "easops.cli.do",
    "easops.cli.inventory",
    "easops.cli.lint",
    "easops.cli.run",
    "easops.cli.runs",
    "easops.cli.show",
    "easops.cli.undo",
    "easops.detectors.detect",
    "easops.notify.load",
    "easops.playbook.do",
    "easops.playbook.resume",
    "easops.playbook.run",
    "easops.playbook.undo",
    "easops.readings.take",
    "easops.remoting.psrp",
    "easops.report.document",
    "easops.report.page",
    "easops.report.terminal",
    "psycopg",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.dialects.sqlite",
)


def serve(address: str) -> None:
    """Fork a child for each connection."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the children: the system buries them
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(16)
        print("ready", flush=True)
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in ready:
                return
            connection, _ = listener.accept()
            with connection:
                if os.fork() == 0:
                    listener.close()
                    become(connection)


def become(connection: socket.socket) -> NoReturn:
    """In a child: be the program that was typed."""
    code = 70
    try:
        size, files, _, _ = socket.recv_fds(connection, 4, 3)
        asked = b""
        while len(asked) < int.from_bytes(size, "big"):
            asked += connection.recv(1 << 16)
        words, environment, folder = json.loads(asked)
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        sys.stdin = open(0)  # noqa: SIM115
        sys.stdout = open(1, "w")  # noqa: SIM115
        sys.stderr = open(2, "w", buffering=1)  # noqa: SIM115
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        threading.Thread(target=_listen, args=(connection,), daemon=True).start()
        _tell_every_end(connection)
        code = _carry_out(words)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _tell_every_end(connection: socket.socket) -> None:
    """Send the stub the exit code, also where the program ends itself at once (``os._exit``)."""
    end = os._exit

    def tell_and_end(status: int) -> NoReturn:
        connection.send(bytes([status]))
        end(status)

    os._exit = tell_and_end


def _carry_out(words: list[str]) -> int:
    from easops.cli.app import main
    from tests.machine_clock.sitecustomize import install

    install(os.environ)
    try:
        if words[:1] == ["--script"]:
            sys.argv = words[1:]
            sys.path[0] = os.path.dirname(words[1])
            runpy.run_path(words[1], run_name="__main__")
            return 0
        sys.argv = ["easops", *words]
        main()
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else int(end.code is not None)


def _listen(connection: socket.socket) -> None:
    """Take on the signals that the stub passes on; and end where it was killed."""
    while number := connection.recv(1):
        os.kill(os.getpid(), number[0])
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    for library in LIBRARIES:
        importlib.import_module(library)
    gc.freeze()  # a child that collects would copy all pages of it
    serve(sys.argv[1])
