"""How often a device comes back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pytest

from easops.detectors.contact_sync.device import by_device, interval
from easops.detectors.contact_sync.sync import ContactSync, Source
from easops.logs.eas_log import RpcCount
from easops.logs.eas_query import parse_query
from easops.logs.eas_request import EasRequest
from easops.logs.w3c import Row
from easops.logs.window import LogLine

START = dt.datetime(2026, 11, 24, 9, 0, tzinfo=dt.UTC)


def hit(seconds: float, device: str = "APPL1") -> ContactSync:
    """A hit that started *seconds* after START and took 40 s."""
    ended = START + dt.timedelta(seconds=seconds + 40)
    query = parse_query(f"Cmd=Sync&User=anna&DeviceId={device}&DeviceType=iPhone")
    request = EasRequest(ended, 40_000, 200, "CONTOSO\\anna", "agent", 900, None, query)
    line = LogLine(Row(1, 0, ended, (), ""), "x.log:1")
    source = Source("EX1", START + dt.timedelta(hours=1))
    return ContactSync(source, line, request, RpcCount(3000, "RpcC"), sent=2500, added=2500, received=0)


@pytest.mark.parametrize(
    ("starts", "median", "regular"),
    [
        pytest.param((0,), None, False, id="a single hit has no interval"),
        pytest.param((0, 240), 240.0, False, id="one gap is not yet regular"),
        pytest.param((0, 240, 480, 725), 240.0, True, id="about the same gap each time"),
        pytest.param((0, 200, 700, 900, 2400), 350.0, False, id="gaps that differ widely"),
        pytest.param((0, 10, 400, 410, 800, 810), 400.0, True, id="pairs of requests are one attempt each"),
        pytest.param((480, 0, 240), 240.0, True, id="the order of the lines does not matter"),
    ],
)
def test_the_interval_is_the_median_gap_between_starts(
    starts: Sequence[float], median: float | None, regular: bool
) -> None:
    assert interval([hit(seconds) for seconds in starts]) == (median, regular)


def test_device_ids_are_compared_without_case() -> None:
    assert {key: len(hits) for key, hits in by_device([hit(0), hit(60, "appl1"), hit(5, "B")]).items()} == {
        "appl1": 2,
        "b": 1,
    }
