"""Web sites and where their logs are."""

from __future__ import annotations

import re
from typing import Final

import attrs

from easops.errors import UnexpectedAnswer
from easops.iis.appcmd import list_elements, run_appcmd
from easops.iis.web_administration import read_with_module
from easops.inventory.host import Host
from easops.remoting.command import Command
from easops.remoting.result import RemoteObject, Result
from easops.remoting.session import Session
from easops.remoting.wmi import Query, read_instances

_VARIABLE = re.compile(r"%([^%\\]+)%")
_SYSTEM: Final = Query("Win32_OperatingSystem", ("SystemDrive", "WindowsDirectory"))


@attrs.frozen
class Site:
    """One web site. *id* names its log folder, ``W3SVC<id>``; *state* is Started or Stopped."""

    id: int
    name: str
    state: str


def list_sites(session: Session) -> tuple[Site, ...]:
    """The web sites of the server, by id (windows endpoint).

    Source: Get-Website, WebAdministration; appcmd list site where that is missing.
    """
    answer = read_with_module(session, Command("Get-Website", reads=True))
    if answer is None:
        held = list_elements(session, "site")
        sites = [_site(item.get("SITE.ID"), item.get("SITE.NAME"), item.get("state"), item) for item in held]
    else:
        sites = [
            _site(item.get("Id"), item.get("Name"), item.get("State"), item)
            for item in answer.objects()
            if item.get("Id") is not None
        ]
    return tuple(sorted(sites, key=lambda site: site.id))


def log_folder(session: Session, site_id: int) -> str:
    """The folder that holds the site's log files, ``W3SVC<id>`` included, as a Windows path.

    Raises UnreachableHost, CommandFailed, OutcomeUnknown, UnexpectedAnswer (e.g. an unknown %VARIABLE% in the path).
    Source: the site's logFile.directory; %SystemDrive% is resolved with Win32_OperatingSystem.
    """
    read = {
        "PSPath": "MACHINE/WEBROOT/APPHOST",
        "Filter": f"/system.applicationHost/sites/site[@id='{site_id:d}']/logFile",
        "Name": "directory",
    }
    answer = read_with_module(session, Command("Get-WebConfigurationProperty", read, reads=True))
    told: object
    if answer is None:
        told = lines = run_appcmd(session, "list", "site", f"/id:{site_id:d}", "/text:logFile.directory", reads=True)
        folder = lines[0] if len(lines) == 1 else None
    else:
        told, folder = answer.output, _directory(answer)
    if not folder:
        raise UnexpectedAnswer(
            f"{session.host}: the log folder of site {site_id} cannot be read",
            repr(told)[:200],
            "write log_folder: at the host in the inventory",
        )
    return f"{_expanded(session, folder)}\\W3SVC{site_id}"


def eas_log_folder(session: Session, host: Host) -> str:
    """The folder with the IIS log that holds each ActiveSync request once with its ``Log=``, as a Windows path: what
    the inventory says, else what IIS says of the back end's site (2; on 2010 and older 1). Raises as ``log_folder``."""
    return host.log_folder or log_folder(session, host.eas_site)


def _site(number: object, name: object, state: object, item: object) -> Site:
    if not str(number).isdigit() or not isinstance(name, str):
        raise UnexpectedAnswer("a web site has no id or no name", repr(item)[:200], "report it")
    return Site(int(str(number)), name, str(state))


def _directory(answer: Result) -> str | None:
    for item in answer.output:
        if isinstance(item, str):
            return item
        if isinstance(item, RemoteObject) and isinstance(item.get("Value"), str):
            return str(item.get("Value"))
    return None


def _expanded(session: Session, folder: str) -> str:
    if "%" not in folder:
        return folder.rstrip("\\")
    system = next(iter(read_instances(session, _SYSTEM).objects("Win32_OperatingSystem")), None)
    known = {} if system is None else {
        "systemdrive": system.get("SystemDrive"),
        "systemroot": system.get("WindowsDirectory"),
        "windir": system.get("WindowsDirectory"),
    }  # fmt: skip

    def value(found: re.Match[str]) -> str:
        text = known.get(found.group(1).lower())
        if not isinstance(text, str):
            raise UnexpectedAnswer(
                f"{session.host}: the log folder {folder!r} holds an unknown variable",
                f"%{found.group(1)}% is not known here",
                "write log_folder: at the host in the inventory",
            )
        return text

    return _VARIABLE.sub(value, folder).rstrip("\\")
