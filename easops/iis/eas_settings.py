"""Settings of the ActiveSync application of a server."""

from __future__ import annotations

import datetime as dt
from typing import Final

from easops.errors import CommandFailed
from easops.iis.web_administration import read_with_module
from easops.remoting.command import Command
from easops.remoting.result import RemoteObject
from easops.remoting.session import Session

_LONGEST: Final = 7 * 86_400
"""Seconds; a larger value is no heartbeat."""


def max_heartbeat(session: Session, application: str) -> dt.timedelta | None:
    """How long the server lets a request of ActiveSync wait for changes (windows endpoint); None if it does not say:
    it lacks the WebAdministration module, or the setting.

    Args:
        session: to the ``windows`` endpoint.
        application: ``Exchange Back End/Microsoft-Server-ActiveSync``; on 2010 and older that of the Default Web Site.

    Raises UnreachableHost, OutcomeUnknown.
    Source: MaxHeartbeatInterval, in seconds, in the appSettings of the application's web.config (2007 and later).
    """
    parameters = {
        "PSPath": f"MACHINE/WEBROOT/APPHOST/{application}",
        "Filter": "/appSettings/add[@key='MaxHeartbeatInterval']",
        "Name": "value",
    }
    try:
        answer = read_with_module(session, Command("Get-WebConfigurationProperty", parameters, reads=True))
    except CommandFailed:
        return None
    for item in () if answer is None else answer.output:
        value = item.get("Value") if isinstance(item, RemoteObject) else item
        text = str(value).strip()
        if text.isascii() and text.isdigit() and 0 < int(text[:10]) <= _LONGEST:
            return dt.timedelta(seconds=int(text))
    return None
