from __future__ import annotations

import pytest

from easops.errors import UnexpectedAnswer
from easops.exchange.server import CAPABILITIES, parse_version
from easops.inventory.host import VERSIONS


@pytest.mark.parametrize(
    ("display", "version", "build"),
    [
        ("Version 6.5 (Build 7638.2)", "2003", "6.5.7638.2"),
        ("Version 8.3 (Build 83.6)", "2007", "8.3.83.6"),
        ("Version 14.3 (Build 123.4)", "2010", "14.3.123.4"),
        ("Version 15.0 (Build 1497.2)", "2013", "15.0.1497.2"),
        ("Version 15.1 (Build 2507.6)", "2016", "15.1.2507.6"),
        ("Version 15.2 (Build 1544.4)", "2019", "15.2.1544.4"),
        ("Version 15.2 (Build 2562.17)", "SE", "15.2.2562.17"),
    ],
)
def test_a_version_is_read_from_what_the_server_prints(display: str, version: str, build: str) -> None:
    assert parse_version(display) == (version, build)


@pytest.mark.parametrize("display", ["", "Version 16.0 (Build 1.1)", "15.1.2507.6", "Version 8.9 (Build 1.1)"])
def test_an_unknown_version_is_an_error_and_not_a_guess(display: str) -> None:
    with pytest.raises(UnexpectedAnswer):
        parse_version(display)


def test_every_version_has_its_capabilities() -> None:
    assert set(CAPABILITIES) == set(VERSIONS)
