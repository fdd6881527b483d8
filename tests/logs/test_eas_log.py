"""The Log= value: tokens, folders, mailbox calls."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easops.logs.eas_log import Changes, EasLog, Folder, RpcCount, Token, parse_log
from tests.linear import LINEAR, growth

LOG_2010 = (
    "V141_Fc2_Fid:5_Ty:Em_Filt3_St:S_Sk:811_Sst11_Srv:2a0c0d0s0e0r_Fid:9_Ty:Co_St:R_Sk:0_Sst40_Cli:900a1c2d0f0e"
    "_LdapC2_LdapL15_RpcC2310_RpcL5120_Pk77_As:AllowedG_Mbx:MB1.contoso.com_Throttle0_"
)
LOG_2013 = (
    "PrxFrom:10.0.0.5_V141_HH:mail.contoso.com_Fc1_Fid:9_Ty:Co_Filt0_St:S_Sk:31_Sks32_Srv:4a1c0d0s0e0r0A0sd_Fet812_Pk77_S1"
    "_As:AllowedG_Mbx:MB1.contoso.com_Throttle0_"
)
LOG_2016 = (
    "SC1:1_PrxFrom:10.0.0.5_Ver1:161_HH:mail.contoso.com_Hb:900_Rto:1_Fet:900012_Mbx:MB1.contoso.com_Throttle:0"
    "_SBkOffD:L%2f-470_"
)
NONE = Changes()


def encoded(text: str) -> str:
    return quote(text, safe="").replace("_", "%5F")


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("Fc3", Token("Fc", "3", "integer")),
        ("CmdHC-42", Token("CmdHC", "-42", "integer")),
        ("Ty:Co", Token("Ty", "Co", "text")),
        ("Hb:600", Token("Hb", "600", "text")),
        ("Ver1:161", Token("Ver", "161", "text", 1)),
        ("TmRcv10:02:11.5000000", Token("TmRcv", "10:02:11.5000000", "time")),
        ("TmTr:a", Token("TmTr", "a", "text")),
        ("HH:mail%5Fx+y%3a1", Token("HH", "mail_x y:1", "text")),
        ("SBkOffD:L%2f-470", Token("SBkOffD", "L/-470", "text")),
        ("12", Token("", "12", "unknown")),
        ("Fc3x", Token("", "Fc3x", "unknown")),
        ("Rto", Token("", "Rto", "unknown")),
    ],
)
def test_a_token_is_a_key_and_its_value(token: str, expected: Token) -> None:
    assert parse_log(token).tokens == (expected,)


@pytest.mark.parametrize(
    ("log", "folders"),
    [
        pytest.param(
            LOG_2010,
            (Folder("5", "Em", "S", NONE, Changes(2), "811"), Folder("9", "Co", "R", Changes(900, 1, 2), NONE, "0")),
            id="2010",
        ),
        pytest.param(LOG_2013, (Folder("9", "Co", "S", NONE, Changes(4, 1), "31"),), id="2013"),
        pytest.param(LOG_2016, (), id="2016 Ping"),
        pytest.param("Srv:9a0c0d_Fet12_", (), id="FolderSync: changes of no folder"),
        pytest.param(
            "Fid:9_Ty:Co_Fet12_Srv:4a0c0d_", (Folder("9", "Co", None, NONE, NONE),), id="a block that has ended"
        ),
        pytest.param(
            "Fid:9_Ty:Co_Svr:3A1C0D0S0E_", (Folder("9", "Co", None, NONE, Changes(3, 1)),), id="documented form"
        ),
    ],
)
def test_a_folder_ends_at_the_next_one_or_at_a_key_that_does_not_belong_to_it(
    log: str, folders: tuple[Folder, ...]
) -> None:
    assert parse_log(log).folders == folders


@pytest.mark.parametrize(
    ("activity", "expected"),
    [
        ("I32:RPC.C[EX1.DB1]=1200;I32:RPC.C[EX1.DB2]=1100;I32:MAPI.C[EX1.DB1]=9000", RpcCount(2300, "RPC.C")),
        ("ActivityID=1f0c;I32:MAPI.C[EX1.DB1]=700;I32:MAPI.C[EX1.DB2]=50", RpcCount(750, "MAPI.C")),
        ("I32:RPC.C[]=0;I32:MAPI.C[]=900", RpcCount(0, "RPC.C")),
        ("I32:ROP.C[EX1]=900;Dbl:RPC.T[EX1]=77.5", None),
        ("", None),
    ],
)
def test_mailbox_calls_from_2013_on_are_rpc_or_mapi_and_never_both(activity: str, expected: RpcCount | None) -> None:
    assert parse_log(f"Fc1_ActivityContextData:{encoded(activity)}_").rpc == expected


def test_mailbox_calls_of_2007_and_2010_are_rpcc() -> None:
    assert parse_log(LOG_2010).rpc == RpcCount(2310, "RpcC")


def test_the_log_of_2003_is_recognised_and_not_read() -> None:
    assert parse_log("V3TCoSSC:10A1C0D0F0S:2A2C0D0S0P:0C0I0S0R") == EasLog("2003")


def test_the_budget_names_its_throttling_policy() -> None:
    budget = "(D)Conn:1,Policy:Sales_EAS_0c5a4ca3-1f64-4a2e-9c3f-0f36a3a4d7d2,Norm[Resources:(Mdb)DB1(Health:9%)]"

    assert parse_log(f"Budget:{encoded(budget)}_").throttling_policy == "Sales_EAS"


def test_the_error_is_its_name_without_details() -> None:
    assert parse_log("Error:OverBudget%3adetail_").error == "OverBudget"


tokens = st.builds(
    lambda key, value, index: (f"{key}{index}:{encoded(value)}", key, value),
    st.from_regex(r"[A-Z][a-z]{0,6}", fullmatch=True),
    st.text(max_size=12),
    st.sampled_from(["", "1", "12"]),
)


@given(st.lists(tokens, min_size=1))
def test_what_a_server_encodes_is_decoded(written: list[tuple[str, str, str]]) -> None:
    log = parse_log("_".join(text for text, _, _ in written) + "_")

    assert [(token.key, token.value) for token in log.tokens] == [(key, value) for _, key, value in written]


HOSTILE = {
    "digits of a count": lambda size: "Fid:1_Cli:" + "7" * size,
    "counts": lambda size: "Fid:1_Cli:" + "7a" * size,
    "separators": lambda size: "_" * size,
    "empty tokens": lambda size: "a:_" * size,
    "folders": lambda size: "Fid:1_" * size,
    "keys": lambda size: "a" * size,
    "an index": lambda size: "Ver" + "1" * size,
    "policies": lambda size: "Budget:" + "Policy:" * size,
    "ends of policies": lambda size: "Budget:Policy:" + "%5F01234567-" * size,
    "activities": lambda size: "ActivityContextData:" + "I32:RPC.C[x]=1;" * size,
    "an activity": lambda size: "ActivityContextData:" + "a" * size + "[" * size + "]" * size,
    "numbers of an activity": lambda size: "ActivityContextData:RPC.C[x]=" + "1" * size + "x",
    "percent signs": lambda size: "Error:" + "%" * size,
    "an error": lambda size: "Error:" + "e+" * size,
}
"""What a client may append to its query as if it were the server's, of any length."""


@pytest.mark.parametrize("name", HOSTILE)
def test_a_value_of_a_stranger_is_read_in_the_time_of_its_length(name: str) -> None:
    def read(size: int) -> None:
        log = parse_log(HOSTILE[name](size))
        assert (log.folders, log.rpc, log.throttling_policy, log.error, log.first("Nope")) is not None

    assert growth(read, 8000) < LINEAR


def test_of_a_count_that_never_ends_nothing_is_read() -> None:
    (folder,) = parse_log("Fid:1_Cli:" + "7" * 15_000).folders
    assert folder.client == Changes(0, 0, 0)
