from __future__ import annotations

import base64
import datetime as dt
import gzip
import hashlib
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import easops
from easops.lab.cmdlet import Call
from easops.lab.cmdlets import CMDLETS
from easops.lab.scripts import SCRIPTS
from easops.lab.value import CmdletFailed
from easops.lab.world import World
from easops.lab.world.disk import FolderDisk

pytestmark = pytest.mark.slow

PATH = r"C:\inetpub\logs\LogFiles\W3SVC2\u_ex261124.log"


DATA = Path(__file__).parents[2] / "data" / "logs"
SAMPLES = sorted(DATA.rglob("*.log"))


class Real(NamedTuple):
    """What the script gave in a real engine."""

    chunks: list[bytes]
    length: str
    offset: str


def run_script(path: Path, offset: int, length: int) -> Real:
    script = Path(easops.__file__).parent / "logs" / "source.ps1"
    command = f"& '{script}' -Path '{path}' -Offset {offset} -Length {length}"
    encoded = base64.b64encode(command.encode("utf-16-le")).decode()
    line = ["pwsh", "-OutputFormat", "XML", "-EncodedCommand", encoded]
    text = subprocess.run(line, capture_output=True, check=True, timeout=60).stdout.decode("utf-8-sig")
    root = ET.fromstring(text[text.index("<Objs") :])
    space = "{http://schemas.microsoft.com/powershell/2004/04}"
    entries = {entry[0].text: entry[1].text or "" for entry in root.iter(f"{space}En")}
    chunks = [gzip.decompress(base64.b64decode(element.text or "")) for element in root.iter(f"{space}BA")]
    return Real(chunks, entries["Length"], entries["Offset"])


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    start = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
    world = World.open(tmp_path, CMDLETS, scenario="calm", speed=0.0, start=start)
    yield world
    world.close()


def read(world: World, path: str, offset: int, length: int) -> list[object]:
    parameters = {"Path": path, "Offset": offset, "Length": length}
    return world.perform(SCRIPTS["logs/source.ps1"], Call("AMS-EX01", "admin", "script", parameters))


def real_folder(world: World) -> Path:
    """Where the logs of the back end really are."""
    server = world.servers["AMS-EX01"]
    assert isinstance(server.disk, FolderDisk)
    return server.disk.path(server.logs[2].folder)


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_each_twin_has_the_digest_of_its_script(name: str) -> None:
    text = (Path(easops.__file__).parent / name).read_bytes().replace(b"\r\n", b"\n")
    assert SCRIPTS[name].digest == hashlib.sha256(text).hexdigest()


def test_a_range_comes_in_chunks_with_the_length_and_the_servers_clock(world: World) -> None:
    world.advance(30)
    *packed, last = read(world, PATH, 1000, 600_000)
    chunks = [gzip.decompress(chunk) for chunk in packed]  # type: ignore[arg-type]
    file = real_folder(world).joinpath("u_ex261124.log")
    assert b"".join(chunks) == file.read_bytes()[1000:601_000]
    assert [len(chunk) for chunk in chunks] == [262_144, 262_144, 75_712]
    assert isinstance(last, dict)
    assert (last["Length"].value, last["Offset"].value) == (file.stat().st_size, 1000)
    assert last["Time"] == "2026-11-24T12:00:30.0000000Z"


def test_a_range_beyond_the_end_is_empty(world: World) -> None:
    (only,) = read(world, PATH, 10**12, 5)
    assert isinstance(only, dict)
    assert only["Offset"] == only["Length"]


@pytest.mark.skipif(
    shutil.which("pwsh") is None, reason="there is no PowerShell (pwsh) on PATH to hold the twin against"
)
@pytest.mark.parametrize("log", SAMPLES, ids=lambda log: f"{log.parent.name}/{log.name}")
def test_the_twin_gives_what_the_script_gives_in_a_real_engine(world: World, tmp_path: Path, log: Path) -> None:
    shutil.copyfile(log, real_folder(world) / "sample.log")
    size = log.stat().st_size
    for offset, length in ((0, size), (size // 3, size // 2), (max(0, size - 7), 100)):
        *packed, table = read(world, rf"{PATH.rpartition(chr(92))[0]}\sample.log", offset, length)
        real = run_script(log, offset, length)

        chunks = [gzip.decompress(chunk) for chunk in packed]  # type: ignore[arg-type]
        assert chunks == real.chunks
        assert isinstance(table, dict)
        assert (str(table["Length"].value), str(table["Offset"].value)) == (real.length, real.offset)


def test_a_missing_file_is_an_error(world: World) -> None:
    with pytest.raises(CmdletFailed) as failed:
        read(world, r"C:\nowhere.log", 0, 5)
    assert failed.value.error.exception == "System.IO.FileNotFoundException"
