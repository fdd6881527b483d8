"""Worker processes (w3wp.exe): which pool each serves, since when, and how much CPU and memory it uses."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

import attrs

from easops.errors import UnexpectedAnswer
from easops.remoting.result import RemoteObject
from easops.remoting.server_clock import CLOCK, server_time
from easops.remoting.session import Session
from easops.remoting.wmi import Query, read_instances, read_moment

_POOL = re.compile(r'-ap\s+"([^"]*)"')
_TICKS: Final = 10_000_000  # 100 ns units in a second
_WORKERS: Final = Query(
    "Win32_Process",
    ("ProcessId", "CommandLine", "CreationDate", "KernelModeTime", "UserModeTime", "PrivatePageCount"),
    "Name='w3wp.exe'",
)
_PROCESSORS: Final = Query("Win32_ComputerSystem", ("NumberOfLogicalProcessors",))


@attrs.frozen
class WorkerProcess:
    """One w3wp.exe, which serves the pool *app_pool*.

    *pid* and *started* (UTC) together identify it, because Windows reuses process ids. *cpu_seconds* is its kernel and
    user time since it started, on all processors together. *private_bytes* is its private memory.
    """

    app_pool: str
    pid: int
    started: dt.datetime
    cpu_seconds: float
    private_bytes: int

    @property
    def identity(self) -> tuple[int, str]:
        """The process id and the start time as ISO text: no other process has the same."""
        return self.pid, self.started.isoformat()


@attrs.frozen
class WorkerProcessReading:
    """All worker processes of a server (*processes*, by pool and start time).

    *time* (UTC) is when they were read, by the server's clock. *logical_processors* is how many the server has: a CPU
    time of that many seconds per second is 100 %. *booted* is when the server was started, by the same clock.
    """

    time: dt.datetime
    logical_processors: int
    processes: tuple[WorkerProcess, ...]
    booted: dt.datetime | None = None

    def of_pool(self, app_pool: str) -> tuple[WorkerProcess, ...]:
        """The processes of one application pool; upper and lower case are the same."""
        return tuple(process for process in self.processes if process.app_pool.lower() == app_pool.lower())


def read_worker_processes(session: Session) -> WorkerProcessReading:
    """All worker processes of a server, with its time and number of processors, in one call (windows endpoint).

    Raises UnreachableHost, CommandFailed, OutcomeUnknown, UnexpectedAnswer.
    Source: Win32_Process (CommandLine, KernelModeTime and UserModeTime in 100 ns, PrivatePageCount in bytes),
    Win32_OperatingSystem (LocalDateTime, LastBootUpTime), Win32_ComputerSystem.NumberOfLogicalProcessors; Windows
    Server 2008 and later.
    """
    answer = read_instances(session, _WORKERS, _PROCESSORS, CLOCK)
    system = answer.objects("Win32_ComputerSystem")
    if len(system) != 1:
        raise UnexpectedAnswer("the server did not report its processors", repr(answer.output)[:200])
    clock = server_time(answer)
    return WorkerProcessReading(
        time=clock.time,
        logical_processors=max(1, _integer(system[0], "NumberOfLogicalProcessors")),
        processes=tuple(
            sorted(
                (process for item in answer.objects("Win32_Process") if (process := _process(item)) is not None),
                key=lambda process: (process.app_pool.lower(), process.started, process.pid),
            )
        ),
        booted=clock.booted,
    )


def _process(item: RemoteObject) -> WorkerProcess | None:
    # A process that is just ending no longer has a command line, so it serves no pool.
    match = _POOL.search(str(item.get("CommandLine") or ""))
    if match is None or read_moment(item.get("CreationDate")) is None:
        return None
    return WorkerProcess(
        app_pool=match.group(1),
        pid=_integer(item, "ProcessId"),
        started=_date(item, "CreationDate"),
        cpu_seconds=(_integer(item, "KernelModeTime") + _integer(item, "UserModeTime")) / _TICKS,
        private_bytes=_integer(item, "PrivatePageCount"),
    )


def _integer(item: RemoteObject, name: str) -> int:
    value = item.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise UnexpectedAnswer(f"{name} is not a number", f"the server answered {value!r}")


def _date(item: RemoteObject, name: str) -> dt.datetime:
    value = read_moment(item.get(name))
    if value is None:
        raise UnexpectedAnswer(f"{name} is not a time", f"the server answered {item.get(name)!r}")
    return value
