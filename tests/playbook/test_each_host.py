"""Steps done host by host, by the engine, against the lab's real protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from easops.actions import ACTIONS
from easops.detectors import DETECTORS
from easops.lab.value import CmdletFailed, ErrorInfo
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.execution.caller import always
from easops.playbook.language.load import load_playbook_text
from easops.playbook.language.model import Playbook
from easops.playbook.record.run_view import show_run
from easops.playbook.resume import resume
from easops.playbook.run import run

pytestmark = pytest.mark.slow

Start = Callable[..., Any]

HOST_BY_HOST: Playbook = load_playbook_text(
    """
easops: 1
name: host by host
hosts: runs=activesync
steps:
  - name: one after the other
    each_host: all
    steps:
      - {name: free, do: recycle_app_pool, with: {pool: MSExchangeSyncAppPool}, because: "{{ host }} is full"}
      - {name: proof, verify: sync_pool_cpu, with: {above: 100}}
""",
    "host-by-host.yml",
    actions=ACTIONS,
    detectors=DETECTORS,
)


def results_of(report: RunReport) -> list[tuple[str, str | None, str]]:
    return [(step.name, step.host, str(step.status)) for step in report.steps]


def test_a_recycle_is_proved_on_a_host_before_the_next_is_recycled(rig: Start) -> None:
    lab = rig("calm")

    report = run(HOST_BY_HOST, lab.hosts, state=lab.state, confirm=always)

    names = [host.name for host in lab.hosts]
    assert results_of(report) == [row for name in names for row in (("free", name, "changed"), ("proof", name, "ok"))]
    assert [step.because for step in report.steps[::2]] == [f"{name} is full" for name in names]
    assert [cmdlet for cmdlet, _ in lab.sent()] == ["Restart-WebAppPool"] * len(names)
    view = show_run(report.run_id or "", lab.state)
    assert [(step.name, step.host) for step in view.steps] == [(name, host) for name, host, _ in results_of(report)]


def test_a_group_that_stopped_is_gone_on_with_at_the_host_where_it_stopped(rig: Start) -> None:
    lab = rig("calm")
    first, second, *rest = [host.name for host in lab.hosts]
    perform, asked = lab.lab.world.perform, []

    def failing(called: Any, call: Any, moment: Any = None) -> Any:
        if called.name == "Restart-WebAppPool":
            asked.append(called.name)
            if len(asked) == 2:
                raise CmdletFailed(ErrorInfo("Not now.", "System.Exception", "X", "NotSpecified", called.name))
        return perform(called, call, moment)

    lab.lab.world.perform = failing

    report = run(HOST_BY_HOST, lab.hosts, state=lab.state, confirm=always)
    assert results_of(report)[:4] == [
        ("free", first, "changed"),
        ("proof", first, "ok"),
        ("free", second, "failed"),
        ("proof", second, "ok"),
    ]
    assert {status for _, host, status in results_of(report) if host in rest} <= {"not_started"}
    assert report.unfinished

    resumed = resume(str(report.run_id), state=lab.state, confirm=always)

    names = [first, second, *rest]
    assert results_of(resumed) == [row for name in names for row in (("free", name, "changed"), ("proof", name, "ok"))]
    assert len(lab.sent()) == len(names), "the first host was recycled in the first attempt, and only then"
    assert not show_run(str(report.run_id), lab.state).run.unfinished
