"""appcmd.ps1 in a real PowerShell engine, with an appcmd.exe that writes its arguments."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import xml.etree.ElementTree as ET
from importlib import resources
from pathlib import Path

import pytest

SCRIPT = str(resources.files("easops.iis") / "appcmd.ps1")
SPACE = "{http://schemas.microsoft.com/powershell/2004/04}"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("pwsh") is None or os.name == "nt",
        reason="there is no pwsh on PATH, or the false appcmd.exe cannot run",
    ),
]


def run(windows: Path, arguments: list[str]) -> tuple[list[str], str]:
    """The strings that the script returns, and the exit code in its table."""
    quoted = ", ".join("'" + argument.replace("'", "''") + "'" for argument in arguments)
    encoded = base64.b64encode(f"& '{SCRIPT}' -Arguments @({quoted})".encode("utf-16-le")).decode()
    done = subprocess.run(
        ["pwsh", "-OutputFormat", "XML", "-EncodedCommand", encoded],
        env={**os.environ, "windir": str(windows)},
        capture_output=True,
        timeout=60,
    )
    text = done.stdout.decode("utf-8-sig")
    root = ET.fromstring(text[text.index("<Objs") :])
    (entry,) = root.iter(f"{SPACE}En")
    lines = [element.text or "" for parent in root.iter(f"{SPACE}LST") for element in parent.findall(f"{SPACE}S")]
    return lines, entry[1].text or ""


def test_each_argument_arrives_as_one_and_lines_and_exit_code_are_returned(tmp_path: Path) -> None:
    program = tmp_path / "system32" / "inetsrv" / "appcmd.exe"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\nfor one in "$@"; do echo "[$one]"; done\necho "ERROR ( it )" >&2\nexit 3\n')
    program.chmod(0o755)
    hostile = "/apppool.name:My Pool; $(Stop-Computer) & 'x'"

    lines, code = run(tmp_path, ["recycle", "apppool", hostile])

    assert sorted(lines) == sorted(["[recycle]", "[apppool]", f"[{hostile}]", "ERROR ( it )"])
    assert code == "3"


def test_it_needs_no_more_than_powershell_2() -> None:
    parse_output = subprocess.run(["pwsh", "-Parse", SCRIPT], capture_output=True, text=True, timeout=60)
    if not parse_output.stdout.startswith("{"):
        pytest.skip("this pwsh has no -Parse")
    parsed = json.loads(parse_output.stdout)
    assert (parsed["errors"], parsed["needs"]["version"]) == ([], "2.0")
