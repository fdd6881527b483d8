"""The log files of a folder on a server, and of local paths."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from easops.errors import BadInput
from easops.logs.folder import LogFile, list_logs, local_logs, overlapping


def test_a_folder_lists_its_logs_in_the_order_of_their_names_with_their_times(folder_session: Any) -> None:
    for name in ("u_ex261124.log", "u_ex261123.log", "other.txt"):
        (folder_session.folder / name).write_bytes(b"x")
    yesterday = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
    folder_session.written["u_ex261123.log"] = yesterday

    listed = list_logs(folder_session, "C:\\logs")

    assert [(file.name, file.written) for file in listed] == [
        ("u_ex261123.log", yesterday),
        ("u_ex261124.log", folder_session.now),
    ]


def test_paths_are_files_folders_and_patterns_and_none_is_read_twice(tmp_path: Path) -> None:
    for name in ("a.log", "W3SVC2/b.LOG", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")

    found = local_logs([tmp_path / "a.log", tmp_path, str(tmp_path / "*.log"), tmp_path / "notes.txt"])

    assert [str(path.relative_to(tmp_path)) for path in found] == ["a.log", str(Path("W3SVC2/b.LOG")), "notes.txt"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere.log", "does not exist"),
        ("empty", "has no logs"),
        ("*.log", "no file matches"),
        ("old.log.zst", "is packed"),
    ],
)
def test_a_path_without_a_log_is_an_error_with_its_name(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "old.log.zst").write_bytes(b"")

    with pytest.raises(BadInput, match=message):
        local_logs([tmp_path / name])


@pytest.mark.parametrize(
    ("names", "written", "kept"),
    [
        pytest.param(("u_ex261123.log", "u_ex261124.log"), (0, 10), ("u_ex261124.log",), id="closed before"),
        pytest.param(
            ("u_ex261123.log", "u_ex261124.log"), (10, 0), ("u_ex261123.log", "u_ex261124.log"), id="open, stale"
        ),
        pytest.param(("u_ex26112408.log", "u_ex26112409.log"), (0, 0), ("u_ex26112409.log",), id="hourly"),
        pytest.param(("u_extend9.log", "u_extend10.log"), (0, 0), ("u_extend10.log",), id="by size"),
        pytest.param(("u_ex250101.log",), (0,), (), id="of long ago"),
        pytest.param(
            ("ex261124.log", "u_ex261124_x.log"), (0, 0), ("ex261124.log", "u_ex261124_x.log"), id="two kinds"
        ),
    ],
)
def test_files_that_may_have_lines_of_the_window_are_read(
    names: tuple[str, ...], written: tuple[int, ...], kept: tuple[str, ...]
) -> None:
    start = dt.datetime(2026, 11, 24, tzinfo=dt.UTC) + dt.timedelta(hours=9)
    files = [
        LogFile(name, name, 0, start + dt.timedelta(minutes=minutes - 5))
        for name, minutes in zip(names, written, strict=True)
    ]

    assert tuple(file.name for file in overlapping(files, start)) == kept
