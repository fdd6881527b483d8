"""Which disks are of this machine. What is not known to be is taken for a network file system."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from easops.playbook.record.local_disk import is_on_local_disk, linux_file_system

MOUNTS = """
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:25 / /tmp rw,nosuid shared:5 - tmpfs tmpfs rw
31 22 0:40 / /home rw,relatime shared:9 - nfs4 files:/home rw,vers=4.2
32 22 0:41 / /srv/two\\040words rw shared:10 master:3 - cifs //files/two rw
33 22 0:42 / /home/anna/local rw - ext4 /dev/vdb rw
34 22 0:43 / /mnt/c rw - 9p drvfs rw
35 30 0:44 / /tmp rw - xfs /dev/vdc rw
""".strip().splitlines()


@pytest.mark.parametrize(
    ("path", "file_system"),
    {
        "/var/lib/easops": "ext4",
        "/home/anna/.local/state": "nfs4",
        "/home/anna/local/state": "ext4",
        "/home2/anna": "ext4",
        "/srv/two words/state": "cifs",
        "/mnt/c/Users": "9p",
        "/tmp/state": "xfs",
    }.items(),
)
def test_a_path_is_on_the_file_system_of_its_innermost_and_latest_mount(path: str, file_system: str) -> None:
    assert linux_file_system(Path(path), MOUNTS) == file_system


def test_a_path_without_a_mount_has_no_known_file_system() -> None:
    assert linux_file_system(Path("/var"), []) == ""
    assert linux_file_system(Path("/var"), ["no mountinfo at all", ""]) == ""


class MacOs:
    """What ``statfs`` of macOS answers, as sys/mount.h lays it out."""

    def __init__(self, name: bytes, flags: int, code: int = 0) -> None:
        self._answer = bytearray(2168)
        self._answer[64:68] = flags.to_bytes(4, sys.byteorder)
        self._answer[72 : 72 + len(name)] = name
        self._code = code

    def __call__(self, path: bytes, buffer: Any) -> int:
        buffer[: len(self._answer)] = bytes(self._answer)
        return self._code


@pytest.mark.parametrize(
    ("answer", "local"),
    [
        (MacOs(b"apfs", 0x1000), True),
        (MacOs(b"hfs", 0x5000), True),
        (MacOs(b"apfs", 0x0), False),
        (MacOs(b"smbfs", 0x0), False),
        (MacOs(b"osxfuse", 0x1000), False),
        (MacOs(b"apfs", 0x1000, code=-1), False),
    ],
    ids=["apfs", "hfs", "apfs, not local", "a share", "unknown", "no answer"],
)
def test_on_macos_a_disk_has_the_local_flag_and_a_known_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: MacOs, local: bool
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(ctypes, "CDLL", lambda *words, **more: SimpleNamespace(statfs=answer))
    assert is_on_local_disk(tmp_path) is local


@pytest.mark.parametrize(("drive", "local"), [(3, True), (6, True), (4, False), (2, False), (0, False)])
def test_on_windows_a_fixed_drive_is_local(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, drive: int, local: bool
) -> None:
    kernel32 = SimpleNamespace(GetDriveTypeW=lambda root: drive)
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(kernel32=kernel32), raising=False)
    assert is_on_local_disk(tmp_path) is local


def test_on_another_system_nothing_is_known_to_be_local(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", "plan9")
    assert not is_on_local_disk(tmp_path)
