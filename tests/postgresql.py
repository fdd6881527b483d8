"""A private PostgreSQL server on loopback, for the tests."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

USER = "easops"


def find_binaries() -> Path | None:
    """The folder of the newest server's binaries; None where there is none."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    on_path = shutil.which("postgres")
    folders = [Path(on_path).resolve().parent, *folders] if on_path else folders
    complete = [folder for folder in folders if all((folder / name).exists() for name in ("postgres", "initdb"))]
    return complete[-1] if complete else None


class PostgresServer:
    """A server with a data folder, a port and a password of its own; it listens on 127.0.0.1 only."""

    def __init__(self, binaries: Path, folder: Path) -> None:
        self._binaries, self._folder = binaries, folder
        self._data = folder / "data"
        self.password = secrets.token_urlsafe(12)
        # It refuses to run as root.
        self._user = "postgres" if hasattr(os, "geteuid") and os.geteuid() == 0 else None
        if self._user is not None:
            shutil.chown(folder, self._user)
        password = folder / "password"
        password.write_text(self.password, encoding="utf-8")
        password.chmod(0o644)  # in a folder that only its owner enters
        self._run("initdb", "-D", self._data, "-U", USER, "-A", "scram-sha-256", "--pwfile", password)
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self._databases = 0

    def _run(self, program: str, *arguments: str | Path) -> None:
        options = ["-E", "UTF8", "--locale=C", "--no-sync"]
        command = [self._binaries / program, *arguments, *options]
        done = subprocess.run(command, user=self._user, cwd=self._folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        """Start it, on the port that it had before, and wait until it answers; no effect where it runs."""
        if self._process is not None and self._process.poll() is None:
            return
        for _ in range(5):
            port = self.port or _free_port()
            settings = {
                "listen_addresses": "127.0.0.1",
                "port": port,
                "unix_socket_directories": "",
                "max_connections": 300,
                "shared_buffers": "32MB",
                "fsync": "off",  # what is committed outlives the server's process, and the machine does not crash
                "max_prepared_transactions": 0,
                "log_min_messages": "fatal",
            }
            words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
            command: list[str | Path] = [self._binaries / "postgres", "-D", self._data, *words]
            with (self._folder / "log").open("ab") as log:
                self._process = subprocess.Popen(command, user=self._user, cwd=self._folder, stdout=log, stderr=log)
            while self._process.poll() is None:
                try:
                    psycopg.connect(self.url("postgres", port), connect_timeout=5).close()
                except psycopg.OperationalError:
                    time.sleep(0.02)
                else:
                    self.port = port
                    return
            # Somebody else took the port between our look and its start: another one, or the same again.
        raise AssertionError((self._folder / "log").read_text(encoding="utf-8"))

    def stop(self, mode: str = "fast") -> None:
        """Stop it as ``pg_ctl stop -m MODE`` does, and wait for its end."""
        assert self._process is not None
        self._process.send_signal({"fast": signal.SIGINT, "immediate": signal.SIGQUIT}[mode])
        self._process.wait(timeout=30)

    def url(self, database: str, port: int | None = None) -> str:
        return f"postgresql://{USER}:{self.password}@127.0.0.1:{port or self.port}/{database}"

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def new_database(self, template: str = "template1") -> str:
        """Create an empty database; returns its name."""
        self._databases += 1
        name = f"test_{self._databases}"
        self.execute(f"create database {name} template {template}")
        return name


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def running_postgres(binaries: Path) -> Iterator[PostgresServer]:
    # Not among pytest's own folders: nobody but root enters those.
    with tempfile.TemporaryDirectory(prefix="easops-postgresql-", ignore_cleanup_errors=True) as folder:
        server = PostgresServer(binaries, Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()


def why_none() -> str | None:
    """Why no server can be started here; None where one can."""
    if sys.platform == "win32":
        return "the test server is started on POSIX systems only"
    return None if find_binaries() else "no PostgreSQL server is installed (package postgresql)"
