"""The worker processes of each server."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from easops.context import Context
from easops.iis.worker_process import read_worker_processes
from easops.parameter import Parameter
from easops.readings.reading import Reading


@attrs.frozen
class WorkerProcessRow:
    """A worker process. *uptime* is by the server's own clock; *cpu_seconds* are of all processors since its start."""

    app_pool: str
    pid: int
    started: dt.datetime
    uptime: dt.timedelta
    cpu_seconds: float
    private_bytes: int


def _read(values: Mapping[str, Any], host: str | None, context: Context) -> Sequence[WorkerProcessRow]:
    assert host is not None
    reading = read_worker_processes(context.windows(host))
    wanted = reading.processes if values["pool"] is None else reading.of_pool(values["pool"])
    return [
        WorkerProcessRow(
            process.app_pool,
            process.pid,
            process.started,
            reading.time - process.started,
            process.cpu_seconds,
            process.private_bytes,
        )
        for process in wanted
    ]


WORKER_PROCESSES = Reading(
    "worker-processes",
    "Worker processes (w3wp.exe), with pool, start, CPU and memory",
    "server",
    ("app_pool", "pid", "started", "uptime", "cpu_seconds", "private_bytes"),
    _read,
    (Parameter("pool", "text", "only this application pool", default=None),),
)
