"""The ActiveSync requests of a log, from the last minutes or hours: of a server, or of files without one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import attrs

from easops.logs.eas_request import COLUMNS, EasRequest, read_request
from easops.logs.source import local_logs
from easops.logs.window import LogReading, Wanted, read_files, read_window
from easops.remoting.session import Session

_WANTED: Final = Wanted(COLUMNS)


@attrs.frozen
class EasTraffic:
    """ActiveSync requests in the order of their ends. *reading* says what was read for it: the window, the server's
    clock, the files, damaged lines, columns that are not logged."""

    requests: tuple[EasRequest, ...]
    reading: LogReading = attrs.field(repr=False)


def read_eas_traffic(session: Session, folder: str, since: dt.timedelta) -> EasTraffic:
    """The requests that ended within *since* by the server's clock (windows endpoint); older lines are not sent over.

    Args:
        session: to the ``windows`` endpoint.
        folder: as ``easops.iis.eas_log_folder`` gives it, a Windows path.
        since: how far back.

    Raises:
        CommandFailed: no such folder, or a file cannot be opened.
        LogFormatError: a file is no W3C log.
        UnreachableHost, OutcomeUnknown, UnexpectedAnswer: as any reading.

    Source: W3C logs of IIS; times are UTC. An empty folder gives none, and a reading whose ``time`` is None.
    """
    return _traffic(read_window(session, folder, lambda now: now - since, _WANTED))


def read_eas_files(paths: Sequence[Path | str], since: dt.timedelta) -> EasTraffic:
    """The requests in log files of this machine that ended within *since*, counted back from the last line of all.

    Args:
        paths: files, folders (each ``*.log`` below them) and patterns.
        since: how far back.

    Raises:
        BadInput: a path is not there, holds no log, or is compressed.
        LogFormatError: a file is no W3C log.
    """
    return _traffic(read_files(local_logs(paths), lambda newest: newest - since, _WANTED))


def _traffic(reading: LogReading) -> EasTraffic:
    requests = [request for line in reading.lines if (request := read_request(line.row)) is not None]
    return EasTraffic(tuple(sorted(requests, key=lambda request: request.ended)), reading)
