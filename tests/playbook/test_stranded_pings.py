"""Stranded Pings (KB 4337638), found, freed and proved against the lab's real protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from easops.iis.app_pool import SYNC_APP_POOL, recycle_app_pool
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.execution.caller import always
from easops.playbook.steps.observer import Observer
from easops.playbook.steps.step_result import StepResult
from easops.playbook.undo import undo
from easops.remoting.pool import SessionPool
from easops.report import FORMATS
from easops.status import Status

pytestmark = pytest.mark.slow

Start = Callable[..., Any]


def results_of(report: RunReport) -> list[tuple[str, str | None, str]]:
    return [(step.subject, step.host, str(step.status)) for step in report.steps]


def test_the_sick_servers_are_freed_and_proved_one_by_one_and_a_second_run_changes_nothing(rig: Start) -> None:
    lab = rig("stranded-pings")

    report = lab.cure("stranded-pings")

    cured = [
        ("recycle_app_pool", "changed"),
        ("stranded_pings", "ok"),
        ("unserved_devices", "ok"),
        ("pool_memory", "ok"),
    ]
    assert results_of(report) == [
        ("stranded_pings", None, "ok"),
        ("pool_memory", None, "ok"),
        *[(subject, host, status) for host in ("AMS-EX01", "AMS-EX02") for subject, status in cured],
    ]
    large = report.steps[1].detection
    for step in report.steps[5::4]:
        assert large is not None
        assert step.host is not None
        assert step.detection is not None
        had, has = large.measured(step.host), step.detection.measured(step.host)
        assert had is not None
        assert has is not None
        assert has < had / 4
    proof = report.steps[4].detection
    assert proof is not None
    assert proof.sentences.keys() == {"AMS-EX01"}
    assert "requests were served since" in proof.sentences["AMS-EX01"]
    assert [name for name, _ in lab.sent()] == ["Restart-WebAppPool"] * 2
    assert (report.status, report.exit_code, report.next) == (Status.CHANGED, 0, "")

    again = lab.cure("stranded-pings")

    assert (again.status, again.changed, again.exit_code) == (Status.OK, False, 0)
    assert len(lab.sent()) == 2

    undone = undo(str(report.run_id), confirm=always, state=lab.state)

    assert (undone.status, undone.exit_code, undone.changed) == (Status.SKIPPED, 0, False)
    reasons = {item.reason for step in undone.steps for item in step.items}
    assert reasons == {"a recycle cannot be undone"}
    assert len(lab.sent()) == 2


def test_a_server_that_is_only_busy_is_left_alone_and_the_report_says_why(rig: Start) -> None:
    lab = rig("busy-but-healthy")

    report = lab.cure("stranded-pings")

    assert (report.status, report.exit_code, report.changed, lab.sent()) == (Status.OK, 0, False, [])
    assert {str(step.status) for step in report.steps[1:]} == {"skipped"}
    text = FORMATS["text"].step(report.steps[0], (), diff=False, verbose=False)
    assert " ".join(text.split()).count("all within 59 min + 5 min") == 3
    assert max(map(len, text.splitlines())) <= 80


def test_a_server_whose_devices_are_not_served_afterwards_ends_the_cure_there(rig: Start) -> None:
    lab = rig("stranded-pings")
    world = lab.lab.world
    active_sync: Any = world.active_sync
    refuse = active_sync._refusal

    def refusing(access: Any, phone: Any, limits: Any) -> Any:
        recycled = phone.back.sync_worker.started > world.start
        return (503, "ServerUnavailable", "") if recycled else refuse(access, phone, limits)

    active_sync._refusal = refusing

    report = lab.cure("stranded-pings")

    assert results_of(report)[2:] == [
        ("recycle_app_pool", "AMS-EX01", "changed"),
        ("stranded_pings", "AMS-EX01", "ok"),
        ("unserved_devices", "AMS-EX01", "verify_failed"),
        ("pool_memory", "AMS-EX01", "ok"),
        *[(step.subject, "AMS-EX02", "not_started") for step in report.steps[6:]],
    ]
    assert (report.exit_code, len(lab.sent())) == (6, 1)


def test_without_a_yes_nothing_is_changed_and_nothing_is_said_to_have_failed(rig: Start) -> None:
    lab = rig("stranded-pings")
    report = lab.cure("stranded-pings", confirm=False)
    assert (report.status, report.exit_code, lab.sent()) == (Status.REFUSED, 3, [])


class Recycles(Observer):
    """Recycles each server when the servers to cure have been found, as another run of the playbook may do."""

    def __init__(self, lab: Any) -> None:
        self._lab = lab

    def finished(self, result: StepResult) -> None:
        if result.number == 1:
            with SessionPool() as sessions:
                for host in self._lab.hosts:
                    recycle_app_pool(sessions.open(host, "windows"), SYNC_APP_POOL)
            self._lab.lab.world.advance(5)


def test_a_server_that_another_run_recycled_after_the_evidence_was_read_is_left_alone(rig: Start) -> None:
    lab = rig("stranded-pings")

    report = lab.cure("stranded-pings", observer=Recycles(lab))

    assert [name for name, _ in lab.sent()] == ["Restart-WebAppPool"] * len(lab.hosts)
    recycles = [step for step in report.steps if step.subject == "recycle_app_pool"]
    assert [(step.status, item.status) for step in recycles for item in step.items] == [
        (Status.SKIPPED, Status.SKIPPED)
    ] * 2
    assert all("already recycled since the evidence was read at" in step.items[0].reason for step in recycles)
