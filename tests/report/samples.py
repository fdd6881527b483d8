"""A run with a bit of everything, for the tests of the formats."""

from __future__ import annotations

import datetime as dt
from typing import Any

import attrs

from easops.actions.outcome import Done, ItemOutcome
from easops.detectors.finding import Detection, Device, Measurement, Undetermined, UserFinding
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.record.run import Run
from easops.playbook.record.run_view import RunView
from easops.playbook.steps.step_result import StepResult
from easops.remoting.unreachable import Unreachable
from easops.status import Status

AT = dt.datetime(2026, 11, 24, 17, 0, tzinfo=dt.UTC)
PHONE = Device("APPL1", "iPhone", "Apple-iPhone", 15, 6412, 90000, 2500, 1000, 41000, 240.0, True, AT, AT, ("EX1",))
ANNA = UserFinding(
    "anna@contoso.example", "guid-1", True, 15, (PHONE,), ("EX1",), 5204, "15 contact syncs over 2000 RPC", ("line 1",)
)
BOB = UserFinding("bob@contoso.example", "guid-2", True, 9, (), ("EX1",), None, "9 contact syncs over 2000 RPC")
STORM = Detection(
    "contact_sync_storm",
    users=(ANNA, BOB),
    hosts=("EX1",),
    watch=(UserFinding("nina@contoso.example", "guid-3", True, 2, (), ("EX1",), 1, "a new phone"),),
    undetermined=(Undetermined("user", "CONTOSO\\ghost", "no mailbox", False),),
    judged=("EX1",),
    times={"EX1": AT},
    notes=("measured on RpcC",),
)


def load(value: float) -> Detection:
    return Detection("sync_pool_cpu", hosts=("EX1",), measurements=(Measurement("EX1", "cpu", value, "percent", 60.0),))


def item(name: str, status: Status, **more: object) -> ItemOutcome:
    return ItemOutcome(name, "organisation contoso", status, undo="exact", **more)  # type: ignore[arg-type]


LIMITED = Done(
    "limit_eas_usage",
    (
        item(ANNA.user, Status.CHANGED, before={"policy": None}, after={"policy": "ours"}, effective="after a recycle"),
        item(BOB.user, Status.REFUSED, reason="protected"),
    ),
)
RECYCLED = Done(
    "recycle_app_pool",
    (
        ItemOutcome(
            "EX1",
            "ex1.contoso.example",
            Status.CHANGED,
            undo="not applicable (a recycle cannot be undone)",
            before={"workers": ["1"]},
        ),
    ),
)
ENDED = Detection("contact_sync_storm", judged=("EX1",), asked=(ANNA.user,))
STEPS = (
    StepResult(1, "Who floods", "detect", "contact_sync_storm", Status.OK, hosts=("EX1",), detection=STORM, seconds=3),
    StepResult(2, "How loaded", "detect", "sync_pool_cpu", Status.OK, hosts=("EX1",), detection=load(95.04)),
    StepResult(3, "Limit them", "do", "limit_eas_usage", Status.REFUSED, because=ANNA.evidence, done=LIMITED),
    StepResult(4, "Recycle", "do", "recycle_app_pool", Status.CHANGED, hosts=("EX1",), because="x", done=RECYCLED),
    StepResult(5, "It has ended", "verify", "contact_sync_storm", Status.OK, detection=ENDED),
    StepResult(6, "It breathes", "verify", "sync_pool_cpu", Status.OK, detection=load(12.0)),
)
REPORT = RunReport(
    "20261124-170000-abcd",
    "Cure a storm",
    "run",
    Status.REFUSED,
    STEPS,
    started=AT,
    ended=AT,
    command="storm",
)
LOST = Detection(
    "contact_sync_storm", unreachable=(Unreachable("EX2", "EX2 is not there", "no route", next_step="start it"),)
)
DOCUMENT = {
    "by": "night", "machine": "desk", "version": "0.2.0", "inputs": {"window": "1h"}, "source": "storm.yml",
    "text": "name: Cure a storm", "hosts": [{"name": "EX1", "version": "2016"}],
}  # fmt: skip


def recorded(report: RunReport = REPORT, *, view: dict[str, Any] | None = None, **run: Any) -> RunReport:
    """The report with its record: an ended run, where *run* and *view* do not give the fields of its Run and RunView
    otherwise."""
    fields = {"ended": AT, "status": str(report.status), "unfinished": report.unfinished, **run}
    stored = Run(
        str(report.run_id),
        report.kind,
        report.playbook,
        {**DOCUMENT, "lab": report.lab, "limit": report.limit},
        ("ex1", "organisation contoso"),
        AT,
    )
    stored = attrs.evolve(stored, **fields)
    return attrs.evolve(
        report, record=RunView(stored, **{"alive": False, "steps": report.steps, "changes": (), **(view or {})})
    )
