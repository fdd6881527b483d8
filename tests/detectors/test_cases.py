"""What happened to people, from public reports, and the right answer to each. Every case stands for its kind."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from easops.detectors import DETECTORS
from easops.detectors.contact_sync_storm import detect_in_files
from easops.detectors.detection_status import detect_status
from easops.detectors.finding import Detection
from easops.parameter import check_all
from easops.status import Status

STORM = DETECTORS["contact_sync_storm"]
CASES = Path(__file__).parents[1] / "data" / "cases"


def detect(*paths: Path, **values: Any) -> Detection:
    return detect_in_files(paths, check_all(STORM.parameters, values))


def case(name: str, **values: Any) -> Detection:
    return detect(CASES / name, **values)


@pytest.mark.parametrize(
    ("name", "users"),
    [
        pytest.param("02-ansi-umlauts", ["CONTOSO\\möller", "CONTOSO\\müller"], id="logInUTF8 off"),
        pytest.param("05-iis6-no-time-taken", ["CONTOSO\\anna"], id="no time-taken"),
        pytest.param("10-central-w3c", ["CONTOSO\\anna"], id="front and back end in one file"),
        pytest.param("a-guilty-1900-rpc", ["CONTOSO\\laura"], id="2,500 contacts at 1,900 RPC"),
        pytest.param("a-guilty-29-min", ["CONTOSO\\laura"], id="an interval of half an hour"),
        pytest.param("a-guilty-and-2062", ["CONTOSO\\laura"], id="a line of another year"),
        pytest.param("a-guilty-pairs", ["CONTOSO\\laura"], id="two requests at a time"),
        pytest.param("a-guilty-server-sends-more", ["CONTOSO\\laura"], id="the server sends more"),
        pytest.param("a-guilty-two-devices", ["CONTOSO\\laura"], id="two attempts of each of two devices"),
        pytest.param("b-three-hits-last-unterminated", ["CONTOSO\\anna"], id="a last line without an end"),
    ],
)
def test_the_guilty_are_named(name: str, users: list[str]) -> None:
    found = case(name)

    assert [user.user for user in found.users] == users
    assert detect_status(found) is Status.OK


@pytest.mark.parametrize(
    ("name", "state", "why"),
    [
        pytest.param("a-innocent-import-ended", "import", "an import; over: the last ended at 09:30:25", id="import"),
        pytest.param("a-innocent-mail-with-edits", "edits", "at most 3 contacts sent: edits", id="edits"),
        pytest.param("b-utf16", "over", "over: the last ended at 09:28:07", id="a flood that is over, in UTF-16"),
    ],
)
def test_nobody_else_is_treated(name: str, state: str, why: str) -> None:
    found = case(name)

    assert (found.users, found.unresolved, found.hosts) == ((), (), ())
    assert [user.state for user in found.watch] == [state]
    assert why in found.watch[0].evidence


@pytest.mark.parametrize(
    ("name", "why"),
    [
        pytest.param(
            "b-frontend-2013-no-marks", "no ActivityContextData and no RpcC in 48 ActiveSync line", id="front"
        ),
        pytest.param("b-username-appears-later", "cs-username is not logged in 48 lines of 49", id="a part"),
        pytest.param("b-day-old-storm", "(the first 2012-03-14 09:00:07, the last 2012-03-14 09:28:07)", id="older"),
    ],
)
def test_what_could_not_be_seen_is_not_a_clean_result(name: str, why: str) -> None:
    found = case(name)

    assert not found.users
    assert any(why in item.why for item in found.undetermined if item.required)
    assert detect_status(found) is Status.UNDETERMINED


def test_read_further_back_a_day_old_storm_is_told_as_over() -> None:
    found = case("b-day-old-storm", since="6h")

    assert (found.users, detect_status(found)) == ((), Status.OK)
    assert "over: the last ended at 09:28:07, " in found.watch[0].evidence


@pytest.mark.parametrize(
    ("name", "kind", "user", "device"),
    [
        pytest.param("07-calendar-loop", "calendar syncs", "CONTOSO\\anna", "APPLCAL", id="calendar"),
        pytest.param("08-full-sync-every-30s", "full syncs of the contacts", "CONTOSO\\anna", "APPLFULL", id="full"),
        pytest.param("13-503-throttled", "requests refused with 503", "CONTOSO\\pat", "APPL1", id="503"),
    ],
)
def test_floods_of_other_kinds_are_named_with_their_numbers(name: str, kind: str, user: str, device: str) -> None:
    found = case(name)

    assert not found.users
    assert [(flood.kind, flood.user, flood.device_id) for flood in found.floods] == [(kind, user, device)]
    assert f"{found.floods[0].requests:,} {kind} from iPhone {device}, typically every" in found.floods[0].evidence


def test_bytes_that_were_read_by_the_code_page_are_counted() -> None:
    assert "10 lines with bytes that are not UTF-8, read by the code page" in case("02-ansi-umlauts").notes


def test_what_was_read_is_said() -> None:
    (looked,) = case("a-innocent-mail-with-edits").looked

    assert (looked.files, looked.lines, looked.activesync) == (1, 123, 123)
    assert (f"{looked.first:%H:%M:%S}", f"{looked.last:%H:%M:%S}") == ("08:01:00", "10:00:00")


def test_a_copy_of_a_log_counts_once(tmp_path: Path) -> None:
    log = CASES / "a-guilty-29-min" / "u_ex261124.log"
    copy = shutil.copy(log, tmp_path / "u_ex261124.log")

    found = detect(log, Path(copy))

    # Of two folders, so of two servers for all that is known: but a device cannot send the same line to both.
    assert [(user.user, user.hits) for user in found.users] == [("CONTOSO\\laura", 4)]


def test_a_stale_folder_is_told_by_its_newest_line_and_the_others_are_judged(tmp_path: Path) -> None:
    for name, source in (("W3SVC1", "b-day-old-storm"), ("W3SVC2", "a-guilty-29-min")):
        shutil.copytree(CASES / source, tmp_path / name)

    found = detect(tmp_path)

    assert [user.user for user in found.users] == ["CONTOSO\\laura"]
    assert any("not judged: its newest line is from 2012-03-14 14:" in note for note in found.notes)


def test_beside_the_back_ends_log_that_of_the_front_end_is_only_noted(tmp_path: Path) -> None:
    shutil.copytree(CASES / "a-guilty-29-min", tmp_path / "W3SVC2")
    front = (CASES / "b-frontend-2013-no-marks" / "u_ex261124.log").read_text().replace("2012-03-14", "2026-11-24")
    (tmp_path / "W3SVC1").mkdir()
    (tmp_path / "W3SVC1" / "u_ex261124.log").write_text(front)

    found = detect(tmp_path)

    assert [user.user for user in found.users] == ["CONTOSO\\laura"]
    assert detect_status(found) is Status.OK
    assert any("W3SVC1" in note and "front end" in note for note in found.notes)


def test_in_a_folder_a_file_that_is_no_log_is_reported_and_the_rest_read(tmp_path: Path) -> None:
    shutil.copytree(CASES / "a-guilty-29-min", tmp_path, dirs_exist_ok=True)
    (tmp_path / "notes.log").write_text("Dear all,\nplease restart.\n")
    (tmp_path / "u_ex261123.log.zst").write_bytes(b"packed")

    found = detect(tmp_path)

    assert [user.user for user in found.users] == ["CONTOSO\\laura"]
    assert any("notes.log is not a W3C log" in note for note in found.notes)
    assert [(item.subject, item.required) for item in found.undetermined] == [
        (str(tmp_path / "u_ex261123.log.zst"), True)
    ]
