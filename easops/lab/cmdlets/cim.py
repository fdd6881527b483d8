"""Get-CimInstance for the classes that tell of worker processes and of the machine."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from easops.lab.cmdlet import Call, Cmdlet
from easops.lab.cmdlets.answer import given
from easops.lab.value import U32, U64, CmdletFailed, ErrorInfo, Obj
from easops.lab.world import World
from easops.lab.world.host import Server

_TICKS: Final = 10_000_000
_KERNEL: Final = 0.12
"""The part of a worker process's processor time that is the kernel's."""

_COMPARISON: Final = re.compile(
    r"\s*(\w+)\s*(=|<>|!=)\s*(?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"|(\d+))\s*", re.IGNORECASE
)
_OPERATOR: Final = re.compile(r"(and|or)\b", re.IGNORECASE)

Properties = Mapping[str, Any]


def _processes(world: World, server: Server) -> Iterator[Properties]:
    for worker in sorted(server.workers, key=lambda worker: (worker.started, worker.pid)):
        ticks = int(server.cpu_seconds(worker, world.moment) * _TICKS)
        kernel = int(ticks * _KERNEL)
        memory = server.private_bytes(worker, world.time)
        image = r"c:\windows\system32\inetsrv\w3wp.exe"
        config = rf"C:\inetpub\temp\apppools\{worker.pool}\{worker.pool}.config"
        yield {
            "Name": "w3wp.exe",
            "Caption": "w3wp.exe",
            "Handle": str(worker.pid),
            "ProcessId": U32(worker.pid),
            "ParentProcessId": U32(1284),
            "SessionId": U32(0),
            "CommandLine": rf'{image} -ap "{worker.pool}" -v "v4.0" -l "webengine4.dll" '
            rf'-a \\.\pipe\iisipm{worker.pid:08x} -h "{config}" -w "" -m 0',
            "ExecutablePath": image,
            "CreationDate": world.local(worker.started),
            "KernelModeTime": U64(kernel),
            "UserModeTime": U64(ticks - kernel),
            "PrivatePageCount": U64(memory),
            "WorkingSetSize": U64(memory * 9 // 10),
            "HandleCount": U32(1400 + memory // (4 * 1024**2)),
            "ThreadCount": U32(38 + sum(1 for r in server.in_flight if worker in (r.front_worker, r.back_worker))),
            "CSName": server.name,
        }


def _operating_system(world: World, server: Server) -> Iterator[Properties]:
    yield {
        "Caption": "Microsoft Windows Server 2016 Standard",
        "Version": "10.0.14393",
        "BuildNumber": "14393",
        "CSName": server.name,
        "LocalDateTime": world.local(world.moment),
        "CurrentTimeZone": 60,
        "LastBootUpTime": world.local(server.booted),
        "SystemDrive": "C:",
        "SystemDirectory": r"C:\Windows\system32",
        "WindowsDirectory": r"C:\Windows",
        "OSArchitecture": "64-bit",
        "TotalVisibleMemorySize": U64(100_204_544),
        "Name": r"Microsoft Windows Server 2016 Standard|C:\Windows|\Device\Harddisk0\Partition2",
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


_CLASSES: Final[Mapping[str, tuple[str, str, Callable[[World, Server], Iterator[Properties]]]]] = {
    name.lower(): (name, key, read)
    for name, key, read in (
        ("Win32_Process", "Handle", _processes),
        ("Win32_OperatingSystem", "Name", _operating_system),
        ("Win32_ComputerSystem", "Name", _computer_system),
        ("Win32_Processor", "DeviceID", _processor),
    )
}
_BASES: Final = {
    "Win32_Process": ("CIM_Process", "CIM_LogicalElement", "CIM_ManagedSystemElement"),
    "Win32_OperatingSystem": ("CIM_OperatingSystem", "CIM_LogicalElement", "CIM_ManagedSystemElement"),
    "Win32_ComputerSystem": ("CIM_UnitaryComputerSystem", "CIM_ComputerSystem", "CIM_System"),
    "Win32_Processor": ("CIM_Processor", "CIM_LogicalDevice", "CIM_LogicalElement"),
}


def _failed(message: str, native: str, hresult: str, category: str) -> CmdletFailed:
    return CmdletFailed(
        ErrorInfo(
            message,
            "Microsoft.Management.Infrastructure.CimException",
            f"HRESULT {hresult},Microsoft.Management.Infrastructure.CimCmdlets.GetCimInstanceCommand",
            category,
            activity="Get-CimInstance",
            target=native,
        )
    )


def _get(world: World, call: Call) -> Iterable[Any]:
    parameters = given(call, "ClassName", "Filter", "Property", "Namespace", "OperationTimeoutSec")
    namespace = str(parameters.get("Namespace", "root/cimv2")).replace("\\", "/").lower()
    if namespace != "root/cimv2":
        raise _failed("Invalid namespace ", namespace, "0x8004100e", "MetadataError")
    wanted = str(parameters.get("ClassName", ""))
    if wanted.lower() not in _CLASSES:
        raise _failed("Invalid class ", f"root/cimv2:{wanted}", "0x80041010", "MetadataError")
    name, key, read = _CLASSES[wanted.lower()]
    instances = list(read(world, world.servers[call.server]))
    if "Filter" in parameters:
        instances = [instance for instance in instances if matches(str(parameters["Filter"]), instance)]
    chosen = parameters.get("Property")
    for instance in instances:
        yield _instance(name, key, _narrowed(instance, key, chosen))


def _narrowed(instance: Properties, key: str, chosen: Any) -> Properties:
    """With -Property the others are there and null, but for the key."""
    if chosen is None:
        return instance
    names = {str(item).lower() for item in (chosen if isinstance(chosen, list | tuple) else [chosen])}
    if "*" in names:
        return instance
    if not names <= {name.lower() for name in instance}:
        raise _failed("Invalid query ", ", ".join(sorted(names)), "0x80041017", "InvalidArgument")
    return {name: value if name.lower() in names or name == key else None for name, value in instance.items()}


def _instance(name: str, key: str, properties: Properties) -> Obj:
    prefix = "Microsoft.Management.Infrastructure.CimInstance#"
    classes = (name, *_BASES[name])
    return Obj(
        (
            *(f"{prefix}root/cimv2/{each}" for each in classes),
            *(f"{prefix}{each}" for each in classes),
            "Microsoft.Management.Infrastructure.CimInstance",
            "System.Object",
        ),
        properties,
        text=f'{name}: {properties.get("Name") or ""} ({key} = "{properties[key]}")',
    )


def matches(query: str, instance: Properties) -> bool:
    """A small WQL: ``property = 'value'``, ``<>``, AND and OR (AND binds before OR). Raises CmdletFailed."""
    held = {name.lower(): value for name, value in instance.items()}
    any_of = [[]]  # type: list[list[bool]]
    position = 0
    while True:
        found = _COMPARISON.match(query, position)
        if found is None or found.group(1).lower() not in held:
            raise _failed("Invalid query ", query, "0x80041017", "InvalidArgument")
        value = held[found.group(1).lower()]
        text = next(part for part in found.group(3, 4, 5) if part is not None).replace("\\\\", "\\")
        same = str(getattr(value, "value", value)).lower() == text.lower()
        any_of[-1].append(same if found.group(2) == "=" else not same)
        position = found.end()
        if position == len(query):
            return any(all(terms) for terms in any_of)
        operator = _OPERATOR.match(query, position)
        if operator is None:
            raise _failed("Invalid query ", query, "0x80041017", "InvalidArgument")
        if operator.group(1).lower() == "or":
            any_of.append([])
        position = operator.end()


GET_CIM_INSTANCE: Final = Cmdlet("Get-CimInstance", "windows", _get)
