"""The built-in lab as a child process."""

from __future__ import annotations

from pathlib import Path

import pytest

import easops
from easops.errors import BadInput
from easops.lab.world.world import DEFAULT_SCENARIO as OF_THE_LAB
from easops.lab_process import DEFAULT_SCENARIO, temporary_lab

pytestmark = pytest.mark.slow


def test_the_scenario_of_those_who_name_none_is_the_one_that_the_lab_takes() -> None:
    assert DEFAULT_SCENARIO == OF_THE_LAB


def test_a_temporary_lab_leaves_nothing() -> None:
    with temporary_lab("calm") as lab:
        assert lab.inventory.exists()
    assert not lab.inventory.parent.exists()


def test_a_scenario_that_does_not_exist_is_bad_input() -> None:
    with pytest.raises(BadInput, match="no lab scenario 'clam'"), temporary_lab("clam"):
        pass


def test_a_script_detects_in_a_lab_without_an_inventory() -> None:
    assert easops.detect("contact_sync_storm", lab=True).found
    assert not easops.detect("contact_sync_storm", lab=True, scenario="calm").found


@pytest.mark.parametrize(
    ("arguments", "has"),
    [
        ({}, "nothing"),
        ({"hosts": [], "lab": True}, "hosts and the lab"),
        ({"logs": [Path("u_ex.log")], "lab": True}, "logs and the lab"),
    ],
    ids=["nothing", "hosts and lab", "logs and lab"],
)
def test_a_detector_looks_at_exactly_one_of_hosts_logs_and_the_lab(arguments: dict[str, object], has: str) -> None:
    with pytest.raises(BadInput, match=f"contact_sync_storm has {has} to read"):
        easops.detect("contact_sync_storm", **arguments)  # type: ignore[arg-type]


def test_a_script_does_an_action_in_a_lab_and_undoes_it(tmp_path: Path) -> None:
    from easops.playbook.record.state_folder import StateFolder

    state = StateFolder(tmp_path / "state")
    report = easops.do("block_user", values={"user": "laura.brandt@contoso.example"}, lab=True, state=state)
    assert (report.status, report.lab) == (easops.Status.CHANGED, "contacts-storm")
    assert report.run_id is not None
    assert easops.undo(report.run_id, state=state).status is easops.Status.UNDONE
