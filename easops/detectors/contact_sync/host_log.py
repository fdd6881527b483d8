"""The ActiveSync log of one host, or of files without a server: read, and checked that it can answer at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import attrs

from easops.context import Context
from easops.detectors.contact_sync.criteria import Criteria
from easops.detectors.contact_sync.evidence import counted
from easops.detectors.contact_sync.other_floods import OTHER_LITERALS
from easops.detectors.contact_sync.suspicion import counts
from easops.detectors.contact_sync.sync import LITERALS, ContactSync, Source, contact_syncs, requests_of
from easops.detectors.detector import EndedStep, has_ended_on
from easops.detectors.finding import Looked, Series, Undetermined
from easops.detectors.series import series
from easops.errors import EasopsError, LogFormatError, UnreachableHost
from easops.iis.site import eas_log_folder
from easops.inventory.host import Host
from easops.logs.eas_request import COLUMNS, EasRequest
from easops.logs.folder import local_logs, packed_logs, series_of
from easops.logs.window import LogLine, LogReading, Wanted, newest_line, read_files, read_window
from easops.remoting.unreachable import Unreachable

_EAS_MARKS: Final = (b"/Microsoft-Server-ActiveSync", b"/microsoft-server-activesync")
_LOG_MARK: Final = b"&Log="
_FRONT_END_MARK: Final = b"cafeReqId="
_RPC_MARKS: Final = (b"_RpcC", b"ActivityContextData:")
_WANTED: Final = Wanted(
    COLUMNS, (*LITERALS, *OTHER_LITERALS), (*_EAS_MARKS, _LOG_MARK, _FRONT_END_MARK, *_RPC_MARKS), outside=LITERALS
)

_NEEDED: Final = ("cs-uri-stem", "cs-uri-query", "cs-username")
"""The columns without which nobody can be judged: a log that lacks one of them shows no storm, however bad."""

_NEEDED_TO_VERIFY: Final = (*_NEEDED, "time-taken")
"""To prove an end it must be known when a request began."""

_OLD_FOLDER: Final = dt.timedelta(days=1)
"""Logs whose newest line is so much older than that of the others are of a site that writes no more."""


@attrs.frozen
class EasLogReading:
    """What one log says: of a server, or of local files that belong together.

    *source* names it for the syncs, *label* for a person. *requests* are its ActiveSync requests that may matter,
    *syncs* those of them that are contact syncs of some size or cost; *earlier* are such syncs before the window (of
    local files only). *undetermined* is what could not be judged in it.
    """

    source: Source
    label: str
    log: LogReading
    requests: tuple[tuple[LogLine, EasRequest], ...]
    syncs: tuple[ContactSync, ...]
    earlier: tuple[ContactSync, ...] = ()
    undetermined: tuple[Undetermined, ...] = ()

    @property
    def looked(self) -> Looked:
        """What was read."""
        log = self.log
        return Looked(self.label, len(log.files), log.counted, _eas_lines(log), log.first, log.newest)


@attrs.frozen
class HostLog:
    """What the log of one host says, by the host's own clock.

    *time* is the host's clock at the reading, *start* the start of the window, *newest* the time of the newest line of
    any kind; *after* is since when nothing must be seen: when the step of ``after:`` ended on this host, or *time* if
    that is not known by its clock (None: there is no such step).
    """

    host: str
    reading: EasLogReading
    time: dt.datetime
    start: dt.datetime
    newest: dt.datetime
    after: dt.datetime | None

    @property
    def syncs(self) -> tuple[ContactSync, ...]:
        return self.reading.syncs

    def over_time(self, threshold: int) -> tuple[Series, ...]:
        """How many contact syncs that send many contacts ended in each minute, and their mailbox calls.

        Up to the newest line only: IIS still buffers later ones, so a later minute is not known to be empty.
        """
        sending = [sync for sync in self.syncs if counts(sync, threshold)]
        numbers = [(sync.request.ended, 1) for sync in sending]
        costs = [(sync.request.ended, sync.cost) for sync in sending]
        name = f"contact syncs over {threshold} RPC"
        both = (
            series(self.host, name, "requests", numbers, self.start, self.newest),
            series(self.host, f"mailbox calls of {name}", "RPC", costs, self.start, self.newest),
        )
        return tuple(one for one in both if one is not None)


@attrs.frozen
class LogFiles:
    """What log files without a server say: their *readings*, one of each log, what could not be judged at all, and
    *notes* for a person."""

    readings: tuple[EasLogReading, ...]
    undetermined: tuple[Undetermined, ...]
    notes: tuple[str, ...]


def read_host_log(
    host: Host, *, criteria: Criteria, after: EndedStep | None, context: Context
) -> HostLog | Undetermined | Unreachable:
    """The log of *host* over the window of *criteria*; with *after* from so long before that step ended. Raises no
    EasopsError.

    A log that cannot answer (Exchange 2003, a front end's, needed columns not logged, no line in the window) makes the
    host undetermined: it is not the same as a log without a storm.
    """
    if host.version == "2003":
        return _undetermined(host, "the log of Exchange 2003 does not record mailbox calls; 2007 and later do")
    ended: dt.datetime | None = None
    if after is not None:
        if not has_ended_on(after, host.name):
            return _undetermined(host, "the step named by after has not ended on this host")
        ended = after.ended.get(host.name)

    def start(now: dt.datetime) -> dt.datetime:
        return (now if ended is None else min(ended, now)) - criteria.since

    try:
        session = context.sessions.open(host, "windows")
        folder = context.once(("log folder", host.name), lambda: eas_log_folder(session, host))
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
    why_not = _says_nothing(log)
    if why_not:
        return _undetermined(host, f"{folder}: {why_not}")
    needed = _NEEDED if after is None else _NEEDED_TO_VERIFY
    for name, why, all_lines in _lacking_columns(log, needed):
        if all_lines:
            return _undetermined(host, f"{name} in {folder}: {why}")
    parts = tuple(_undetermined(host, f"{name} in {folder}: {why}") for name, why, _ in _lacking_columns(log, needed))
    source = Source(host.name, log.newest, log.time)
    reading = _reading(source, host.name, log, criteria, parts)
    return HostLog(host.name, reading, log.time, log.start, log.newest, None if after is None else ended or log.time)


def read_log_files(paths: Sequence[Path | str], *, criteria: Criteria) -> LogFiles:
    """Log files without a server, each log from the window of *criteria* before its own newest line.

    Files of IIS's dated names in one folder are one log. What is in a folder and is no log is noted.

    Raises BadInput (no such file), LogFormatError (a file that was named is no log).
    """
    named = {Path(path) for path in paths}
    undetermined = [_file_undetermined(str(file), "it is packed: unpack it first") for file in packed_logs(paths)]
    notes: list[str] = []
    no_log: LogFormatError | None = None
    logs: dict[tuple[str, str], list[Path]] = {}
    newest: dict[Path, dt.datetime | None] = {}
    for file in local_logs(paths):
        try:
            newest[file] = newest_line(file)
        except LogFormatError as error:
            if file in named:
                raise
            no_log = no_log or error
            notes.append(f"{error.what}: {error.why}")
        else:
            logs.setdefault(series_of(file), []).append(file)
    latest = max((time for time in newest.values() if time is not None), default=None)
    readings: list[EasLogReading] = []
    silent: list[Undetermined] = []
    for files in logs.values():
        last = max((time for file in files if (time := newest[file]) is not None), default=None)
        label = ", ".join(map(str, files)) if len(files) < 3 else f"{files[0].parent} ({len(files)} files)"
        if last is None:
            silent.append(_file_undetermined(label, "no line has a time: there is nothing to judge"))
        elif latest is not None and last < latest - _OLD_FOLDER:
            notes.append(f"{label}: not judged: its newest line is from {last:%Y-%m-%d %H:%M}, long before the others")
        else:
            log = read_files(files, lambda end: end - criteria.since, _WANTED)
            lacking = _lacking_columns(log, _NEEDED)
            parts = tuple(_file_undetermined(name, why) for name, why, _ in lacking)
            why_not = _says_nothing(log)
            if any(all_lines for _, _, all_lines in lacking):
                undetermined += parts
            elif why_not:
                silent.append(_file_undetermined(label, why_not))
            else:
                server = next((request.server for _, request in requests_of(log.lines) if request.server), "")
                readings.append(_reading(Source(server, log.newest or last), label, log, criteria, parts))
    if no_log is not None and not newest:
        raise no_log
    if readings:
        # Beside the back end's log the front end's is not needed: it has the same requests without what they cost.
        notes += [f"{item.subject}: {item.why}" for item in silent]
    else:
        undetermined += silent
    return LogFiles(tuple(readings), tuple(undetermined), tuple(notes))


def _reading(
    source: Source, label: str, log: LogReading, criteria: Criteria, parts: tuple[Undetermined, ...]
) -> EasLogReading:
    """The syncs of *log*; *parts* are the parts of it that cannot be judged."""
    requests = requests_of(log.lines)
    if not any(log.marked[mark] for mark in _RPC_MARKS):
        why = (
            f"mailbox calls (RpcC, ActivityContextData) are not logged in {counted(_eas_lines(log), 'ActiveSync line')}"
        )
        parts = (
            *parts,
            Undetermined("host" if source.clock else "file", label, why, True, source.host if source.clock else None),
        )
    syncs = contact_syncs(source, requests, criteria.threshold)
    earlier = contact_syncs(source, requests_of(log.outside), criteria.threshold)
    posts = tuple(sync for sync in earlier if counts(sync, criteria.threshold))
    return EasLogReading(source, label, log, tuple(requests), tuple(syncs), posts, parts)


def _says_nothing(log: LogReading) -> str:
    """Why the log cannot show who floods, though it has lines; empty if it can."""
    lines = _eas_lines(log)
    if lines == 0:
        since = "" if log.start is None else f" since {log.start:%H:%M:%S} UTC"
        return f"no ActiveSync request is in its {counted(log.counted, 'line')}{since}"
    if log.marked[_LOG_MARK]:
        return ""
    if log.marked[_FRONT_END_MARK]:
        return (
            "no line has a Log= value: this is the front end's log, and the mailbox calls are in the back end's log "
            "(W3SVC2)"
        )
    return (
        f"no ActivityContextData and no RpcC in {counted(lines, 'ActiveSync line')}: this is a front end's log, or the "
        "field is off; the back end's log is in W3SVC2"
    )


def _eas_lines(log: LogReading) -> int:
    return sum(log.marked[mark] for mark in _EAS_MARKS)


def _lacking_columns(log: LogReading, needed: Sequence[str]) -> list[tuple[str, str, bool]]:
    """The files that do not log what judging needs, each with the reason, and whether no line of the window has it."""
    files: list[tuple[str, str, bool]] = []
    for one in log.lacking:
        missing = [column for column in one.columns if column in needed]
        if missing:
            all_lines = one.lines >= log.counted
            of_lines = "" if all_lines else f" in {counted(one.lines, 'line')} of {log.counted:,}"
            why = f"{', '.join(missing)} is not logged{of_lines}; select it in the log fields of the site in IIS"
            files.append((one.file, why, all_lines))
    return files


def _undetermined(host: Host, why: str) -> Undetermined:
    return Undetermined("host", host.name, why, True, host.name)


def _file_undetermined(file: str, why: str) -> Undetermined:
    return Undetermined("file", file, why, True)
