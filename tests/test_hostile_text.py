"""Text from clients, servers, logs and files: harmless to see, and bounded to read."""

from __future__ import annotations

import datetime as dt
import json
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easops.detectors import DETECTORS
from easops.detectors.contact_sync_storm import detect_in_files
from easops.document import Checker, DocumentError
from easops.errors import UnexpectedAnswer
from easops.logs.eas_log import Changes, parse_log
from easops.logs.eas_query import parse_query
from easops.logs.w3c import LONGEST_LINE, W3cReader
from easops.parameter import check_all
from easops.playbook.language.expression import Expression, ExpressionError
from easops.remoting.clixml import read_object
from easops.report import FORMATS
from easops.report.terminal.text import Text
from easops.status import Status
from easops.visible import visible
from easops.yaml_reader import parse
from tests.linear import LINEAR, growth

HOSTILE = "\x1b[2J\x9b\u202e\u2066\u2028\x07\x7f"
STORM = DETECTORS["contact_sync_storm"]


@given(st.text())
def test_what_is_shown_has_nothing_that_a_terminal_obeys(text: str) -> None:
    shown = visible(text)
    assert all(unicodedata.category(character) != "Cc" for character in shown)
    assert not set(shown) & set(HOSTILE) - set("[2J")
    assert visible(shown) == shown


@pytest.fixture
def storm_of_a_stranger(tmp_path: Path) -> Any:
    """A storm whose device id, agent and user name would act on a terminal."""
    log = (Path(__file__).parent / "data" / "cases" / "a-guilty-29-min" / "u_ex261124.log").read_text()
    agent = HOSTILE.replace("\x1b", "\x1b]0;owned")
    log = log.replace("Apple-iPhone12C1/1801.402", agent).replace("CONTOSO\\laura", f"CONTOSO\\la{HOSTILE}ura")
    (tmp_path / "u_ex261124.log").write_text(log.replace("DeviceId=APPL1", "DeviceId=A%1b%5b2JB"), encoding="utf-8")
    return detect_in_files([tmp_path], check_all(STORM.parameters, {}))


@pytest.mark.parametrize("colour", [False, True])
def test_a_report_on_a_terminal(storm_of_a_stranger: Any, colour: bool) -> None:
    assert storm_of_a_stranger.users, "it is found all the same"
    text = Text(80, colour).detection(storm_of_a_stranger, Status.OK, 0, verbose=True)
    for style in ("1", "2", "32", "35", "1;31", "0"):
        text = text.replace(f"\x1b[{style}m", "")
    assert not set(text) & set(HOSTILE) - set("[2J")
    assert "\\x1b[2J" in text


def test_json_stays_json(storm_of_a_stranger: Any) -> None:
    printed = FORMATS["json"].detection(storm_of_a_stranger, Status.OK, 0, verbose=True)
    assert printed.isascii()
    assert not set(printed) & {"\x1b", "\x7f", "\x07"}
    assert "\x1b[2J" in json.loads(printed)["users"][0]["devices"][0]["device_id"]


@pytest.mark.parametrize(
    ("work", "text"),
    [
        pytest.param(Changes.parse, lambda n: "1" * n, id="digits without end"),
        pytest.param(parse_log, lambda n: "_" * n, id="separators"),
        pytest.param(parse_log, lambda n: "a1_" * n, id="tokens"),
        pytest.param(lambda t: parse_log(t).rpc, lambda n: "ActivityContextData:" + "a[" * n, id="brackets"),
        pytest.param(lambda t: parse_log(t).throttling_policy, lambda n: "Budget:" + "Policy:" * n, id="policies"),
        pytest.param(parse_query, lambda n: "Cmd=Sync&" * n, id="parameters"),
        pytest.param(parse_query, lambda n: "%25" * n, id="escapes"),
        pytest.param(lambda t: parse(t, Checker("x")) and None, lambda n: "a: " + "b" * n, id="yaml"),
    ],
)
def test_the_time_of_reading_grows_with_the_text(work: Callable[[str], object], text: Callable[[int], str]) -> None:
    assert growth(lambda size: work(text(size)), 10_000) < LINEAR


def test_a_line_that_no_server_writes_is_damage_and_the_next_is_read() -> None:
    header = b"#Fields: date time cs-uri-stem\r\n"
    long = b"2026-11-24 09:00:00 /" + b"x" * LONGEST_LINE + b"\r\n"
    reader = W3cReader(("cs-uri-stem",))

    rows = reader.feed(header + long + b"2026-11-24 09:00:01 /a\r\n")

    assert [row.values for row in rows] == [("/a",)]
    assert [line.why for line in reader.damaged_lines] == [f"longer than {LONGEST_LINE:,} bytes"]


@pytest.mark.parametrize(
    "text",
    [
        "{{ 1e999 }}",
        "{{ 5|round(-100000000) }}",
        "{{ 5|round(100000000) }}",
        "{{ 999999999999999 * 999999999999999 }}",
        "{{ " + "9" * 3000 + " }}",
        "{{ range(10**9) }}",
        '{{ "a" * 1000000000 }}',
        "{{ 1e15 * 1e300 }}",
        "{{ 1 / 0 }}",
        "{{ " + "(" * 1500 + "1" + ")" * 1500 + " }}",
    ],
)
def test_an_expression_that_would_never_end_or_fit_is_an_error_of_the_playbook(text: str) -> None:
    with pytest.raises(ExpressionError):
        Expression.parse(text, "p.yml:3:4").evaluate({})


def test_brackets_without_end_are_refused_at_their_place() -> None:
    with pytest.raises(DocumentError) as caught:
        parse("easops: 1\nname: " + "[" * 10_000, Checker("p.yml"))
    assert str(caught.value).startswith("p.yml:2:57: this is nested more than 50 levels deep")


@pytest.mark.parametrize(
    "xml",
    [
        pytest.param("<Obj><LST>" * 1000 + "</LST></Obj>" * 1000, id="a thousand levels"),
        pytest.param("<C>99999999999999999999</C>", id="a character out of range"),
        pytest.param("<TS>P999999999999D</TS>", id="a span out of range"),
        pytest.param("<DT>2026-99-99T00:00:00</DT>", id="a date that does not exist"),
    ],
)
def test_an_answer_that_no_server_sends_is_an_error_of_ours(xml: str) -> None:
    with pytest.raises(UnexpectedAnswer):
        read_object(xml)


def test_half_of_a_surrogate_pair_is_no_character() -> None:
    assert read_object("<S>a_xD83D_b_xD83D__xDE00_</S>") == "a\ufffdb\U0001f600"


def test_a_date_at_the_end_of_time_is_read() -> None:
    assert read_object("<DT>9999-12-31T23:59:59.9999999</DT>") == dt.datetime.max.replace(tzinfo=dt.UTC)
