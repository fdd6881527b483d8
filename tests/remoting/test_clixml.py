"""CLIXML into values, against the forms of MS-PSRP 2.2.5."""

from __future__ import annotations

import contextlib
import datetime as dt
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easops.errors import UnexpectedAnswer
from easops.remoting.clixml import DEEPEST, read_object
from easops.remoting.result import RemoteObject
from tests.linear import LINEAR, growth

UTC = dt.UTC


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("<S>a_x000A_b</S>", "a\nb"),
        ("<S>_xD83D__xDE00_</S>", "\U0001f600"),
        ("<S />", ""),
        ("<B>true</B>", True),
        ("<I32>-5</I32>", -5),
        ("<U64>18446744073709551615</U64>", 2**64 - 1),
        ("<Db>1.5</Db>", 1.5),
        ("<Db>NaN</Db>", None),
        ("<Db>-INF</Db>", None),
        ("<Sg>Infinity</Sg>", None),
        ("<Nil />", None),
        ("<BA>AQID</BA>", b"\x01\x02\x03"),
        ("<G>7a8ad6a6-6d5d-4a3e-9a8c-0b4f6a7f0a3f</G>", uuid.UUID("7a8ad6a6-6d5d-4a3e-9a8c-0b4f6a7f0a3f")),
        ("<DT>2026-03-02T08:00:00.1234567+01:00</DT>", dt.datetime(2026, 3, 2, 7, 0, 0, 123456, UTC)),
        ("<DT>2026-03-02T08:00:00Z</DT>", dt.datetime(2026, 3, 2, 8, tzinfo=UTC)),
        ("<DT>2026-03-02T08:00:00</DT>", dt.datetime(2026, 3, 2, 8, tzinfo=UTC)),
        ("<DT>0001-01-01T00:00:00</DT>", dt.datetime(1, 1, 1, tzinfo=UTC)),
        ("<TS>PT1M30S</TS>", dt.timedelta(seconds=90)),
        ("<TS>P1DT2H</TS>", dt.timedelta(days=1, hours=2)),
        ("<TS>-PT5S</TS>", dt.timedelta(seconds=-5)),
    ],
)
def test_a_primitive_becomes_a_python_value(text: str, value: Any) -> None:
    found = read_object(text)
    assert found == value
    assert type(found) is type(value)


OBJECT = """
<Obj xmlns="http://schemas.microsoft.com/powershell/2004/04" RefId="0">
  <TN RefId="0"><T>A.B.Mailbox</T><T>System.Object</T></TN>
  <ToString>Anna</ToString>
  <Props>
    <S N="Name">Anna</S>
    <Obj N="Database" RefId="1"><TN RefId="1"><T>A.ADObjectId</T><T>System.Object</T></TN><ToString>DB1</ToString></Obj>
    <Obj N="Kind" RefId="2"><TN RefId="2"><T>A.KindEnum</T></TN><ToString>User</ToString><I32>1</I32></Obj>
    <Obj N="Addresses" RefId="3"><TN RefId="3"><T>A.MultiValuedProperty`1</T></TN><LST><S>x</S><S>y</S></LST></Obj>
    <Obj N="Again" RefId="4"><TNRef RefId="1" /><ToString>DB2</ToString></Obj>
    <Ref N="Same" RefId="1" />
  </Props>
  <MS><S N="Note">n</S><Obj N="Map" RefId="5"><DCT><En><S N="Key">Add</S><I32 N="Value">1</I32></En></DCT></Obj></MS>
</Obj>"""


def test_an_object_keeps_its_types_its_text_and_both_kinds_of_properties() -> None:
    found = read_object(OBJECT)

    assert isinstance(found, RemoteObject)
    assert found.types == ("A.B.Mailbox", "System.Object")
    assert str(found) == "Anna"
    assert found.get("NAME") == "Anna"
    assert str(found.get("Database")) == "DB1"
    assert (str(found.get("Kind")), found.get("Kind").get("value__")) == ("User", 1)
    assert found.get("Addresses") == ("x", "y")
    assert found.get("Again").types == ("A.ADObjectId", "System.Object")
    assert found.get("Same") is found.get("Database")
    assert found.get("Map") == {"Add": 1}
    assert found.get("Note") == "n"


def test_a_cim_instance_is_known_by_its_class() -> None:
    instance = RemoteObject(("Microsoft.Management.Infrastructure.CimInstance#root/cimv2/Win32_Process",), {})
    assert instance.is_a("Win32_Process")
    assert not instance.is_a("Process")


@given(st.text(alphabet="<>/ObjSTNPrs =\"'RefId0N&;", max_size=60))
def test_a_text_that_is_not_clixml_is_an_unexpected_answer(text: str) -> None:
    with contextlib.suppress(UnexpectedAnswer):
        read_object(text)


def nested(levels: int) -> str:
    return "<Obj><LST>" * levels + "</LST></Obj>" * levels


def test_objects_are_read_as_deep_as_servers_nest_them_and_no_deeper() -> None:
    value = read_object(nested(DEEPEST))
    for _ in range(DEEPEST):
        (value,) = value or ("end",)
    assert value == "end"
    with pytest.raises(UnexpectedAnswer, match="levels deep"):
        read_object(nested(1000))


@pytest.mark.parametrize(
    "text",
    [
        "<TS>P999999999999D</TS>",
        "<TS>PT" + "9" * 400 + "S</TS>",
        "<TS>P" + "9" * 5000 + "D</TS>",
        "<C>99999999999999999999</C>",
        "<C>65536</C>",
        "<C>-1</C>",
        "<I32>" + "9" * 5000 + "</I32>",
        "<DT>0001-01-02T00:00:00+23:59</DT>",
        "<DT>9999-12-30T23:59:59-23:59</DT>",
        '<!DOCTYPE a [<!ENTITY b "b">]><S>&b;</S>',
        "<S>\ud800</S>",
    ],
    ids=lambda text: text[:20],
)
def test_what_is_out_of_range_is_an_unexpected_answer_or_a_value(text: str) -> None:
    with contextlib.suppress(UnexpectedAnswer):
        assert read_object(text) is not None


@pytest.mark.parametrize("text", ["<S>a_xD800_b</S>", "<S>a_xDC00__xD800_b</S>", "<C>55296</C>"])
def test_half_a_character_becomes_one_that_can_be_stored(text: str) -> None:
    value = read_object(text)
    assert "\ufffd" in value
    value.encode("utf-8")


@pytest.mark.parametrize("piece", ["_x000A_", "_x", "_", "x", "_xD800_", "_xD83D__xDE00_"])
def test_a_text_is_read_in_the_time_of_its_length(piece: str) -> None:
    assert growth(lambda size: read_object(f"<S>{piece * size}</S>"), 20_000) < LINEAR


@pytest.mark.parametrize("tag", ["TS", "DT", "I32", "C", "Db"])
def test_a_number_of_any_length_is_refused_in_the_time_of_its_length(tag: str) -> None:
    def work(size: int) -> None:
        with contextlib.suppress(UnexpectedAnswer):
            read_object(f"<{tag}>P{'1' * size}</{tag}>")

    assert growth(work, 50_000) < LINEAR


def test_references_that_would_unfold_without_end_are_refused() -> None:
    def doubled(levels: int) -> str:
        first = '<Obj RefId="0"><LST><S>x</S><S>x</S></LST></Obj>'
        rest = (
            f'<Obj RefId="{n}"><LST><Ref RefId="{n - 1}"/><Ref RefId="{n - 1}"/></LST></Obj>' for n in range(1, levels)
        )
        return f'<Obj RefId="all"><LST>{first}{"".join(rest)}</LST></Obj>'

    assert len(read_object(doubled(10))) == 10
    with pytest.raises(UnexpectedAnswer, match="more than 1,000,000 values"):
        read_object(doubled(60))
