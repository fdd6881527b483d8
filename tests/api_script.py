"""A script as its author would write it: every function of the API, one after the other, in one process.

It prints nothing itself; what it found goes to a file, as JSON: python -m tests.api_script INVENTORY PLAYBOOK ANSWER
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from easops import Observer, RunReport, SessionPool, detect, do, load_inventory, read_hosts, resume, run, undo
from easops.iis import read_worker_processes
from easops.playbook.language.find import find_playbook
from easops.playbook.run import submit

USER = "laura.brandt@contoso.example"


class RecordingObserver(Observer):
    """Records what it is called with."""

    def __init__(self) -> None:
        self.started_runs: list[str | None] = []
        self.texts: list[str] = []
        self.steps: list[str] = []

    def started(self, run_id: str | None) -> None:
        self.started_runs.append(run_id)

    def progress(self, text: str) -> None:
        self.texts.append(text)

    def finished(self, result: object) -> None:
        self.steps.append(str(getattr(result, "status", "?")))


def main(inventory: str, playbook: str, answer: str) -> None:
    hosts = load_inventory(inventory).hosts
    observer = RecordingObserver()
    reports: list[RunReport] = []
    with SessionPool() as sessions:
        judged = [
            detect("pool_memory", hosts, {"above": 1000}, observer=observer, sessions=sessions).judged for _ in range(3)
        ]
        workers = read_hosts(hosts, read_worker_processes, sessions=sessions)
        reports.append(do("block_user", hosts, {"user": USER}, confirm=True, observer=observer, sessions=sessions))
        reports.append(undo(str(reports[0].run_id), confirm=True, observer=observer, sessions=sessions))
        reports.append(run(playbook, hosts, check=True, observer=observer, sessions=sessions))
        reports.append(run(playbook, hosts, confirm=True, observer=observer, sessions=sessions))
        waiting = submit(find_playbook(playbook), hosts)
        reports.append(resume(waiting, observer=observer, sessions=sessions))
    result = {
        "judged": judged,
        "workers": sorted(workers),
        "statuses": [report.status for report in reports],
        "ids": [report.run_id for report in reports],
        "started": observer.started_runs,
        "texts": observer.texts,
        "steps": observer.steps,
    }
    Path(answer).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
