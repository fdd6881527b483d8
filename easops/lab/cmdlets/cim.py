"""Get-CimInstance and Get-WmiObject for the classes that tell of worker processes and of the machine."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from easops.lab.cmdlet import Call, Cmdlet
from easops.lab.cmdlets.answer import given
from easops.lab.value import U32, U64, CmdletFailed, ErrorInfo, NonTerminating, Obj
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
            "CreationDate": world.local(worker.started),
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
    yield {
        "Caption": windows.caption,
        "Version": windows.version,
        "BuildNumber": windows.build,
        "CSName": server.name,
        "LocalDateTime": world.local(world.moment),
        "CurrentTimeZone": 60,
        "LastBootUpTime": world.local(server.booted),
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


_FAULTS: Final = {
    "Invalid namespace ": ("0x8004100e", "MetadataError"),
    "Invalid class ": ("0x80041010", "MetadataError"),
    "Invalid query ": ("0x80041017", "InvalidArgument"),
}
"""What each is to Get-CimInstance. Get-WmiObject has one identifier for all three."""


def _failed(call: Call, message: str, target: str) -> CmdletFailed:
    hresult, category = _FAULTS[message]
    cim = call.cmdlet == "Get-CimInstance"
    cmdlet = "Microsoft.Management.Infrastructure.CimCmdlets.GetCimInstanceCommand"
    return CmdletFailed(
        ErrorInfo(
            message,
            "Microsoft.Management.Infrastructure.CimException" if cim else "System.Management.ManagementException",
            f"HRESULT {hresult},{cmdlet}"
            if cim
            else "GetWMIManagementException,Microsoft.PowerShell.Commands.GetWmiObjectCommand",
            category if cim or category == "InvalidArgument" else "InvalidType",
            activity=call.cmdlet,
            target=target if cim else None,
        )
    )


def _get_cim_instance(world: World, call: Call) -> Iterable[Any]:
    parameters = given(call, "ClassName", "Filter", "Property", "Namespace", "OperationTimeoutSec")
    chosen = parameters.get("Property")
    for name, key, instance in _instances(world, call, str(parameters.get("ClassName", "")), parameters):
        narrowed = _narrowed(call, instance, chosen)
        if narrowed is None:
            yield _cim_instance(name, key, instance)
        else:  # the others are there and null, but for the key
            yield _cim_instance(name, key, {**dict.fromkeys(instance), key: instance[key], **narrowed})


def _get_wmi_object(world: World, call: Call) -> Iterable[Any]:
    parameters = given(call, "Class", "Filter", "Property", "Namespace")
    chosen = parameters.get("Property")
    try:
        for name, key, instance in _instances(world, call, str(parameters.get("Class", "")), parameters):
            narrowed = _narrowed(call, instance, chosen)
            yield _wmi_object(name, key, instance if narrowed is None else narrowed, whole=narrowed is None)
    except CmdletFailed as failed:
        yield NonTerminating(failed.error)  # it writes its errors, and ends as completed


def _instances(
    world: World, call: Call, wanted: str, parameters: Mapping[str, Any]
) -> Iterator[tuple[str, str, Properties]]:
    """Name of the class, name of its key, and the properties, of each instance asked for. Raises CmdletFailed."""
    namespace = str(parameters.get("Namespace", "root/cimv2")).replace("\\", "/").lower()
    if namespace != "root/cimv2":
        raise _failed(call, "Invalid namespace ", namespace)
    if wanted.lower() not in _CLASSES:
        raise _failed(call, "Invalid class ", f"root/cimv2:{wanted}")
    name, key, read = _CLASSES[wanted.lower()]
    for instance in list(read(world, world.servers[call.server])):
        if "Filter" not in parameters or matches(call, str(parameters["Filter"]), instance):
            yield name, key, instance


def _narrowed(call: Call, instance: Properties, chosen: Any) -> Properties | None:
    """The properties of -Property; None where all are asked for. Raises CmdletFailed for one that there is not."""
    if chosen is None:
        return None
    names = {str(item).lower() for item in (chosen if isinstance(chosen, list | tuple) else [chosen])}
    if "*" in names:
        return None
    if not names <= {name.lower() for name in instance}:
        raise _failed(call, "Invalid query ", ", ".join(sorted(names)))
    return {name: value for name, value in instance.items() if name.lower() in names}


def _cim_instance(name: str, key: str, properties: Properties) -> Obj:
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


def _wmi_object(name: str, key: str, properties: Properties, *, whole: bool) -> Obj:
    """As Get-WmiObject gives it: dates are DMTF texts; with -Property the others are not there at all, and of the
    system's properties most are null."""
    held = {name_: _dmtf(value) for name_, value in properties.items()}
    path = f'{name}.{key}="{properties.get(key)}"'
    server = str(properties.get("CSName") or properties.get("Name") or "")
    full = rf"\\{server}\root\cimv2:{path}" if whole else None
    system = {
        "__GENUS": 2,
        "__CLASS": name,
        "__SUPERCLASS": _BASES[name][0] if whole else None,
        "__DYNASTY": _BASES[name][-1] if whole else None,
        "__RELPATH": path if whole else None,
        "__PROPERTY_COUNT": len(held),
        "__DERIVATION": list(_BASES[name]) if whole else [],
        "__SERVER": server if whole else None,
        "__NAMESPACE": r"root\cimv2" if whole else None,
        "__PATH": full,
    }
    return Obj(
        (
            rf"System.Management.ManagementObject#root\cimv2\{name}",
            "System.Management.ManagementObject",
            "System.Management.ManagementBaseObject",
            "System.ComponentModel.Component",
            "System.MarshalByRefObject",
            "System.Object",
        ),
        {**system, **held},
        text=full or "",
    )


def _dmtf(value: Any) -> Any:
    """A date as ``20261124192217.123456+060``: local time, and the minutes that it is east of UTC."""
    if not isinstance(value, dt.datetime):
        return value
    offset = value.utcoffset() or dt.timedelta(0)
    return f"{value:%Y%m%d%H%M%S.%f}{int(offset.total_seconds()) // 60:+04d}"


def matches(call: Call, query: str, instance: Properties) -> bool:
    """A small WQL: ``property = 'value'``, ``<>``, AND and OR (AND binds before OR). Raises CmdletFailed."""
    held = {name.lower(): value for name, value in instance.items()}
    any_of = [[]]  # type: list[list[bool]]
    position = 0
    while True:
        found = _COMPARISON.match(query, position)
        if found is None or found.group(1).lower() not in held:
            raise _failed(call, "Invalid query ", query)
        value = held[found.group(1).lower()]
        text = next(part for part in found.group(3, 4, 5) if part is not None).replace("\\\\", "\\")
        same = str(getattr(value, "value", value)).lower() == text.lower()
        any_of[-1].append(same if found.group(2) == "=" else not same)
        position = found.end()
        if position == len(query):
            return any(all(terms) for terms in any_of)
        operator = _OPERATOR.match(query, position)
        if operator is None:
            raise _failed(call, "Invalid query ", query)
        if operator.group(1).lower() == "or":
            any_of.append([])
        position = operator.end()


GET_CIM_INSTANCE: Final = Cmdlet("Get-CimInstance", "windows", _get_cim_instance)
GET_WMI_OBJECT: Final = Cmdlet("Get-WmiObject", "windows", _get_wmi_object)
