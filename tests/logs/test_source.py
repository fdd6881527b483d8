from __future__ import annotations

import base64
import gzip
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from easops.errors import CommandFailed, UnexpectedAnswer
from easops.logs.source import RemoteLog
from easops.remoting.command import Call
from easops.remoting.result import Result

pytestmark = pytest.mark.slow

NAMESPACE = "{http://schemas.microsoft.com/powershell/2004/04}"
SCRIPT = str(resources.files("easops.logs") / "source.ps1")
needs_pwsh = pytest.mark.skipif(shutil.which("pwsh") is None, reason="there is no pwsh on PATH")


def run_script(path: Path, offset: int, length: int) -> tuple[list[bytes], dict[str, str]]:
    """source.ps1 in a real PowerShell engine: its byte arrays, and its table."""
    script = f"& '{SCRIPT}' -Path '{path}' -Offset {offset} -Length {length}"
    encoded = base64.b64encode(script.encode("utf-16-le")).decode()
    command = ["pwsh", "-OutputFormat", "XML", "-EncodedCommand", encoded]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    document = done.stdout.decode("utf-8-sig")
    root = ET.fromstring(document[document.index("<Objs") :])
    chunks = [gzip.decompress(base64.b64decode(element.text or "")) for element in root.iter(f"{NAMESPACE}BA")]
    entries = [[child.text or "" for child in entry] for entry in root.iter(f"{NAMESPACE}En")]
    return chunks, {entry[0]: entry[1] for entry in entries}


@needs_pwsh
@pytest.mark.parametrize(
    ("size", "offset", "length", "sizes"),
    [
        pytest.param(700_000, 100_000, 599_000, [262_144, 262_144, 74_712], id="within"),
        pytest.param(700_000, 600_000, 599_000, [100_000], id="to the end"),
        pytest.param(700_000, 800_000, 10, [], id="beyond the end"),
        pytest.param(700_000, 0, 0, [], id="nothing asked for"),
        pytest.param(1, 0, 99, [1], id="a single byte stays a byte array"),
        pytest.param(0, 0, 99, [], id="an empty file"),
    ],
)
def test_the_script_returns_the_bytes_of_the_range(
    tmp_path: Path, size: int, offset: int, length: int, sizes: list[int]
) -> None:
    data = bytes((7 * at + at // 251) % 256 for at in range(size))
    (tmp_path / "u_ex.log").write_bytes(data)

    chunks, table = run_script(tmp_path / "u_ex.log", offset, length)

    assert [len(chunk) for chunk in chunks] == sizes
    assert b"".join(chunks) == data[offset : offset + length]
    assert (table["Length"], table["Offset"]) == (str(size), str(min(offset, size)))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z", table["Time"])


@needs_pwsh
def test_the_script_returns_every_sample_log_byte_for_byte(sample_logs: Path) -> None:
    for path in sorted(sample_logs.rglob("*.log")):
        chunks, _ = run_script(path, 0, 1 << 20)

        assert b"".join(chunks) == path.read_bytes(), path


@needs_pwsh
def test_the_script_reports_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as failed:
        run_script(tmp_path / "nowhere.log", 0, 10)

    assert b"Could not find file" in failed.value.stderr


@needs_pwsh
def test_the_script_needs_no_more_than_powershell_2_and_calls_no_command() -> None:
    done = subprocess.run(["pwsh", "-Parse", SCRIPT], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        pytest.skip("this pwsh has no -Parse")

    assert '"errors":[]' in done.stdout
    assert '"version":"2.0"' in done.stdout
    assert '"commands":[]' in done.stdout


def test_a_byte_range_has_the_length_of_the_file_and_the_time_of_the_server(folder_session: Any) -> None:
    (folder_session.folder / "a.log").write_bytes(b"x" * 600_000)

    found = RemoteLog(folder_session, "C:\\logs\\a.log").read(100, 500_000)

    assert (len(found.data), found.offset, found.length) == (500_000, 100, 600_000)
    assert found.time == folder_session.now


def test_a_missing_file_is_the_error_of_the_server(folder_session: Any) -> None:
    folder_session.removed.add("a.log")

    with pytest.raises(CommandFailed) as failed:
        RemoteLog(folder_session, "C:\\logs\\a.log").read(0, 1)

    assert failed.value.has_exception("FileNotFoundException")


RANGE = {"Length": 1, "Offset": 0, "Time": "2026-11-24T12:00:00.0000000Z", "Packed": True}


@pytest.mark.parametrize(
    "output",
    [
        (),
        ("text",),
        ("text", {"Length": 1, "Offset": 0, "Time": "x"}),
        (b"not packed", RANGE),
        (gzip.compress(b"cut")[:-9], RANGE),
        (gzip.compress(b"a" * 300_000), RANGE),
    ],
)
def test_an_answer_of_another_shape_is_an_error(folder_session: Any, output: tuple[Any, ...]) -> None:
    class Odd:
        host = "AMS-EX01"
        endpoint = "windows"

        def connect(self, *, deadline: float = 30.0) -> None: ...

        def invoke(self, call: Call, *, deadline: float = 60.0) -> Result:
            return Result(output)

        def close(self) -> None: ...

    with pytest.raises(UnexpectedAnswer):
        RemoteLog(Odd(), "a.log").read(0, 1)  # type: ignore[arg-type]


def test_an_engine_that_cannot_pack_sends_the_bytes_as_they_are() -> None:
    class Plain:
        host = "AMS-CAS01"
        endpoint = "windows"

        def connect(self, *, deadline: float = 30.0) -> None: ...

        def invoke(self, call: Call, *, deadline: float = 60.0) -> Result:
            return Result((b"as it", b" is", {**RANGE, "Packed": False}))

        def close(self) -> None: ...

    assert RemoteLog(Plain(), "a.log").read(0, 8).data == b"as it is"  # type: ignore[arg-type]
