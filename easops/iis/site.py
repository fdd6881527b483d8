"""Web sites and where their logs are."""

from __future__ import annotations

import re
from typing import Final

import attrs

from easops.errors import CommandFailed, UnexpectedAnswer
from easops.iis.appcmd import list_elements, run_appcmd
from easops.iis.web_administration import read_with_module
from easops.inventory.host import Host
from easops.remoting.command import Command
from easops.remoting.result import RemoteObject, Result
from easops.remoting.session import Session
from easops.remoting.wmi import Query, read_instances

_BACK_END: Final = "exchange back end"
_VARIABLE = re.compile(r"%([^%\\]+)%")
_SYSTEM: Final = Query("Win32_OperatingSystem", ("SystemDrive", "WindowsDirectory"))


@attrs.frozen
class Site:
    """One web site: its *name*, its *state* (Started or Stopped; Unknown if it cannot be read), and its *id*, which is
    in the name of its log folder, ``W3SVC<id>``."""

    id: int
    name: str
    state: str


def list_sites(session: Session) -> tuple[Site, ...]:
    """The web sites of the server, in the order of their ids (windows endpoint).

    Raises UnreachableHost, CommandFailed, OutcomeUnknown, UnexpectedAnswer.
    Source: Get-Website, WebAdministration; appcmd list site if the server does not have it.
    """
    answer = read_with_module(session, Command("Get-Website", reads=True))
    if answer is None:
        elements = list_elements(session, "site")
        sites = [_site(one.get("SITE.ID"), one.get("SITE.NAME"), one.get("state"), one) for one in elements]
    else:
        sites = [
            _site(item.get("Id"), item.get("Name"), item.get("State"), item)
            for item in answer.objects()
            if item.get("Id") is not None
        ]
    return tuple(sorted(sites, key=lambda site: site.id))


def log_folder(session: Session, site_id: int) -> str:
    """The folder of the log files of a site, as a Windows path that ends with ``W3SVC<id>`` (windows endpoint).

    Raises:
        UnexpectedAnswer: for instance because of an unknown %VARIABLE% in the path.
        UnreachableHost, CommandFailed, OutcomeUnknown: as any reading.

    Source: the site's logFile.directory; %SystemDrive% is resolved with Win32_OperatingSystem.
    """
    parameters = {
        "PSPath": "MACHINE/WEBROOT/APPHOST",
        "Filter": f"/system.applicationHost/sites/site[@id='{site_id:d}']/logFile",
        "Name": "directory",
    }
    answer = read_with_module(session, Command("Get-WebConfigurationProperty", parameters, reads=True))
    output: object
    if answer is None:
        output = lines = run_appcmd(session, "list", "site", f"/id:{site_id:d}", "/text:logFile.directory", reads=True)
        folder = lines[0] if len(lines) == 1 else None
    else:
        output, folder = answer.output, _directory(answer)
    if not folder:
        raise UnexpectedAnswer(
            f"{session.host}: the log folder of site {site_id} cannot be read",
            repr(output)[:200],
            "write log_folder: at the host in the inventory",
        )
    return f"{_expanded(session, folder)}\\W3SVC{site_id}"


def eas_log_folder(session: Session, host: Host) -> str:
    """The folder of the IIS logs that have each ActiveSync request once, with its ``Log=``, as a Windows path (windows
    endpoint).

    It is *host*'s ``log_folder`` in the inventory, or else what IIS reports for the site of the back end: the one that
    is called so, or else site 2; on 2010 and older it is site 1. Raises as ``log_folder``.
    """
    return host.log_folder or log_folder(session, eas_site(session, host))


def eas_site(session: Session, host: Host) -> int:
    """The id of the site whose log has each ActiveSync request once. Setup gives the back end the id 2, but a site that
    somebody else had made before has it then.

    Raises UnreachableHost, OutcomeUnknown.
    """
    if host.eas_site == 1:
        return 1
    try:
        sites = list_sites(session)
    except (CommandFailed, UnexpectedAnswer):
        return host.eas_site
    named = (site.id for site in sites if site.name.lower() == _BACK_END)
    return next(named, host.eas_site)


def _site(number: object, name: object, state: object, item: object) -> Site:
    if not str(number).isdigit() or not isinstance(name, str):
        raise UnexpectedAnswer("a web site has no id or no name", repr(item)[:200])
    return Site(int(str(number)), name, "Unknown" if state is None else str(state))


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

    def value(match: re.Match[str]) -> str:
        text = known.get(match.group(1).lower())
        if not isinstance(text, str):
            raise UnexpectedAnswer(
                f"{session.host}: the log folder {folder!r} contains an unknown variable",
                f"easops cannot resolve %{match.group(1)}%",
                "write log_folder: at the host in the inventory",
            )
        return text

    return _VARIABLE.sub(value, folder).rstrip("\\")
