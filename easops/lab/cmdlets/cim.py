"""Get-CimInstance and Get-WmiObject, for the classes in ``cim_class.py``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from easops.lab.cmdlet import Call, Cmdlet
from easops.lab.cmdlets.cim_class import CLASSES, CimClass, Properties
from easops.lab.cmdlets.parameters import parameters_of
from easops.lab.cmdlets.wql import InvalidQuery, matches
from easops.lab.value import CmdletFailed, ErrorInfo, NonTerminating, Obj
from easops.lab.world import World

_FAULTS: Final = {
    "Invalid namespace ": ("0x8004100e", "MetadataError"),
    "Invalid class ": ("0x80041010", "MetadataError"),
    "Invalid query ": ("0x80041017", "InvalidArgument"),
}
"""HRESULT and category in Get-CimInstance. Get-WmiObject has one identifier for all three."""


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
    parameters = parameters_of(call, "ClassName", "Filter", "Property", "Namespace", "OperationTimeoutSec")
    for cim_class, instance in _instances(world, call, str(parameters.get("ClassName", "")), parameters):
        selected = _selected(call, instance, parameters.get("Property"))
        if selected is None:
            yield _cim_instance(cim_class, instance)
        else:  # the other properties are there, but null, except for the key
            key = {cim_class.key: instance[cim_class.key]}
            yield _cim_instance(cim_class, {**dict.fromkeys(instance), **key, **selected})


def _get_wmi_object(world: World, call: Call) -> Iterable[Any]:
    parameters = parameters_of(call, "Class", "Filter", "Property", "Namespace")
    try:
        for cim_class, instance in _instances(world, call, str(parameters.get("Class", "")), parameters):
            selected = _selected(call, instance, parameters.get("Property"))
            yield _wmi_object(cim_class, instance if selected is None else selected, whole=selected is None)
    except CmdletFailed as failed:
        yield NonTerminating(failed.error)  # Get-WmiObject writes its errors, and the pipeline completes


def _instances(
    world: World, call: Call, name: str, parameters: Mapping[str, Any]
) -> Iterator[tuple[CimClass, Properties]]:
    """The class *name*, and the properties of each instance that passes the filter. Raises CmdletFailed."""
    namespace = str(parameters.get("Namespace", "root/cimv2")).replace("\\", "/").lower()
    if namespace != "root/cimv2":
        raise _failed(call, "Invalid namespace ", namespace)
    if name.lower() not in CLASSES:
        raise _failed(call, "Invalid class ", f"root/cimv2:{name}")
    cim_class = CLASSES[name.lower()]
    query = str(parameters["Filter"]) if "Filter" in parameters else None
    for instance in list(cim_class.instances(world, world.servers[call.server])):
        try:
            if query is None or matches(query, instance):
                yield cim_class, instance
        except InvalidQuery:
            raise _failed(call, "Invalid query ", str(query)) from None


def _selected(call: Call, instance: Properties, names: Any) -> Properties | None:
    """The properties of -Property; None for all of them. Raises CmdletFailed for one that the class does not have."""
    if names is None:
        return None
    wanted = {str(item).lower() for item in (names if isinstance(names, list | tuple) else [names])}
    if "*" in wanted:
        return None
    if not wanted <= {name.lower() for name in instance}:
        raise _failed(call, "Invalid query ", ", ".join(sorted(wanted)))
    return {name: value for name, value in instance.items() if name.lower() in wanted}


def _cim_instance(cim_class: CimClass, properties: Properties) -> Obj:
    prefix = "Microsoft.Management.Infrastructure.CimInstance#"
    classes = (cim_class.name, *cim_class.bases)
    key = cim_class.key
    return Obj(
        (
            *(f"{prefix}root/cimv2/{name}" for name in classes),
            *(f"{prefix}{name}" for name in classes),
            "Microsoft.Management.Infrastructure.CimInstance",
            "System.Object",
        ),
        properties,
        text=f'{cim_class.name}: {properties.get("Name") or ""} ({key} = "{properties[key]}")',
    )


def _wmi_object(cim_class: CimClass, properties: Properties, *, whole: bool) -> Obj:
    """An object as Get-WmiObject gives it. Dates are DMTF texts.

    Where it is not *whole*, because of -Property, the other properties are absent, and most system properties null.
    """
    converted = {name: _dmtf(value) for name, value in properties.items()}
    path = f'{cim_class.name}.{cim_class.key}="{properties.get(cim_class.key)}"'
    server = str(properties.get("CSName") or properties.get("Name") or "")
    full = rf"\\{server}\root\cimv2:{path}" if whole else None
    system = {
        "__GENUS": 2,
        "__CLASS": cim_class.name,
        "__SUPERCLASS": cim_class.bases[0] if whole else None,
        "__DYNASTY": cim_class.bases[-1] if whole else None,
        "__RELPATH": path if whole else None,
        "__PROPERTY_COUNT": len(converted),
        "__DERIVATION": list(cim_class.bases) if whole else [],
        "__SERVER": server if whole else None,
        "__NAMESPACE": r"root\cimv2" if whole else None,
        "__PATH": full,
    }
    return Obj(
        (
            rf"System.Management.ManagementObject#root\cimv2\{cim_class.name}",
            "System.Management.ManagementObject",
            "System.Management.ManagementBaseObject",
            "System.ComponentModel.Component",
            "System.MarshalByRefObject",
            "System.Object",
        ),
        {**system, **converted},
        text=full or "",
    )


def _dmtf(value: Any) -> Any:
    """A date as ``20261124192217.123456+060``: local time, then its offset from UTC in minutes."""
    if not isinstance(value, dt.datetime):
        return value
    offset = value.utcoffset() or dt.timedelta(0)
    return f"{value:%Y%m%d%H%M%S.%f}{int(offset.total_seconds()) // 60:+04d}"


GET_CIM_INSTANCE: Final = Cmdlet("Get-CimInstance", "windows", _get_cim_instance)
GET_WMI_OBJECT: Final = Cmdlet("Get-WmiObject", "windows", _get_wmi_object)
