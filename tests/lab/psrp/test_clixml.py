"""The lab's CLIXML, read back by psrpcore and by pypsrp."""

from __future__ import annotations

import datetime
import uuid
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psrpcore._crypto import PSRemotingCrypto
from psrpcore.types import deserialize
from pypsrp.serializer import Serializer

from easops.lab.psrp.clixml import from_wire, to_clixml
from easops.lab.value import I64, U32, U64, Enum, Obj

NOON = datetime.datetime(2024, 5, 1, 12, 0, 0, 250_000, tzinfo=datetime.UTC)


def psrpcore_reads(value: Any) -> Any:
    return from_wire(deserialize(ElementTree.fromstring(to_clixml(value)), PSRemotingCrypto()))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "<Nil />"),
        (True, "<B>true</B>"),
        (5, "<I32>5</I32>"),
        (1 << 31, "<I64>2147483648</I64>"),
        (U32(5), "<U32>5</U32>"),
        (U64(5), "<U64>5</U64>"),
        (I64(5), "<I64>5</I64>"),
        (0.5, "<Db>0.5</Db>"),
        ("a<b\n_x0041_", "<S>a&lt;b_x000A__x005F_x0041_</S>"),
        (b"ab", "<BA>YWI=</BA>"),
        (NOON, "<DT>2024-05-01T12:00:00.2500000Z</DT>"),
        (
            NOON.astimezone(datetime.timezone(datetime.timedelta(hours=2))),
            "<DT>2024-05-01T14:00:00.2500000+02:00</DT>",
        ),
        (datetime.timedelta(days=1, seconds=3723), "<TS>P1DT1H2M3S</TS>"),
        (uuid.UUID(int=7), "<G>00000000-0000-0000-0000-000000000007</G>"),
        (
            Enum("System.DayOfWeek", "Monday", 1),
            '<Obj RefId="0"><TN RefId="0"><T>System.DayOfWeek</T><T>System.Enum</T><T>System.ValueType</T>'
            "<T>System.Object</T></TN><ToString>Monday</ToString><I32>1</I32></Obj>",
        ),
        (
            Obj(types=("A",), properties={"P": 1}, notes={"N": "x"}, text="a"),
            '<Obj RefId="0"><TN RefId="0"><T>A</T></TN><ToString>a</ToString><Props><I32 N="P">1</I32></Props>'
            '<MS><S N="N">x</S></MS></Obj>',
        ),
    ],
)
def test_a_value_is_written_as_servers_write_it(value: Any, text: str) -> None:
    assert to_clixml(value) == text


def test_a_type_list_is_written_once_in_a_message() -> None:
    text = to_clixml([Obj(types=("A", "B")), Obj(types=("A", "B"))])

    assert text.count("<TN ") == 2  # the list's own, and A
    assert text.count('<TNRef RefId="1" />') == 1


@pytest.mark.parametrize(
    "value",
    [
        [1, "two", None, [3.5]],
        {"a": 1, "b": ["c"]},
        NOON,
        datetime.timedelta(days=-1, seconds=5),
        uuid.UUID(int=9),
        b"\x00\xff",
        Obj(types=("A", "System.Object"), properties={"P": 1, "Q": [True]}, notes={"N": None}, text="shown"),
    ],
)
def test_psrpcore_reads_the_same_value_back(value: Any) -> None:
    assert psrpcore_reads(value) == value


@given(st.text())
def test_both_readers_read_every_text_back(text: str) -> None:
    assert (psrpcore_reads(text), Serializer().deserialize(ElementTree.fromstring(to_clixml(text)))) == (text, text)


def test_lists_with_and_without_a_type_are_lists_for_pypsrp() -> None:
    typed = Obj(types=("A", "System.Collections.ArrayList"), items=("a", "b"))

    read = [Serializer().deserialize(ElementTree.fromstring(to_clixml(value))) for value in (typed, ["a", "b"])]

    assert read == [["a", "b"], ["a", "b"]]


def test_a_value_of_another_kind_is_an_error() -> None:
    with pytest.raises(TypeError, match="no CLIXML for object"):
        to_clixml(object())
    with pytest.raises(TypeError, match="no time zone"):
        to_clixml(datetime.datetime(2024, 5, 1))
