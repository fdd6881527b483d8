"""The values that a detector gives."""

from __future__ import annotations

import pytest

from easops.detectors.finding import Measurement
from easops.playbook.steps.codec import from_json, to_json


@pytest.mark.parametrize(("unit", "decimals"), [("requests", 0), ("percent", 1), ("GiB", 1), ("minutes", 1)])
def test_a_measurement_of_a_0_1_0_record_has_the_decimals_it_was_shown_with(unit: str, decimals: int) -> None:
    recorded = {"host": "EX1", "name": "x", "value": 3.0, "unit": unit, "limit": None, "evidence": ""}
    assert from_json(recorded, Measurement).decimals == decimals


def test_the_decimals_of_a_measurement_are_recorded() -> None:
    measurement = Measurement("EX1", "x", 3.25, "requests", decimals=2)
    assert from_json(to_json(measurement), Measurement) == measurement
