"""Whole incidents from fixed seeds, and those that once broke a promise."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from tests.simulation import planted
from tests.simulation.incident import PROFILES, Incident, incident_of, live_through
from tests.simulation.kept import corpus, from_text, shrunk, to_text
from tests.simulation.night import broken
from tests.simulation.planted import double_recycle, found_by, protect_is_ignored

INCIDENTS = 16
"""Incidents of each profile in each run of the tests. ``python -m tests.simulation --night N`` lives through more."""

KEPT = dict(corpus())


@pytest.mark.slow
@pytest.mark.parametrize("profile", list(PROFILES))
def test_no_promise_is_broken(profile: str) -> None:
    found = {seed: broken(incident_of(profile, seed)) for seed in range(INCIDENTS)}
    failed = {seed: violations for seed, violations in found.items() if violations}
    assert not failed, "\n".join(f"python -m tests.simulation --profile {profile} --seed {seed}" for seed in failed)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(KEPT))
def test_what_once_broke_a_promise_does_so_no_more(name: str) -> None:
    assert broken(KEPT[name]) == []


@pytest.mark.slow
@pytest.mark.parametrize("bug", [double_recycle, protect_is_ignored])
def test_a_planted_bug_is_found(bug: object) -> None:
    assert callable(bug)
    assert found_by(bug, 80)


def test_a_promise_that_is_broken_without_the_bug_does_not_find_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planted, "broken", lambda incident: ["limits_hold: more than 2"])
    assert planted.found_by(contextlib.nullcontext, 3) == ""


@pytest.mark.slow
def test_the_same_seed_gives_the_same_course_in_any_process() -> None:
    command = [sys.executable, "-m", "tests.simulation", "--profile", "deaths-late", "--seed"]
    for seed in ("2", "3"):
        courses = {
            subprocess.run(
                [*command, seed],
                capture_output=True,
                check=True,
                cwd=Path(__file__).parents[2],
                env={**os.environ, "PYTHONHASHSEED": hash_seed},
            ).stdout
            for hash_seed in ("1", "2")
        }
        assert len(courses) == 1


def test_an_incident_is_the_same_after_it_was_kept() -> None:
    incident = incident_of("people", 10)
    kept = from_text(to_text(incident))
    assert to_text(kept) == to_text(incident)
    assert live_through(kept).trace == live_through(incident).trace


def test_an_incident_that_fails_is_made_smaller() -> None:
    incident = attrs.evolve(incident_of("late", 5), deaths=(700, 800))

    def fails(candidate: Incident) -> bool:
        return 3 in candidate.changes and len(candidate.world["storms"]) >= 1

    incident = attrs.evolve(incident, changes={n: incident_of("late", 5).changes.get(n) or _FAULT for n in range(12)})
    small = shrunk(incident, fails)
    assert (list(small.changes), small.deaths, dict(small.reads)) == ([3], (), {})
    assert len(small.world["storms"]) == 1
    assert len(small.world["servers"]) == 1


_FAULT = next(iter(incident_of("late", 0).changes.values()))
