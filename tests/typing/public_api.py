"""The types of the API as the type checker of a script sees them. This file is checked, and never run."""

from __future__ import annotations

import datetime as dt
from typing import assert_type

from easops import (
    Detection,
    EasopsError,
    Observer,
    RunReport,
    SessionPool,
    Status,
    detect,
    do,
    find_playbook,
    load_inventory,
    read_hosts,
    resume,
    run,
    undo,
)
from easops.actions import ItemOutcome
from easops.detectors import Measurement, UserFinding
from easops.iis import WorkerProcess, WorkerProcessReading, read_worker_processes
from easops.inventory import Host, Inventory
from easops.logs import EasRequest, EasTraffic, read_eas_files
from easops.playbook import Interrupted, Playbook, Preview, StepResult
from easops.remoting import Command, RemoteObject, Session


class RecordingObserver(Observer):
    def finished(self, result: StepResult) -> None:
        assert_type(result.status, Status)
        assert_type(result.items, tuple[ItemOutcome, ...])


def shown(preview: Preview) -> bool:
    assert_type(preview.later, tuple[str, ...])
    return True


def a_script() -> None:
    inventory = load_inventory("hosts.yml")
    assert_type(inventory, Inventory)
    hosts = inventory.hosts
    assert_type(hosts, tuple[Host, ...])
    assert_type(inventory.select("site=AMS"), tuple[Host, ...])

    with SessionPool() as sessions:
        assert_type(sessions, SessionPool)
        session = sessions.open(hosts[0], "windows")
        assert_type(session, Session)
        assert_type(session.invoke(Command("Get-Date", reads=True)).objects(), tuple[RemoteObject, ...])

        answers = read_hosts(hosts, read_worker_processes, sessions=sessions)
        assert_type(answers, dict[str, WorkerProcessReading | EasopsError])
        for answer in answers.values():
            if isinstance(answer, EasopsError):
                assert_type(answer.next_step, str)
            else:
                assert_type(answer.processes, tuple[WorkerProcess, ...])
        assert_type(read_hosts(hosts, lambda session: session.host), dict[str, str | EasopsError])

        found = detect("contact_sync_storm", hosts, {"since": "30m"}, observer=RecordingObserver(), sessions=sessions)
        assert_type(found, Detection)
        assert_type(found.users, tuple[UserFinding, ...])
        assert_type(found.measurements, tuple[Measurement, ...])
        assert_type(detect("contact_sync_storm", logs=["W3SVC2"]), Detection)

        playbook = find_playbook("contacts-sync-storm")
        assert_type(playbook, Playbook)
        report = run(playbook, hosts, {"window": "1h"}, confirm=shown, observer=RecordingObserver(), sessions=sessions)
        assert_type(report, RunReport)
        assert_type(report.run_id, str | None)
        assert_type(report.status, Status)
        assert_type(report.items, tuple[ItemOutcome, ...])
        assert_type(report.findings, tuple[Detection, ...])
        assert_type(report.exit_code, int)
        assert_type(run("stranded-pings", lab=True), RunReport)
        assert_type(do("block_user", hosts, {"user": "anna@contoso.com"}, confirm=True), RunReport)
        try:
            assert_type(undo("20261124-175800-f278", check=True), RunReport)
        except Interrupted as stop:
            assert_type(stop.finished, bool)
            assert_type(stop.why, EasopsError | None)
        assert_type(resume("20261124-175800-f278", wait=dt.timedelta(minutes=1)), RunReport)

    traffic = read_eas_files(["W3SVC2"], dt.timedelta(hours=1))
    assert_type(traffic, EasTraffic)
    assert_type(traffic.requests, tuple[EasRequest, ...])


def wrong_words() -> None:
    """Each of these lines is a type error; if it were not, the checker would report the unused comment."""
    hosts = load_inventory("hosts.yml").hosts
    do("block_user", hosts, chek=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    run("stranded-pings", hosts, confirm="yes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    read_hosts(hosts, 1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    load_inventory(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
