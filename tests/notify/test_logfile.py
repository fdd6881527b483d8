"""Notices in a file."""

from __future__ import annotations

import json
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from easops.notify.channel import Channel, LogFile
from easops.notify.deliver import deliver
from easops.playbook.record.notice import Notice
from easops.report.message import Message

MESSAGE = Message("k", "s", "t", {"text": "a\nb", "user": "André"})


def send(path: Path, message: Message = MESSAGE, *, seconds: float = 5.0) -> Notice:
    channel = Channel("log", ("end",), LogFile(path))
    (notice,) = deliver([channel], message, seconds=seconds, on_notice=lambda notice: None)
    return notice


def test_each_is_one_line_of_json(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    assert [send(path).status, send(path).status] == ["sent", "sent"]
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [{"text": "a\nb", "user": "André"}] * 2


def test_a_line_that_somebody_left_torn_is_not_written_on(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    path.write_text('{"torn": ', encoding="utf-8")
    send(path)
    torn, whole = path.read_text(encoding="utf-8").splitlines()
    assert (torn, json.loads(whole)["text"]) == ('{"torn": ', "a\nb")


def test_lines_of_several_at_once_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    messages = [Message("k", "s", "t", {"number": number, "pad": "x" * 50_000}) for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        statuses = {notice.status for notice in pool.map(lambda message: send(path, message), messages)}
    numbers = [json.loads(line)["number"] for line in path.read_text(encoding="utf-8").splitlines()]
    assert (statuses, sorted(numbers)) == ({"sent"}, list(range(40)))


def test_nothing_is_written_while_another_process_writes_nor_after_it_was_given_up(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    with path.open("wb") as theirs:
        if sys.platform != "win32":
            import fcntl

            fcntl.flock(theirs, fcntl.LOCK_EX)
        else:
            import msvcrt

            theirs.seek(2**31 - 2)
            msvcrt.locking(theirs.fileno(), msvcrt.LK_LOCK, 1)
        notice = send(path, seconds=0.2)
    assert (notice.status, notice.reason) == ("failed", "not sent within 0.2 s")
    for thread in threading.enumerate():
        if thread.name == "easops-notify-log":
            thread.join(10)
    assert path.read_bytes() == b""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither")
@pytest.mark.parametrize("kind", ["full disk", "pipe", "folder", "no folder"])
def test_what_cannot_be_written_to_is_reported_at_once(tmp_path: Path, kind: str) -> None:
    path = {"full disk": Path("/dev/full"), "folder": tmp_path, "no folder": tmp_path / "nosuch" / "log"}.get(kind)
    if path is None:
        path = tmp_path / "pipe"
        os.mkfifo(path)
    notice = send(path)
    assert notice.status == "failed"
    assert str(path) in notice.reason
