from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

import easops
from easops.lab.cmdlet import Call
from easops.lab.cmdlets import CMDLETS
from easops.lab.scripts import SCRIPTS
from easops.lab.value import CmdletFailed
from easops.lab.world import World

PATH = r"C:\inetpub\logs\LogFiles\W3SVC2\u_ex261124.log"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    start = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
    world = World.open(tmp_path, CMDLETS, scenario="calm", speed=0.0, start=start)
    yield world
    world.close()


def read(world: World, path: str, offset: int, length: int) -> list[object]:
    parameters = {"Path": path, "Offset": offset, "Length": length}
    return world.perform_script(SCRIPTS["logs/source.ps1"], Call("AMS-EX01", "admin", "script", parameters))


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_each_twin_is_of_the_script_that_lies_in_the_package(name: str) -> None:
    text = (Path(easops.__file__).parent / name).read_bytes().replace(b"\r\n", b"\n")
    assert SCRIPTS[name].digest == hashlib.sha256(text).hexdigest()


def test_a_range_comes_in_chunks_with_the_length_and_the_servers_clock(world: World) -> None:
    world.advance(30)
    *chunks, last = read(world, PATH, 1000, 600_000)
    file = next(iter(world.servers["AMS-EX01"].logs[2].folder.iterdir()))
    assert b"".join(chunks) == file.read_bytes()[1000:601_000]  # type: ignore[arg-type]
    assert [len(chunk) for chunk in chunks] == [262_144, 262_144, 75_712]  # type: ignore[arg-type]
    assert isinstance(last, dict)
    assert (last["Length"].value, last["Offset"].value) == (file.stat().st_size, 1000)
    assert last["Time"] == "2026-11-24T12:00:30.0000000Z"


def test_a_range_beyond_the_end_is_empty(world: World) -> None:
    (only,) = read(world, PATH, 10**12, 5)
    assert isinstance(only, dict)
    assert only["Offset"] == only["Length"]


def test_a_missing_file_is_an_error(world: World) -> None:
    with pytest.raises(CmdletFailed) as failed:
        read(world, r"C:\nowhere.log", 0, 5)
    assert failed.value.error.exception == "System.IO.FileNotFoundException"
