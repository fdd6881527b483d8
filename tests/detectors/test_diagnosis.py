"""Worlds from seeds, as ``benchmarks/diagnosis.py`` makes them: the guilty, the innocent, and false proofs."""

from __future__ import annotations

import importlib.util
import random
import sys
from pathlib import Path
from typing import Any

import attrs
import pytest

from easops.detectors.contact_sync.criteria import Criteria
from easops.detectors.contact_sync.host_log import read_log_files
from easops.detectors.contact_sync_storm import CONTACT_SYNC_STORM
from easops.parameter import values_of

_FILE = Path(__file__).parents[2] / "benchmarks" / "diagnosis.py"
_SPEC = importlib.util.spec_from_file_location("diagnosis", _FILE)
assert _SPEC is not None
assert _SPEC.loader is not None
diagnosis: Any = importlib.util.module_from_spec(_SPEC)
sys.modules["diagnosis"] = diagnosis
_SPEC.loader.exec_module(diagnosis)

CRITERIA = Criteria.of(values_of(CONTACT_SYNC_STORM.parameters, {}, "contact_sync_storm"))


def test_the_guilty_are_named_and_nobody_else(tmp_path: Path) -> None:
    figures = diagnosis.Figures()
    for seed in range(40):
        diagnosis.measure(diagnosis.make_world(seed), tmp_path / str(seed), CRITERIA, figures)

    assert sum(figures.guilty.values()) > 100
    assert sum(figures.innocent.values()) > 100
    assert (dict(figures.missed), dict(figures.accused), dict(figures.false_proofs)) == ({}, {}, {})


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["bursts", "overlapping", "some dropped"])
def test_a_flood_that_goes_on_is_never_proved_to_have_ended(kind: str, tmp_path: Path) -> None:
    """Of each of the kinds that are hardest to tell from an end: 0 of 170."""
    proved = []
    for seed in range(170):
        rng = random.Random(seed)
        person = diagnosis.Person("guilty0", kind, True, tuple(diagnosis.GUILTY[kind](rng, "guilty0")))
        world = diagnosis.World(seed, seed % 2 == 0, 1, (person,))
        logs = diagnosis.write_logs(world, tmp_path / str(seed))
        readings = read_log_files(logs, criteria=attrs.evolve(CRITERIA, since=2 * CRITERIA.since)).readings
        own = [s for reading in readings for s in reading.syncs if diagnosis.account(s) == "guilty0"]
        if diagnosis.false_proof(person, own, readings, CRITERIA, rng):
            proved.append(seed)
    assert proved == []
