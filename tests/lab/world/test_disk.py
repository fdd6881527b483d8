"""The two kinds of disk behave the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from easops.lab.world.disk import Disk, File, FolderDisk, MemoryDisk

FOLDER = r"C:\Logs\W3SVC1"


@pytest.fixture(params=["folder", "memory"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Disk:
    disk: Disk = MemoryDisk() if request.param == "memory" else FolderDisk(tmp_path)
    disk.make_folder(FOLDER)
    return disk


def test_what_is_appended_is_read(disk: Disk) -> None:
    disk.append(rf"{FOLDER}\b.log", b"first ")
    disk.append(rf"{FOLDER}\b.log", b"second")
    disk.append(rf"{FOLDER}\A.log", b"x")
    assert disk.files(FOLDER) == (File("A.log", 1), File("b.log", 12))
    assert disk.read(rf"{FOLDER}\b.log", 6, 3) == b"sec"
    assert disk.read(rf"{FOLDER}\b.log", 10, 99) == b"nd"


def test_the_case_of_a_path_does_not_matter(disk: Disk) -> None:
    disk.append(rf"{FOLDER}\A.log", b"x")
    assert disk.file(r"c:\LOGS\w3svc1\a.LOG") == File("A.log", 1)
    assert disk.files(r"c:\logs\w3svc1") == (File("A.log", 1),)


def test_what_is_not_there_is_none(disk: Disk) -> None:
    assert disk.file(rf"{FOLDER}\A.log") is None
    assert disk.file(FOLDER) is None
    assert disk.files(r"C:\nothing") is None
    assert disk.file(rf"{FOLDER}\..\..\..\secret") is None


def test_a_folder_can_be_made_again_and_a_file_removed(disk: Disk) -> None:
    disk.append(rf"{FOLDER}\A.log", b"x")
    disk.make_folder(FOLDER)
    assert disk.files(FOLDER) == (File("A.log", 1),)
    disk.remove(rf"{FOLDER}\a.log")
    assert disk.files(FOLDER) == ()
