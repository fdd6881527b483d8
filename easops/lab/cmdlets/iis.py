"""The WebAdministration module: sites, pools, their settings, and a recycle."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from easops.lab.cmdlet import Call, Cmdlet
from easops.lab.cmdlets.errors import not_simulated, path_not_found
from easops.lab.cmdlets.parameters import parameters_of
from easops.lab.value import I64, CmdletFailed, ErrorInfo, Obj
from easops.lab.world import World
from easops.lab.world.host import SHUTDOWN_TIME_LIMIT, Pool, Server

_ELEMENT: Final = "Microsoft.IIs.PowerShell.Framework.ConfigurationElement"
_ATTRIBUTE: Final = (
    "Microsoft.IIs.PowerShell.Framework.ConfigurationAttribute",
    "System.Object",
)
_APPHOST: Final = "MACHINE/WEBROOT/APPHOST"
_LOG_FOLDER: Final = r"%SystemDrive%\inetpub\logs\LogFiles"
_FRONT_ROOT: Final = r"%SystemDrive%\inetpub\wwwroot"
_MAX_HEARTBEAT: Final = re.compile(r"/?appSettings/add\[@key='MaxHeartbeatInterval'\]")
_EAS_APPLICATION: Final = "/Microsoft-Server-ActiveSync"
_SITE: Final = re.compile(
    r"/?system\.applicationHost/sites/site\[@(id|name)=(?:'([^']*)'|\"([^\"]*)\"|(\d+))\](?:/(logFile))?", re.IGNORECASE
)
_POOL: Final = re.compile(
    r"/?system\.applicationHost/applicationPools/add\[@name=(?:'([^']*)'|\"([^\"]*)\")\](?:/([\w/]+))?", re.IGNORECASE
)
_DRIVE: Final = re.compile(r"IIS:[\\/]AppPools(?:[\\/]([^\\/]+))?[\\/]?", re.IGNORECASE)


def site_settings(server: Server, site: int) -> dict[str, Any]:
    """The settings of a site, by their dotted names."""
    return {
        "id": I64(site),
        "name": server.product.sites[site],
        "logFile.directory": _LOG_FOLDER,
        "logFile.enabled": True,
        "logFile.period": "Daily",
        "logFile.logFormat": "W3C",
        "logFile.localTimeRollover": False,
    }


def pool_settings(server: Server, pool: Pool) -> dict[str, Any]:
    """The settings of a pool, by their dotted names, as captured from 2016 servers: no idle time-out, no pinging, no
    periodic restart."""
    return {
        "name": pool.name,
        "queueLength": I64(1000),
        "autoStart": True,
        "managedRuntimeVersion": server.product.clr,
        "managedPipelineMode": "Integrated",
        "state": "Started" if pool.started else "Stopped",
        "processModel.identityType": "LocalSystem",
        "processModel.idleTimeout": dt.timedelta(0),
        "processModel.pingingEnabled": False,
        "processModel.shutdownTimeLimit": dt.timedelta(seconds=SHUTDOWN_TIME_LIMIT),
        "processModel.startupTimeLimit": dt.timedelta(seconds=90),
        "recycling.periodicRestart.time": dt.timedelta(0),
        "recycling.periodicRestart.memory": I64(0),
        "recycling.periodicRestart.privateMemory": I64(0),
        "recycling.periodicRestart.requests": I64(0),
        "recycling.disallowOverlappingRotation": False,
        "failure.rapidFailProtection": False,
    }


def _pool_object(server: Server, pool: Pool) -> Obj:
    settings = pool_settings(server, pool)
    notes = {name: value for name, value in settings.items() if "." not in name}
    notes |= {
        "PSPath": rf"WebAdministration::\\AMS\AppPools\{pool.name}",
        "PSParentPath": r"WebAdministration::\\AMS\AppPools",
        "PSChildName": pool.name,
        "PSIsContainer": True,
        "ItemXPath": f"/system.applicationHost/applicationPools/add[@name='{pool.name}']",
    }
    return Obj((f"{_ELEMENT}#add", f"{_ELEMENT}#applicationPools#add", _ELEMENT, "System.Object"), {}, notes, _ELEMENT)


def _attribute(name: str, value: Any, path: str) -> Obj:
    kind = {bool: "System.Boolean", dt.timedelta: "System.TimeSpan", str: "System.String"}.get(
        type(value), "System.Int64"
    )
    return Obj(
        _ATTRIBUTE,
        {"Name": name.rpartition(".")[2], "Value": value, "TypeName": kind, "IsInheritedFromDefaultValue": False},
        {"ItemXPath": path, "PSPath": _APPHOST},
        _ATTRIBUTE[0],
    )


def _texts(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list | tuple) else [str(value)]


def pool_items(world: World, call: Call, path: str) -> Iterator[Obj] | None:
    """What ``Get-ChildItem IIS:\\AppPools`` lists; None where *path* is not on that drive. Raises CmdletFailed."""
    found = _DRIVE.fullmatch(path)
    if found is None:
        return None
    if found.group(1):
        raise not_simulated(call, f"the items of {path}")
    server = world.servers[call.server]
    pools = sorted(server.pools.values(), key=lambda pool: pool.name.lower())
    return (_pool_object(server, pool) for pool in pools)


def _find_pool(world: World, call: Call, name: str) -> Pool | None:
    return world.servers[call.server].pools.get(name.lower())


def _get_website(world: World, call: Call) -> Iterable[Any]:
    parameters = parameters_of(call, "Name")
    wanted = str(parameters["Name"]).lower() if "Name" in parameters else None
    product = world.servers[call.server].product
    for site, name in product.sites.items():
        if wanted in (None, name.lower()):
            settings = {"directory": _LOG_FOLDER, "enabled": True, "period": "Daily", "logFormat": "W3C"}
            log = Obj((f"{_ELEMENT}#site#logFile", _ELEMENT, "System.Object"), {}, settings, _ELEMENT)
            yield Obj(
                ("System.Management.Automation.PSCustomObject", "System.Object"),
                {},
                {
                    "Name": name,
                    "Id": I64(site),
                    "State": "Started",
                    "LogFile": log,
                    "ApplicationPool": "DefaultAppPool",
                    "EnabledProtocols": "http",
                    "PhysicalPath": _FRONT_ROOT if site == 1 else rf"{product.install}\ClientAccess",
                },
            )


def _get_web_configuration_property(world: World, call: Call) -> Iterable[Any]:
    parameters = parameters_of(call, "PSPath", "Filter", "Name")
    for path in _texts(parameters.get("PSPath", _APPHOST)):
        if path.endswith(_EAS_APPLICATION) and _MAX_HEARTBEAT.fullmatch(str(parameters.get("Filter", ""))):
            yield _attribute("value", str(world.servers[call.server].max_heartbeat), "MaxHeartbeatInterval")
            return
        if path.rstrip("/").upper() not in (_APPHOST, "IIS:", "IIS:\\"):
            raise not_simulated(call, f"configuration at {path}")
    for filtered in _texts(parameters.get("Filter", "")):
        for name in _texts(parameters.get("Name", "")):
            yield from _property(world, call, filtered, name)


def _property(world: World, call: Call, filtered: str, name: str) -> Iterator[Any]:
    site, pool = _SITE.fullmatch(filtered), _POOL.fullmatch(filtered)
    if site is not None:
        wanted = next(part for part in site.group(2, 3, 4) if part is not None)
        by = "id" if site.group(1).lower() == "id" else "name"
        sites = world.servers[call.server].product.sites
        numbers = [n for n, text in sites.items() if (str(n) if by == "id" else text.lower()) == wanted.lower()]
        if not numbers:
            return  # an element that does not exist is no error: there is no output
        settings, prefix = site_settings(world.servers[call.server], numbers[0]), "logFile." if site.group(5) else ""
    elif pool is not None:
        found = _find_pool(world, call, next(part for part in pool.group(1, 2) if part is not None))
        if found is None:
            return
        settings = pool_settings(world.servers[call.server], found)
        prefix = (pool.group(3) or "").replace("/", ".") + ("." if pool.group(3) else "")
    else:
        raise not_simulated(call, f"the configuration section {filtered}")
    known = {key.lower(): key for key in settings}
    full = (prefix + name).lower()
    if full not in known:
        raise not_simulated(call, f"the property {name} of {filtered}")
    yield _attribute(known[full], settings[known[full]], filtered)


def _get_item_property(world: World, call: Call) -> Iterable[Any]:
    parameters = parameters_of(call, "Path", "LiteralPath", "Name")
    server = world.servers[call.server]
    for path in _texts(parameters.get("LiteralPath", parameters.get("Path", ""))):
        found = _DRIVE.fullmatch(path)
        if found is None or not found.group(1):
            raise not_simulated(call, f"the properties of {path}")
        pool = _find_pool(world, call, found.group(1))
        if pool is None:
            raise path_not_found(call, path)
        if "Name" not in parameters:
            yield _pool_object(server, pool)
            continue
        settings = pool_settings(server, pool)
        known = {key.lower(): key for key in settings}
        for name in _texts(parameters["Name"]):
            if name.lower() not in known:
                raise not_simulated(call, f"the property {name} of {path}")
            yield _attribute(known[name.lower()], settings[known[name.lower()]], path)


def _get_web_app_pool_state(world: World, call: Call) -> Iterable[Any]:
    parameters = parameters_of(call, "Name")
    pools = list(world.servers[call.server].pools.values())
    if "Name" in parameters:
        pool = _find_pool(world, call, str(parameters["Name"]))
        if pool is None:
            raise _no_pool(call, str(parameters["Name"]))
        pools = [pool]
    for pool in pools:
        yield Obj(
            ("Microsoft.IIs.PowerShell.Framework.CodeProperty", "System.Object"),
            {},
            {"Value": "Started" if pool.started else "Stopped", "ItemXPath": f"add[@name='{pool.name}']"},
            "Started" if pool.started else "Stopped",
        )


def _no_pool(call: Call, name: str) -> CmdletFailed:
    cmdlet = {"Restart-WebAppPool": "RestartAppPoolCommand", "Get-WebAppPoolState": "GetAppPoolStateCommand"}[
        call.cmdlet
    ]
    return CmdletFailed(
        ErrorInfo(
            f"Cannot find path 'IIS:\\AppPools\\{name}' because it does not exist."
            if call.cmdlet != "Restart-WebAppPool"
            else f"The object '/system.applicationHost/applicationPools/add[@name='{name}']' is not found.\r\n"
            "Parameter name: name",
            "System.ArgumentException",
            f"InvalidApplicationPoolName,Microsoft.IIs.PowerShell.Provider.{cmdlet}",
            "InvalidArgument",
            activity=call.cmdlet,
            target=name,
        )
    )


def _restart_web_app_pool(world: World, call: Call) -> Iterable[Any]:
    name = str(parameters_of(call, "Name")["Name"])
    server = world.servers[call.server]
    pool = _find_pool(world, call, name)
    if pool is None:
        raise _no_pool(call, name)
    if not pool.started:
        raise CmdletFailed(
            ErrorInfo(
                f"You have to start stopped object before restarting it '{pool.name}'.",
                "System.InvalidOperationException",
                "InvalidOperation,Microsoft.IIs.PowerShell.Provider.RestartAppPoolCommand",
                "InvalidOperation",
                activity=call.cmdlet,
                target=pool.name,
            )
        )
    world.recycle(server, pool)
    return ()


GET_WEBSITE: Final = Cmdlet("Get-Website", "windows", _get_website)
GET_WEB_CONFIGURATION_PROPERTY: Final = Cmdlet(
    "Get-WebConfigurationProperty", "windows", _get_web_configuration_property
)
GET_ITEM_PROPERTY: Final = Cmdlet("Get-ItemProperty", "windows", _get_item_property)
GET_WEB_APP_POOL_STATE: Final = Cmdlet("Get-WebAppPoolState", "windows", _get_web_app_pool_state)
RESTART_WEB_APP_POOL: Final = Cmdlet("Restart-WebAppPool", "windows", _restart_web_app_pool, changes=True)
