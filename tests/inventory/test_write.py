"""Hosts as the text of an inventory."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from easops.inventory.host import AUTHS, ROLES, VERSIONS, Credential, Endpoint, Host, PasswordSource
from easops.inventory.load import read_inventory
from easops.inventory.write import inventory_text

TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x2FF, exclude_categories=["Cc"]), min_size=1).filter(
    str.strip
)
WORDS = st.sampled_from(
    ["null", "yes", "True", "12", "1e3", "0x10", "~", "a: b", "- a", "#a", "{a}", "CONTOSO\\admin", "'", '"']
)
VARIABLES = st.from_regex("[A-Za-z_][A-Za-z0-9_]*", fullmatch=True)


@st.composite
def hosts(draw: st.DrawFn) -> tuple[Host, ...]:
    username = draw(TEXT | WORDS)
    source: PasswordSource = draw(st.sampled_from(["env", "keyring"]))
    credential = Credential("admin", username, source, draw(VARIABLES if source == "env" else TEXT | WORDS))
    number = draw(st.integers(1, 3))
    return tuple(
        Host(
            f"EX{index}",
            draw(TEXT | WORDS),
            draw(st.sampled_from(VERSIONS)),
            frozenset(draw(st.sets(st.sampled_from(ROLES), min_size=1))),
            draw(TEXT | WORDS | st.just("")),
            draw(
                st.none() | st.just(Endpoint(f"https://ex{index}/PowerShell", draw(st.sampled_from(AUTHS)), credential))
            ),
            Endpoint(f"http://ex{index}:5985/wsman", "negotiate", draw(st.none() | st.just(credential))),
            draw(st.none() | TEXT | WORDS),
        )
        for index in range(number)
    )


@settings(deadline=None)
@given(hosts())
def test_what_is_written_is_read_back_unchanged(original: tuple[Host, ...]) -> None:
    assert read_inventory(inventory_text(original), Path("hosts.yml")).hosts == original


def test_a_password_that_is_asked_for_and_one_in_a_file_are_written_too(tmp_path: Path) -> None:
    asked = Credential("me", "CONTOSO\\me", "prompt", "")
    kept = Credential("night", "night@CONTOSO.COM", "file", str(tmp_path / "night.txt"))
    host = Host(
        "EX1",
        "contoso",
        "SE",
        frozenset({"mailbox"}),
        exchange=Endpoint("https://ex1/PowerShell", "kerberos", asked),
        windows=Endpoint("https://ex1/wsman", "ntlm", kept),
    )
    assert read_inventory(inventory_text([host]), tmp_path / "hosts.yml").hosts == (host,)
