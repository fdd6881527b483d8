"""The CIM classes that describe worker processes and the machine: ``CLASSES``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import attrs

from easops.lab.value import U32, U64
from easops.lab.world import World
from easops.lab.world.host import Server

_TICKS: Final = 10_000_000
_KERNEL: Final = 0.12
"""The share of a worker process's processor time that is spent in the kernel."""

Properties = Mapping[str, Any]


def _processes(world: World, server: Server) -> Iterator[Properties]:
    for worker in sorted(server.workers, key=lambda worker: (worker.started, worker.pid)):
        ticks = int(server.cpu_seconds(worker, world.moment) * _TICKS)
        kernel = int(ticks * _KERNEL)
        memory = server.private_bytes(worker, world.time)
        image = r"c:\windows\system32\inetsrv\w3wp.exe"
        config = rf"C:\inetpub\temp\apppools\{worker.pool}\{worker.pool}.config"
        clr = server.product.clr
        yield {
            "Name": "w3wp.exe",
            "Caption": "w3wp.exe",
            "Handle": str(worker.pid),
            "ProcessId": U32(worker.pid),
            "ParentProcessId": U32(1284),
            "SessionId": U32(0),
            "CommandLine": rf'{image} -ap "{worker.pool}" -v "{clr}" -l "webengine4.dll" '
            rf'-a \\.\pipe\iisipm{worker.pid:08x} -h "{config}" -w "" -m 0',
            "ExecutablePath": image,
            "CreationDate": world.local(server.told(worker.started)),
            "KernelModeTime": U64(kernel),
            "UserModeTime": U64(ticks - kernel),
            "PrivatePageCount": U64(memory),
            "WorkingSetSize": U64(memory * 9 // 10),
            "HandleCount": U32(1400 + memory // (4 * 1024**2)),
            "ThreadCount": U32(38 + len(world.in_flight.inside(server, worker))),
            "CSName": server.name,
        }


def _operating_system(world: World, server: Server) -> Iterator[Properties]:
    windows = server.product.windows
    now = server.told(world.moment)
    yield {
        "Caption": windows.caption,
        "Version": windows.version,
        "BuildNumber": windows.build,
        "CSName": server.name,
        "LocalDateTime": world.local(now),
        "CurrentTimeZone": 60,
        # Windows keeps how long it has been running: when the clock is set, this moves with it.
        "LastBootUpTime": world.local(now - (world.moment - server.booted)),
        "SystemDrive": "C:",
        "SystemDirectory": r"C:\Windows\system32",
        "WindowsDirectory": r"C:\Windows",
        "OSArchitecture": "64-bit",
        "TotalVisibleMemorySize": U64(100_204_544),
        "Name": rf"{windows.caption}|C:\Windows|\Device\Harddisk0\Partition2",
    }


def _computer_system(world: World, server: Server) -> Iterator[Properties]:
    yield {
        "Name": server.name,
        "DNSHostName": server.name,
        "Domain": world.scenario.domain,
        "NumberOfLogicalProcessors": U32(server.processors),
        "NumberOfProcessors": U32(1),
        "TotalPhysicalMemory": U64(102_609_453_056),
        "Manufacturer": "Contoso",
        "Model": "Lab",
    }


def _processor(world: World, server: Server) -> Iterator[Properties]:
    yield {
        "DeviceID": "CPU0",
        "Name": "Lab processor",
        "NumberOfCores": U32(server.processors),
        "NumberOfLogicalProcessors": U32(server.processors),
    }


@attrs.frozen
class CimClass:
    """A class: its *key* property, the classes it is derived from, nearest first, and its instances on a server."""

    name: str
    key: str
    bases: tuple[str, ...]
    instances: Callable[[World, Server], Iterator[Properties]]


CLASSES: Final[Mapping[str, CimClass]] = {
    cim_class.name.lower(): cim_class
    for cim_class in (
        CimClass(
            "Win32_Process",
            "Handle",
            ("CIM_Process", "CIM_LogicalElement", "CIM_ManagedSystemElement"),
            _processes,
        ),
        CimClass(
            "Win32_OperatingSystem",
            "Name",
            ("CIM_OperatingSystem", "CIM_LogicalElement", "CIM_ManagedSystemElement"),
            _operating_system,
        ),
        CimClass(
            "Win32_ComputerSystem",
            "Name",
            ("CIM_UnitaryComputerSystem", "CIM_ComputerSystem", "CIM_System"),
            _computer_system,
        ),
        CimClass(
            "Win32_Processor",
            "DeviceID",
            ("CIM_Processor", "CIM_LogicalDevice", "CIM_LogicalElement"),
            _processor,
        ),
    )
}
"""By lower-case name."""
