"""ActiveSync requests of a window, the same from a server and from files."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from easops.errors import BadInput
from easops.logs import read_eas_files, read_eas_traffic

HEAD = (
    "#Fields: date time cs-uri-stem cs-uri-query cs-username cs(User-Agent) "
    "sc-status sc-bytes time-taken s-computername"
)
EAS = "/Microsoft-Server-ActiveSync/default.eas"


def line(time: str, user: str, *, stem: str = EAS, taken: int = 100) -> str:
    query = f"Cmd=Sync&User={user}&DeviceId=D1&DeviceType=iPhone"
    return f"2026-11-24 {time} {stem} {query} CONTOSO\\{user} Agent 200 512 {taken} EX01"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "u_ex261124.log"
    lines = [
        HEAD,
        line("08:00:00", "early"),
        line("09:30:00", "anna", taken=61_000),
        line("09:40:00", "owa", stem="/owa/"),
        line("09:59:00", "ben"),
    ]
    path.write_text("".join(f"{text}\r\n" for text in lines), encoding="utf-8")
    return path


def test_the_requests_of_a_window_are_read_from_a_server_and_from_a_local_file(log: Path, folder_session: Any) -> None:
    since = dt.timedelta(hours=1)
    from_files = read_eas_files([log], since)
    from_server = read_eas_traffic(folder_session, str(log.parent), since)

    assert [request.username for request in from_files.requests] == ["CONTOSO\\anna", "CONTOSO\\ben"]
    assert from_server.requests == from_files.requests
    first = from_files.requests[0]
    assert (first.started.minute, first.query.command, first.bytes_sent) == (28, "Sync", 512)
    assert from_files.reading.newest == from_files.requests[-1].ended


def test_a_path_that_does_not_exist_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="does not exist"):
        read_eas_files([tmp_path / "none.log"], dt.timedelta(hours=1))
