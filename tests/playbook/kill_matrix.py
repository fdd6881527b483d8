"""The kill matrix: each action killed with SIGKILL at each moment, then resumed, then undone.

    python -m tests.playbook.kill_matrix

prints it as a table, from real runs against a lab in a temporary folder, on SQLite or on the PostgreSQL database that
EASOPS_DATABASE_URL names. The documentation has that table, and the tests compare them cell by cell.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from easops.lab.world.scenario import read_scenario
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.record.run_view import list_runs
from easops.playbook.record.state_folder import StateFolder, open_store
from easops.status import Status
from tests.playbook.killing import MOMENTS
from tests.playbook.stage import Killed, Stage, new_stage
from tests.playbook.tasks import Kill, resume_run, run_text, undo_run

USER: Final = "victoria.chen@contoso.example"
WORLD: Final[Mapping[str, Any]] = {**read_scenario("calm"), "mailboxes": 12, "history": 900}
"""Small: what matters here is what is sent."""

HEAD: Final = (
    "| action | killed when | the record said | the servers had made | after resume | after undo |",
    "| --- | --- | --- | --- | --- | --- |",
)


@attrs.frozen
class Row:
    """One action that is killed in one of its changes.

    *change* is that change's key; ``{0}`` in it stands for the first host's target. *drains*: at the kill an old
    worker process is still ending its requests, and still is at the resume; otherwise it has gone by then.
    """

    name: str
    steps: str
    change: str
    cmdlet: str
    expected: Mapping[str, int]
    hosts_at_once: int = 1
    drains: bool = False

    @property
    def text(self) -> str:
        return f"easops: 1\nname: Killed\nhosts: all\nlimits: {{hosts_at_once: {self.hosts_at_once}}}\n{self.steps}"


def _recycle(pool: str, on: str) -> str:
    return f"steps: [{{do: recycle_app_pool, with: {{pool: {pool}}}, on: {on}, because: it is a test}}]"


_LIMIT: Final = f"steps: [{{do: limit_eas_usage, with: {{user: {USER}}}}}]"
_LIMITED: Final = {"New-ThrottlingPolicy": 1, "Set-ThrottlingPolicyAssociation": 1}
_BLOCK: Final = f"steps: [{{do: block_user, with: {{user: {USER}}}}}]"
_QUIET_POOL: Final = "MSExchangeECPAppPool"
_SYNC_POOL: Final = "MSExchangeSyncAppPool"

ROWS: Final = (
    Row("limit_eas_usage: its policy", _LIMIT, "1.organisation contoso.0.0", "New-ThrottlingPolicy", _LIMITED),
    Row(
        "limit_eas_usage: the association",
        _LIMIT,
        "1.organisation contoso.0.1",
        "Set-ThrottlingPolicyAssociation",
        _LIMITED,
    ),
    Row("block_user", _BLOCK, "1.organisation contoso.0.0", "Set-CASMailbox", {"Set-CASMailbox": 1}),
    Row(
        "recycle_app_pool",
        _recycle(_QUIET_POOL, "name=AMS-EX01"),
        "1.{0}.0.0",
        "Restart-WebAppPool",
        {"Restart-WebAppPool AMS-EX01": 1},
    ),
    Row(
        "recycle_app_pool, old worker drains",
        _recycle(_SYNC_POOL, "name=AMS-EX01"),
        "1.{0}.0.0",
        "Restart-WebAppPool",
        {"Restart-WebAppPool AMS-EX01": 1},
        drains=True,
    ),
    Row(
        "recycle_app_pool on two hosts in turn",
        _recycle(_SYNC_POOL, "all"),
        "1.{0}.0.0",
        "Restart-WebAppPool",
        {"Restart-WebAppPool AMS-EX01": 1, "Restart-WebAppPool AMS-EX02": 1},
        drains=True,
    ),
    Row(
        "recycle_app_pool on two hosts at once",
        _recycle(_SYNC_POOL, "all"),
        "1.{0}.0.0",
        "Restart-WebAppPool",
        {"Restart-WebAppPool AMS-EX01": 1, "Restart-WebAppPool AMS-EX02": 1},
        hosts_at_once=2,
        drains=True,
    ),
)
COLUMNS: Final = tuple(moment for moment in MOMENTS if moment != "committed")
"""After the commit of one change comes the intent of the next, or the child's end."""


@attrs.frozen
class Cell:
    """What was seen of one row at one moment. *recorded* is what the record says of the change: no intent, intended,
    or its outcome. The counts are the lab's own: of each changing call, by cmdlet (and server)."""

    row: Row
    moment: str
    recorded: str
    made: Mapping[str, int]
    resumed: RunReport
    made_in_all: Mapping[str, int]
    undone: RunReport
    restored: bool

    @property
    def line(self) -> str:
        undo = "as before" if self.restored else "not as before"
        if self.undone.status is Status.SKIPPED:
            undo = "has no undo"
        after = f"{self.resumed.status}; {_told(self.made_in_all)}"
        cells = (self.row.name, MOMENTS[self.moment], self.recorded, _told(self.made), after, undo)
        return f"| {' | '.join(cells)} |"


def _told(made: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(made.items())) or "nothing"


def cell(stage: Stage, row: Row, moment: str) -> Cell:
    """Kill, look, resume, count, undo, and read again."""
    before, sent = stage.reads(), len(stage.sent())

    def made() -> Mapping[str, int]:
        calls = [
            f"{cmdlet} {server}" if cmdlet == "Restart-WebAppPool" else cmdlet
            for server, cmdlet, _ in stage.sent()[sent:]
        ]
        return Counter(calls)

    windows = stage.hosts[0].windows
    assert windows is not None
    change = row.change.format(windows.address)
    kill = Kill(moment, change, holding_others=row.hosts_at_once > 1)
    try:
        stage.in_process(run_text, row.text, stage.lab.inventory, kill)
    except Killed:
        pass
    else:
        raise AssertionError(f"the run ended without reaching {moment} of {change}")
    run_id = list_runs(stage.state)[0].run.run_id
    recorded, made_at_kill = _recorded(stage, run_id, change), made()
    if not row.drains:
        stage.lab.world.advance(10.0)
    resumed = stage.in_process(resume_run, run_id)
    made_in_all = made()
    undone = stage.in_process(undo_run, run_id)
    return Cell(row, moment, recorded, made_at_kill, resumed, made_in_all, undone, stage.reads() == before)


def _recorded(stage: Stage, run_id: str, change: str) -> str:
    with open_store(stage.state) as (store, _):
        entries = {entry.kind: entry for entry in store.entries(run_id) if entry.key == f"{run_id}/{change}"}
    if "intent" not in entries:
        return "no intent"
    return str(entries["outcome"].body["status"]) if "outcome" in entries else "intended"


def lines() -> list[str]:
    """The whole table, from real runs."""
    database = StateFolder.default().database
    with tempfile.TemporaryDirectory() as folder, new_stage(Path(folder), WORLD, database=database) as stage:
        cells = [cell(stage, row, moment) for row in ROWS for moment in COLUMNS]
    return [*HEAD, *(seen.line for seen in cells)]


if __name__ == "__main__":
    print("\n".join(lines()))
