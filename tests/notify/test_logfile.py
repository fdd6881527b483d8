"""Notices in a file."""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from easops.notify.channel import Channel, LogFile
from easops.notify.deliver import deliver
from easops.playbook.outcome import Notice
from easops.report.notice import Message

MESSAGE = Message("k", "s", "t", {"text": "a\nb", "user": "André"})


def told(path: Path, message: Message = MESSAGE) -> Notice:
    (notice,) = deliver([Channel("log", ("end",), LogFile(path))], message, seconds=5.0, came_of_it=lambda notice: None)
    return notice


def test_each_is_one_line_of_json(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    assert [told(path).status, told(path).status] == ["sent", "sent"]
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [{"text": "a\nb", "user": "André"}] * 2


def test_a_line_that_somebody_left_torn_is_not_written_on(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    path.write_text('{"torn": ', encoding="utf-8")
    told(path)
    torn, whole = path.read_text(encoding="utf-8").splitlines()
    assert (torn, json.loads(whole)["text"]) == ('{"torn": ', "a\nb")


def test_lines_of_several_at_once_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    messages = [Message("k", "s", "t", {"number": number, "pad": "x" * 50_000}) for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        statuses = {notice.status for notice in pool.map(lambda message: told(path, message), messages)}
    numbers = [json.loads(line)["number"] for line in path.read_text(encoding="utf-8").splitlines()]
    assert (statuses, sorted(numbers)) == ({"sent"}, list(range(40)))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither")
@pytest.mark.parametrize("kind", ["full disk", "pipe", "folder", "no folder"])
def test_what_cannot_be_written_to_is_told_at_once(tmp_path: Path, kind: str) -> None:
    path = {"full disk": Path("/dev/full"), "folder": tmp_path, "no folder": tmp_path / "nosuch" / "log"}.get(kind)
    if path is None:
        path = tmp_path / "pipe"
        os.mkfifo(path)
    notice = told(path)
    assert notice.status == "failed"
    assert str(path) in notice.reason
