"""The built-in lab as a child process, and its clock."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from easops.at_once import at_once
from easops.exchange.server import list_exchange_servers
from easops.iis.worker_process import read_worker_processes
from easops.lab_process import LabError, start_lab
from easops.remoting.pool import SessionPool

pytestmark = pytest.mark.slow

BEGIN = dt.datetime(2026, 11, 24, 17, 0, tzinfo=dt.UTC)


def test_its_clock_stands_but_for_what_calls_take_and_a_wait_moves_it(tmp_path: Path) -> None:
    with start_lab("calm", tmp_path, begin=BEGIN) as lab, SessionPool() as sessions:
        assert lab.clock.now() == BEGIN
        server = sessions.open(lab.hosts[0], "windows")
        assert read_worker_processes(server).time == BEGIN
        assert lab.clock.now() == BEGIN + dt.timedelta(seconds=0.25)
        lab.clock.sleep(3600)
        assert read_worker_processes(server).time == BEGIN + dt.timedelta(seconds=3600.25)
    with start_lab(None, tmp_path) as again:  # it goes on where it stopped
        assert again.clock.now() >= BEGIN + dt.timedelta(seconds=3600.25)


def test_the_calls_of_one_host_take_their_time_after_each_other_and_hosts_beside_each_other(tmp_path: Path) -> None:
    with start_lab("calm", tmp_path, begin=BEGIN) as lab, SessionPool() as sessions:
        first, second = (sessions.open(host, "windows") for host in lab.hosts)
        for server in (first, second, first, second, second):
            read_worker_processes(server)
        assert lab.clock.monotonic() == 0.75


def test_what_a_server_tells_does_not_depend_on_who_comes_first(tmp_path: Path) -> None:
    with start_lab("calm", tmp_path, begin=BEGIN) as lab, SessionPool() as sessions:

        def times(late: int) -> list[list[float]]:
            began = lab.clock.now()

            def read(number: int) -> list[float]:
                server = sessions.open(lab.hosts[number], "windows")
                seen = []
                for _ in range(3):
                    if number == late:
                        time.sleep(0.1)
                    seen.append((read_worker_processes(server).time - began).total_seconds())
                    lab.clock.sleep(5)
                return seen

            return at_once(read, (0, 1), lab.clock)

        assert times(0) == times(1) == [[0, 5.25, 10.5], [0, 5.25, 10.5]]


def test_a_lab_that_has_ended_is_an_error_and_no_endless_wait(tmp_path: Path) -> None:
    with start_lab("calm", tmp_path) as lab:
        lab._process.kill()
        with pytest.raises(LabError, match="the lab has ended"):
            lab.clock.sleep(5)


_RUNNER = """
import sys, time
from pathlib import Path
from easops.lab_process import start_lab
lab = start_lab("calm", Path(sys.argv[1]))
lab.clock.sleep(1000)
print(lab._process.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is needed")
def _runs(process: int) -> bool:
    """Whether a process runs; one that has ended may stay in the table until somebody asks for its exit code."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{process}/stat")
    return not stat.exists() or stat.read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"


def test_it_ends_with_the_process_that_started_it_and_its_world_goes_on_from_there(tmp_path: Path) -> None:
    runner = subprocess.Popen([sys.executable, "-c", _RUNNER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    with runner:
        assert runner.stdout is not None
        child = int(runner.stdout.readline())
        runner.kill()
    assert runner.returncode == -signal.SIGKILL
    with start_lab(None, tmp_path):  # it waits for the lab before it to let go of the folder
        pass
    assert not _runs(child)
    assert json.loads((tmp_path / "clock.json").read_text(encoding="utf-8"))["elapsed"] >= 1000


def test_time_outs_of_the_front_do_not_jump_with_its_clock(tmp_path: Path) -> None:
    with start_lab("calm", tmp_path) as lab, SessionPool() as sessions:
        session = sessions.open(lab.hosts[0], "exchange")
        before = list_exchange_servers(session)
        shells = session._pool  # type: ignore[attr-defined]
        lab.clock.sleep(3 * 3600)  # a shell is lost after 15 min without use
        assert list_exchange_servers(session) == before
        assert session._pool is shells  # type: ignore[attr-defined]
