"""Web sites and where their logs are."""

from __future__ import annotations

import re

import attrs

from easops.errors import UnexpectedAnswer
from easops.remoting.command import Command, Pipeline
from easops.remoting.result import RemoteObject, Result
from easops.remoting.session import Session

_IMPORT = Command("Import-Module", {"Name": "WebAdministration"}, reads=True)
_VARIABLE = re.compile(r"%([^%\\]+)%")


@attrs.frozen
class Site:
    """One web site. *id* names its log folder, ``W3SVC<id>``; *state* is Started or Stopped."""

    id: int
    name: str
    state: str


def list_sites(session: Session) -> tuple[Site, ...]:
    """The web sites of the server, by id (windows endpoint). Source: Get-Website, WebAdministration."""
    answer = session.invoke(Pipeline.of(_IMPORT, Command("Get-Website", reads=True)))
    sites = (
        Site(int(item.get("Id")), str(item.get("Name")), str(item.get("State")))
        for item in answer.objects()
        if isinstance(item.get("Id"), int)
    )
    return tuple(sorted(sites, key=lambda site: site.id))


def log_folder(session: Session, site_id: int) -> str:
    """The folder that holds the site's log files, ``W3SVC<id>`` included, as a Windows path.

    Raises UnreachableHost, CommandFailed, OutcomeUnknown, UnexpectedAnswer (e.g. an unknown %VARIABLE% in the path).
    Source: the site's logFile.directory; %SystemDrive% is resolved with Win32_OperatingSystem.
    """
    answer = session.invoke(
        Pipeline.of(
            _IMPORT,
            Command(
                "Get-WebConfigurationProperty",
                {
                    "PSPath": "MACHINE/WEBROOT/APPHOST",
                    "Filter": f"/system.applicationHost/sites/site[@id='{site_id:d}']/logFile",
                    "Name": "directory",
                },
                reads=True,
            ),
            Command(
                "Get-CimInstance",
                {"ClassName": "Win32_OperatingSystem", "Property": ["SystemDrive", "WindowsDirectory"]},
                reads=True,
            ),
        )
    )
    folder = _directory(answer)
    if folder is None:
        raise UnexpectedAnswer(
            f"{session.host}: the log folder of site {site_id} cannot be read",
            repr(answer.output)[:200],
            "write log_folder: at the host in the inventory",
        )
    return f"{_expanded(session, folder, answer)}\\W3SVC{site_id}"


def _directory(answer: Result) -> str | None:
    for item in answer.output:
        if isinstance(item, str):
            return item
        if isinstance(item, RemoteObject) and isinstance(item.get("Value"), str):
            return str(item.get("Value"))
    return None


def _expanded(session: Session, folder: str, answer: Result) -> str:
    system = next(iter(answer.objects("Win32_OperatingSystem")), None)
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
