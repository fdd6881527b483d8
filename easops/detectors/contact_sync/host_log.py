"""The ActiveSync log of one host, or of files without a server: read, and checked that it can answer at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import attrs

from easops.context import Context
from easops.detectors.contact_sync.sync import LITERALS, ContactSync, contact_syncs
from easops.detectors.detector import EndedStep, ended_on
from easops.detectors.finding import Series, Undetermined
from easops.detectors.series import series
from easops.errors import EasopsError, UnreachableHost
from easops.iis.site import eas_log_folder
from easops.inventory.host import Host
from easops.logs.eas_request import COLUMNS
from easops.logs.folder import local_logs
from easops.logs.window import LogReading, Wanted, read_files, read_window
from easops.remoting.unreachable import Unreachable

_LOG_MARK: Final = b"&Log="
_FRONT_END_MARK: Final = b"cafeReqId="
_WANTED: Final = Wanted(COLUMNS, LITERALS, (_LOG_MARK, _FRONT_END_MARK))

_NEEDED: Final = ("cs-uri-stem", "cs-uri-query", "cs-username", "time-taken")
"""The columns without which nobody can be judged: a log that lacks one of them shows no storm, however bad."""

_FRONT_END: Final = (
    "no line has a Log= value: this is the front end's log, and the mailbox calls are in the back end's log (W3SVC2)"
)


@attrs.frozen
class HostLog:
    """What the log of one host says: its contact syncs over the threshold, by the host's own clock.

    *time* is the host's clock at the reading, *start* the start of the window, *newest* the time of the newest line of
    any kind; *after* is when the step of ``after:`` ended on this host (None: there is none).
    """

    host: str
    log: LogReading
    hits: tuple[ContactSync, ...]
    time: dt.datetime
    start: dt.datetime
    newest: dt.datetime
    after: dt.datetime | None

    def over_time(self, threshold: int) -> tuple[Series, ...]:
        """How many contact syncs with a sending client ended in each minute, and their mailbox calls.

        Up to the newest line only: IIS still buffers later ones, so a later minute is not known to be empty.
        """
        sending = [hit for hit in self.hits if hit.client_sends]
        counts = [(hit.request.ended, 1) for hit in sending]
        costs = [(hit.request.ended, hit.rpc.value) for hit in sending]
        name = f"contact syncs over {threshold} RPC"
        both = (
            series(self.host, name, "requests", counts, self.start, self.newest),
            series(self.host, f"mailbox calls of {name}", "RPC", costs, self.start, self.newest),
        )
        return tuple(one for one in both if one is not None)


@attrs.frozen
class LogFiles:
    """What log files without a server say. The host of a hit is the ``s-computername`` of its line; *undetermined* are
    the files that cannot answer."""

    log: LogReading
    hits: tuple[ContactSync, ...]
    undetermined: tuple[Undetermined, ...]


def read_host_log(
    host: Host, *, since: dt.timedelta, threshold: int, after: EndedStep | None, context: Context
) -> HostLog | Undetermined | Unreachable:
    """The log of *host* from *since* ago on; with *after* from *since* before that step ended. Raises no EasopsError.

    A log that cannot answer (Exchange 2003, a front end's, needed columns not logged, no line in the window) makes the
    host undetermined: it is not the same as a log without a storm.
    """
    if host.version == "2003":
        return _undetermined(host, "the log of Exchange 2003 does not record mailbox calls; 2007 and later do")
    ended: dt.datetime | None = None
    if after is not None:
        ended = ended_on(after, host.name)
        if ended is None:
            return _undetermined(host, "the step named by after has not ended on this host")

    def start(now: dt.datetime) -> dt.datetime:
        return (now if ended is None else min(ended, now)) - since

    try:
        session = context.sessions.open(host, "windows")
        folder = eas_log_folder(session, host)
        log = read_window(session, folder, start, _WANTED)
    except UnreachableHost as error:
        return Unreachable.of(host.name, error)
    except EasopsError as error:
        return _undetermined(host, str(error))
    if log.time is None or log.start is None:
        return _undetermined(host, f"{folder} has no log; give the folder as log_folder: in the inventory")
    if log.newest is None or log.newest < log.start:
        newest = "it has no lines" if log.newest is None else f"its newest line is from {log.newest:%Y-%m-%d %H:%M:%S}"
        return _undetermined(host, f"the log in {folder} has nothing since {log.start:%H:%M:%S} UTC: {newest}")
    if _is_front_end(log):
        return _undetermined(host, f"{folder}: {_FRONT_END}")
    for name, why in _lacking_columns(log):
        return _undetermined(host, f"{name} in {folder}: {why}")
    hits = tuple(contact_syncs(host.name, log.lines, threshold))
    return HostLog(host.name, log, hits, log.time, log.start, log.newest, ended)


def read_log_files(paths: Sequence[Path | str], *, since: dt.timedelta, threshold: int) -> LogFiles:
    """Log files without a server, from *since* before their last line.

    Raises BadInput (no such file), LogFormatError.
    """
    log = read_files(local_logs(paths), lambda newest: newest - since, _WANTED)
    hits = tuple(attrs.evolve(hit, host=hit.request.server or "") for hit in contact_syncs("", log.lines, threshold))
    undetermined = [_file_undetermined(name, why) for name, why in _lacking_columns(log)]
    all_paths = ", ".join(map(str, paths))
    if log.newest is None:
        undetermined.append(_file_undetermined(all_paths, "no line has a time: there is nothing to judge"))
    elif _is_front_end(log):
        undetermined.append(_file_undetermined(all_paths, _FRONT_END))
    return LogFiles(log, hits, tuple(undetermined))


def _is_front_end(log: LogReading) -> bool:
    return _FRONT_END_MARK in log.seen and _LOG_MARK not in log.seen


def _lacking_columns(log: LogReading) -> list[tuple[str, str]]:
    """The files that do not log what judging needs, each with the reason."""
    files: list[tuple[str, str]] = []
    for name, lacking in log.lacking:
        needed = [column for column in lacking if column in _NEEDED]
        if needed:
            files.append((name, f"{', '.join(needed)} is not logged; select it in the log fields of the site in IIS"))
    return files


def _undetermined(host: Host, why: str) -> Undetermined:
    return Undetermined("host", host.name, why, True, host.name)


def _file_undetermined(file: str, why: str) -> Undetermined:
    return Undetermined("file", file, why, True)
