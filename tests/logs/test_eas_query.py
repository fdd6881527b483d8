from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easops.logs.eas_log import EasLog, RpcCount, Token
from easops.logs.eas_query import EasQuery, parse_query
from tests.linear import LINEAR, growth


def compact(version: int = 141, command: int = 0, device: bytes = b"ANDROID77", rest: bytes = b"") -> str:
    fixed = bytes([version, command, 9, 4, len(device)]) + device + b"\x04\x4d\0\0\0" + b"\x07Android"
    return base64.b64encode(fixed + rest).decode()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param(
            "Cmd=Sync&User=contoso%5Canna&DeviceId=APPL1234&DeviceType=iPhone",
            EasQuery("Sync", "contoso\\anna", "APPL1234", "iPhone"),
            id="plain",
        ),
        pytest.param(
            "user=anna%40contoso.com&DEVICEID=A1&devicetype=iPad&cmd=Ping",
            EasQuery("Ping", "anna@contoso.com", "A1", "iPad"),
            id="any order and case",
        ),
        pytest.param("", EasQuery(), id="nothing"),
        pytest.param(
            "Cmd=Sync&&Log=Fc1_", EasQuery("Sync", log=EasLog("2007", (Token("Fc", "1", "integer"),))), id="&&"
        ),
        pytest.param("&Log=Fc1_", EasQuery(log=EasLog("2007", (Token("Fc", "1", "integer"),))), id="Log alone"),
        pytest.param(compact(), EasQuery("Sync", None, "ANDROID77", "Android"), id="base64"),
        pytest.param(
            compact(160, 18, bytes(range(0xF0, 0x100)), b"\x07\x01\x02\x08\x04anna"),
            EasQuery("Ping", "anna", bytes(range(0xF0, 0x100)).hex().upper(), "Android"),
            id="base64 with raw device id and user",
        ),
        pytest.param(
            compact() + "&Log=Fc1_",
            EasQuery("Sync", None, "ANDROID77", "Android", EasLog("2007", (Token("Fc", "1", "integer"),))),
            id="base64 with Log",
        ),
        pytest.param(compact(99), EasQuery(), id="base64 of no known version"),
        pytest.param(compact()[:16], EasQuery(), id="base64 cut"),
    ],
)
def test_both_forms_of_the_query_are_read(query: str, expected: EasQuery) -> None:
    assert parse_query(query) == expected


def test_the_server_appends_the_log_after_whatever_the_client_sent() -> None:
    log = parse_query("Cmd=Sync&Log=RpcC1_&User=anna&Log=RpcC9000_").log

    assert log is not None
    assert log.rpc == RpcCount(9000, "RpcC")


@given(st.text(max_size=200))
def test_no_text_makes_the_parser_fail(text: str) -> None:
    for query in (text, "&Log=" + text, "Cmd=Sync&Log=Fid:1_Ty:Co_Cli:" + text):
        log = parse_query(query).log
        if log is not None:
            assert log.folders is not None
            assert log.rpc is None or log.rpc.value is not None
            assert log.error != ""
            assert log.throttling_policy != ""


@given(st.binary(max_size=60), st.sampled_from([121, 140, 141, 160, 161]))
def test_no_base64_makes_the_parser_fail(data: bytes, version: int) -> None:
    assert parse_query(base64.b64encode(bytes([version]) + data).decode()).log is None


@pytest.mark.parametrize("piece", ["&", "a=1&", "log=_&", "%", "%41", "A", "=", "/", "log=Cli:" + "7" * 10])
def test_a_query_is_read_in_the_time_of_its_length(piece: str) -> None:
    assert growth(lambda size: parse_query("Cmd=Sync&" + piece * size), 4000) < LINEAR
    assert growth(lambda size: parse_query(piece * size), 4000) < LINEAR
