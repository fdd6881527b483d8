"""Instances of WMI classes, read with the cmdlet that the server has.

That is Get-CimInstance, or on PowerShell 2.0 Get-WmiObject. Only the second one reports dates as text.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

import attrs

from easops.errors import CommandFailed
from easops.remoting.command import Command, Pipeline
from easops.remoting.result import Result, Value
from easops.remoting.session import Session

_CIM: Final = "Get-CimInstance"
_WMI: Final = "Get-WmiObject"
_DMTF = re.compile(r"(\d{14})\.(\d{6})([+-]\d{3})$")


@attrs.frozen
class Query:
    """The *properties* to read of a class of ``root\\cimv2``: of all its instances, or of those that match *where* (a
    WQL condition)."""

    class_name: str
    properties: tuple[str, ...]
    where: str | None = None

    def command(self, cmdlet: str) -> Command:
        """The query as a call of *cmdlet*: the two cmdlets name the parameter of the class differently."""
        class_parameter = "ClassName" if cmdlet == _CIM else "Class"
        parameters = {class_parameter: self.class_name, "Property": list(self.properties)}
        return Command(cmdlet, {**parameters, **({"Filter": self.where} if self.where else {})}, reads=True)


def read_instances(session: Session, *queries: Query) -> Result:
    """The instances of all *queries*, in one call. ``Result.objects(CLASS)`` are those of one class.

    Raises UnreachableHost, CommandFailed, OutcomeUnknown.
    Source: Get-CimInstance (Windows Server 2012 and later), Get-WmiObject (PowerShell 2.0 to 5.1).
    """
    if _CIM not in session.lacks:
        try:
            return session.invoke(Pipeline.of(*(query.command(_CIM) for query in queries)))
        except CommandFailed as error:
            if not error.lacks(_CIM):
                raise
            session.lacks.add(_CIM)
    return session.invoke(Pipeline.of(*(query.command(_WMI) for query in queries)))


def read_moment(value: Value) -> dt.datetime | None:
    """A date of an instance, aware and in UTC; None for a value that is not a date.

    Get-CimInstance returns a date, Get-WmiObject a text of DMTF's form: ``20261124192217.123456+060``, which ends with
    the minutes east of UTC.
    """
    if isinstance(value, dt.datetime):
        return value
    match = _DMTF.match(value) if isinstance(value, str) else None
    if match is None:
        return None
    seconds, fraction, east = match.groups()
    try:
        local = dt.datetime.strptime(seconds, "%Y%m%d%H%M%S").replace(microsecond=int(fraction))
        return local.replace(tzinfo=dt.timezone(dt.timedelta(minutes=int(east)))).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
