"""Cmdlets of PowerShell itself: Get-ChildItem, Import-Module, Get-Date."""

from __future__ import annotations

import datetime as dt
import fnmatch
from collections.abc import Iterable, Iterator
from pathlib import PureWindowsPath
from typing import Any, Final

from easops.lab.cmdlet import Call, Cmdlet
from easops.lab.cmdlets.errors import not_simulated, path_not_found
from easops.lab.cmdlets.iis import pool_items
from easops.lab.cmdlets.parameters import parameters_of
from easops.lab.value import I64, CmdletFailed, Enum, ErrorInfo, NonTerminating, Obj
from easops.lab.world import World

_MODULES: Final = frozenset({"cimcmdlets", "microsoft.powershell.management"})
"""Modules of Windows Server 2012 and later. PowerShell 2.0 has some of their cmdlets, without a module."""


def _get_child_item(world: World, call: Call) -> Iterable[Any]:
    parameters = parameters_of(call, "Path", "LiteralPath", "Filter", "File", "Name")
    paths = parameters.get("LiteralPath", parameters.get("Path"))
    if paths is None:
        raise not_simulated(call, "the current location; name a path")
    world.flush()
    for path in paths if isinstance(paths, list | tuple) else [paths]:
        pools = pool_items(world, call, str(path))
        if pools is not None:
            yield from pools
            continue
        yield from _files(world, call, str(path), str(parameters.get("Filter", "*")), bool(parameters.get("Name")))


def _files(world: World, call: Call, path: str, pattern: str, names: bool) -> Iterator[Any]:
    server = world.servers[call.server]
    windows = PureWindowsPath(path)
    if not windows.drive or "*" in path or "?" in path:
        raise not_simulated(call, f"the path {path!r}; it knows whole paths without wildcards")
    file = server.disk.file(path)
    files = server.disk.files(path) if file is None else (file,)
    if files is None:
        yield NonTerminating(path_not_found(call, path).error)
        return
    logs = {PureWindowsPath(log.folder): log for log in server.logs.values()}
    for item in files:  # folders are left out: the lab's disks have no tree that is worth listing
        if not fnmatch.fnmatch(item.name.lower(), pattern.lower()):
            continue
        full = windows if file is not None else windows / item.name
        if names:
            yield item.name
            continue
        log = logs.get(full.parent)
        written = world.local(log.last_write(item.name) if log is not None else world.start)
        yield Obj(
            ("System.IO.FileInfo", "System.IO.FileSystemInfo", "System.MarshalByRefObject", "System.Object"),
            {
                "Name": item.name,
                "FullName": str(full),
                "Length": I64(item.size),
                "DirectoryName": str(full.parent),
                "Extension": full.suffix,
                "Exists": True,
                "IsReadOnly": False,
                "Attributes": Enum("System.IO.FileAttributes", "Archive", 32),
                "LastWriteTime": written,
                "LastWriteTimeUtc": written.astimezone(dt.UTC),
                "LastAccessTimeUtc": written.astimezone(dt.UTC),
            },
            {
                "PSPath": f"Microsoft.PowerShell.Core\\FileSystem::{full}",
                "PSChildName": item.name,
                "PSIsContainer": False,
            },
            str(full),
        )


def _import_module(world: World, call: Call) -> Iterable[Any]:
    names = parameters_of(call, "Name", "DisableNameChecking").get("Name", ())
    server = world.servers[call.server]
    known = set(_MODULES) if server.product.windows.powershell != "2.0" else set()
    if server.web_administration:
        known.add("webadministration")
    for name in names if isinstance(names, list | tuple) else [names]:
        if str(name).lower() not in known:
            yield NonTerminating(
                ErrorInfo(
                    f"The specified module '{name}' was not loaded because no valid module file was found in any "
                    "module directory.",
                    "System.IO.FileNotFoundException",
                    "Modules_ModuleNotFound,Microsoft.PowerShell.Commands.ImportModuleCommand",
                    "ResourceUnavailable",
                    activity="Import-Module",
                    target=str(name),
                )
            )


def _get_date(world: World, call: Call) -> Iterable[Any]:
    parameters = parameters_of(call, "Format")
    moment = world.local(world.moment)
    if "Format" not in parameters:
        return [moment]
    if str(parameters["Format"]) != "o":
        raise CmdletFailed(not_simulated(call, f"the format {parameters['Format']!r}; it knows o").error)
    return [moment.isoformat(timespec="microseconds").replace("+", "0+", 1)]  # seven digits of a second


GET_CHILD_ITEM: Final = Cmdlet("Get-ChildItem", "windows", _get_child_item)
IMPORT_MODULE: Final = Cmdlet("Import-Module", "windows", _import_module)
GET_DATE: Final = Cmdlet("Get-Date", "windows", _get_date)
