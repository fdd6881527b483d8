"""A server's clock that is set while the world goes on."""

from __future__ import annotations

import datetime as dt

import pytest

from easops.iis import read_worker_processes
from tests.lab.world.test_happenings import console
from tests.simulation.session import InProcessSession

EX1 = "AMS-EX01"


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_clock_that_is_set_leaves_the_start_of_a_process_and_moves_that_of_the_machine(minutes: int) -> None:
    ask = console({"at": 60, "what": "jump_clock", "whom": EX1, "by": minutes * 60})
    session = InProcessSession(ask.world, EX1, "windows")
    before = read_worker_processes(session)
    ask.world.advance(60)
    after = read_worker_processes(session)
    jump = dt.timedelta(minutes=minutes)
    assert after.time == before.time + jump + dt.timedelta(minutes=1)
    assert before.booted is not None
    assert after.booted == before.booted + jump
    assert [process.identity for process in after.processes] == [process.identity for process in before.processes]
