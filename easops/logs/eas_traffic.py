"""The ActiveSync requests of the last minutes or hours, from the logs of a server or from local files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import attrs

from easops.logs.eas_request import COLUMNS, EasRequest, read_request
from easops.logs.folder import local_logs
from easops.logs.window import LogReading, Wanted, read_files, read_window
from easops.remoting.session import Session

_WANTED: Final = Wanted(COLUMNS)


@attrs.frozen
class EasTraffic:
    """ActiveSync *requests*, in the order in which they ended.

    *reading* says what was read: the window, the server's clock, the files, damaged lines, columns that are not logged.
    """

    requests: tuple[EasRequest, ...]
    reading: LogReading = attrs.field(repr=False)


def read_eas_traffic(session: Session, folder: str, since: dt.timedelta) -> EasTraffic:
    """The requests on a server that ended within the time *since*, by the server's clock (windows endpoint).

    Older lines are not transferred. From an empty folder there are no requests, and a reading whose ``time`` is None.

    Args:
        session: to the ``windows`` endpoint.
        folder: a Windows path, for instance from ``easops.iis.eas_log_folder``.
        since: how far back to read.

    Raises:
        CommandFailed: there is no such folder, or a file cannot be opened.
        LogFormatError: a file is not a W3C log.
        UnreachableHost, OutcomeUnknown, UnexpectedAnswer: as any reading.

    Source: W3C logs of IIS; times are UTC.
    """
    return _traffic(read_window(session, folder, lambda now: now - since, _WANTED))


def read_eas_files(paths: Sequence[Path | str], since: dt.timedelta) -> EasTraffic:
    """The requests in local log files that ended within the time *since*, counted back from the last line of all files.

    Args:
        paths: files, folders (all ``*.log`` in and below them) and patterns.
        since: how far back to read.

    Raises:
        BadInput: a path does not exist, has no logs, or is compressed.
        LogFormatError: a file is not a W3C log.
    """
    return _traffic(read_files(local_logs(paths), lambda newest: newest - since, _WANTED))


def _traffic(reading: LogReading) -> EasTraffic:
    requests = [request for line in reading.lines if (request := read_request(line.row)) is not None]
    return EasTraffic(tuple(sorted(requests, key=lambda request: request.ended)), reading)
