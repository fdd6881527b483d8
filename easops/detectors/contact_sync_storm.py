"""Who floods a server with contact syncs (KB 2711053), and whether it has ended.

A hit is a Sync of a contacts folder over the threshold of mailbox calls in which the client sends. Three hits of a
user and device are a finding; fewer, and syncs that the server fills (a new phone), are to be watched.

The user is the one mailbox to which ``cs-username`` resolves; ``User=`` in the query is what the client typed, and any
client can type anything. Time counts on each server's own clock.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import attrs

from easops.context import Context
from easops.detectors.contact_sync import (
    LITERALS,
    MINIMUM,
    ContactSync,
    by_device,
    contact_syncs,
    device,
    retry_interval,
    samples,
    sentence,
)
from easops.detectors.detector import ended_on
from easops.detectors.duration_words import minutes
from easops.detectors.finding import Detection, Series, Undetermined, UserFinding
from easops.detectors.series import series
from easops.errors import BadInput, EasopsError, UnreachableHost
from easops.exchange.mailbox import AmbiguousMailbox, Mailbox, find_mailbox
from easops.exchange.mailbox_folder import count_contacts
from easops.iis.site import eas_log_folder
from easops.inventory.host import Host
from easops.logs.eas_request import COLUMNS
from easops.logs.source import local_logs
from easops.logs.window import LogReading, Wanted, read_files, read_window
from easops.parameter import Parameter
from easops.remoting.unreachable import Unreachable

_NAME: Final = "contact_sync_storm"
_LOG_MARK: Final = b"&Log="
_FRONT_END_MARK: Final = b"cafeReqId="
_WANTED: Final = Wanted(COLUMNS, LITERALS, (_LOG_MARK, _FRONT_END_MARK))

_NEEDED: Final = ("cs-uri-stem", "cs-uri-query", "cs-username", "time-taken")
"""The columns without which nobody can be judged: a log that lacks one is silent of every flood."""

_UNKNOWN_INTERVAL: Final = dt.timedelta(minutes=5)
"""Taken where the log does not tell a user's retry interval ("after several minutes", says the KB)."""

_LATE: Final = dt.timedelta(minutes=2)
"""How much older than the server's clock the newest line may be without a word."""

_SHOWN_DAMAGED: Final = 3


@attrs.frozen
class _HostReading:
    host: str
    log: LogReading
    hits: tuple[ContactSync, ...]
    after: dt.datetime | None

    @property
    def time(self) -> dt.datetime:
        assert self.log.time is not None  # a reading without files is no _HostReading
        return self.log.time


@attrs.frozen
class ContactSyncStorm:
    """The detector. With *users* and *after* it verifies: see ``detect``."""

    name: str = _NAME
    summary: str = "users whose devices post all their contacts again and again (KB 2711053)"
    parameters: tuple[Parameter, ...] = (
        Parameter(
            "since",
            "duration",
            "how far back the logs are read (with after: before it, to learn the retry intervals)",
            "1h",
        ),
        Parameter("threshold", "integer", "mailbox calls (RPC) in one sync that make it suspect", 2000, minimum=1),
        Parameter("users", "list", "only these mailboxes; each must be judged", None),
        Parameter("after", "result", "verify that the floods of users ended after this step", None),
        Parameter("intervals", "integer", "retry intervals of a user that must pass after it", 2, minimum=1),
    )

    def detect(self, hosts: Sequence[Host], values: Mapping[str, Any], context: Context) -> Detection:
        """Read the ActiveSync logs of *hosts* and judge the users in them.

        With ``after`` each user of ``users`` is undetermined on a host until ``intervals`` of his own retry intervals
        have passed there, on the server's clock and in its log; then one hit that STARTED after it is a finding.

        Raises BadInput for ``after`` without ``users``.
        """
        if values["after"] is not None and values["users"] is None:
            raise BadInput(
                f"{self.name}: after needs users",
                "it proves that the floods of certain users have ended",
                "add users:, e.g. the treated ones of the step that limited them",
            )
        readings: list[_HostReading] = []
        undetermined: list[Undetermined] = []
        unreachable: list[Unreachable] = []
        with ThreadPoolExecutor(max(1, min(16, len(hosts)))) as reading:
            for came in reading.map(lambda host: _read_host(host, values, context), hosts):
                if isinstance(came, _HostReading):
                    readings.append(came)
                elif isinstance(came, Undetermined):
                    undetermined.append(came)
                else:
                    unreachable.append(came)
        found = _Judgement(readings, values, context).judge()
        failing = {item.host for item in found.unreachable}
        failing |= {item.host for item in found.undetermined if item.required and item.host is not None}
        return attrs.evolve(
            found,
            undetermined=(*undetermined, *found.undetermined),
            unreachable=(*unreachable, *found.unreachable),
            judged=tuple(sorted(reading.host for reading in readings if reading.host not in failing)),
            times={reading.host: reading.time for reading in readings},
            series=tuple(held for reading in readings for held in _over_time(reading, values["threshold"])),
        )


def detect_in_files(paths: Sequence[Path | str], values: Mapping[str, Any]) -> Detection:
    """The same from log files without a server, with ``since`` counted back from the last line read.

    Users are ``cs-username`` as logged, not resolved, their contacts unknown: such findings are for reading, and no
    action takes them. *values* are checked against the detector's parameters.

    Files that cannot tell (a front end's, empty ones, needed columns not logged) are undetermined, not innocent.

    Raises BadInput (no such file, ``users`` or ``after`` given), LogFormatError.
    """
    if values["users"] is not None or values["after"] is not None:
        raise BadInput(
            f"{_NAME}: users and after need servers",
            "in files alone a name cannot be resolved to its mailbox, and no clock runs",
            "leave them out, or leave out the files",
        )
    since, threshold = values["since"], values["threshold"]
    log = read_files(local_logs(paths), lambda newest: newest - since, _WANTED)
    hits = [
        attrs.evolve(hit, host=hit.request.server or "") for hit in contact_syncs("", log.lines, threshold)
    ]  # fmt: skip
    groups: dict[str, list[ContactSync]] = {}
    undetermined: dict[str, Undetermined] = {}
    for hit in hits:
        name = hit.request.username
        if name is None or hit.request.is_machine:
            undetermined.setdefault(_subject(hit), _unnamed(hit))
        else:
            groups.setdefault(name.lower(), []).append(hit)
    users: list[UserFinding] = []
    watch: list[UserFinding] = []
    for group in groups.values():
        found, watched = _split(group)
        who = group[0].request.username or ""
        within = f"in {minutes(since)}"
        if found:
            users.append(_finding(who, None, found, sentence(found, threshold, within, None)))
        if watched:
            watch.append(_finding(who, None, watched, sentence(watched, threshold, within, None, _why_not(watched))))
    silent = [_file_undetermined(name, why) for name, why in _blind(log)]
    everything = ", ".join(map(str, paths))
    if log.newest is None:
        silent.append(_file_undetermined(everything, "no line has a time: there is nothing to judge"))
    elif _is_front_end(log):
        silent.append(_file_undetermined(everything, _FRONT_END))
    return Detection(
        _NAME,
        users=_most_first(users),
        hosts=tuple(sorted({host for user in users for host in user.hosts})),
        watch=_most_first(watch),
        undetermined=(*silent, *undetermined.values()),
        notes=tuple(_notes("", log, hits)),
    )


def _read_host(host: Host, values: Mapping[str, Any], context: Context) -> _HostReading | Undetermined | Unreachable:
    """One host's log. Runs in a thread of its own."""
    if host.version == "2003":
        return _host_undetermined(host.name, "the log of Exchange 2003 does not tell mailbox calls; 2007 and later do")
    after: dt.datetime | None = None
    if values["after"] is not None:
        after = ended_on(values["after"], host.name)
        if after is None:
            return _host_undetermined(host.name, "the step named by after never ended here")

    def start(now: dt.datetime) -> dt.datetime:
        since: dt.timedelta = values["since"]
        return (now if after is None else min(after, now)) - since

    try:
        session = context.sessions.open(host, "windows")
        folder = eas_log_folder(session, host)
        log = read_window(session, folder, start, _WANTED)
    except UnreachableHost as error:
        return Unreachable.of(host.name, error)
    except EasopsError as error:
        return _host_undetermined(host.name, str(error))
    if log.time is None or log.start is None:
        return _host_undetermined(host.name, f"{folder} holds no log; give the folder as log_folder: in the inventory")
    if log.newest is None or log.newest < log.start:
        newest = "it holds no line" if log.newest is None else f"its newest line is of {log.newest:%Y-%m-%d %H:%M:%S}"
        return _host_undetermined(
            host.name, f"the log in {folder} tells nothing of the time since {log.start:%H:%M:%S} UTC: {newest}"
        )
    if _is_front_end(log):
        return _host_undetermined(host.name, f"{folder}: {_FRONT_END}")
    for name, why in _blind(log):
        return _host_undetermined(host.name, f"{name} in {folder}: {why}")
    hits = contact_syncs(host.name, log.lines, values["threshold"])
    return _HostReading(host.name, log, tuple(hits), after)


class _Judgement:
    """What the hosts' readings say of the users in them. Asks the organisation for mailboxes, each name once."""

    def __init__(self, readings: Sequence[_HostReading], values: Mapping[str, Any], context: Context) -> None:
        self._readings = readings
        self._around = context
        self._controller = context.organisation.domain_controller
        self._threshold: int = values["threshold"]
        self._since: dt.timedelta = values["since"]
        self._users: tuple[str, ...] | None = None if values["users"] is None else tuple(map(str, values["users"]))
        self._verifies: bool = values["after"] is not None
        self._intervals: int = values["intervals"]
        self._known: dict[str, Mailbox | str] = {}
        self._undetermined: dict[tuple[str, str | None], Undetermined] = {}
        self._unreachable: dict[str, Unreachable] = {}
        self._notes: list[str] = []

    def judge(self) -> Detection:
        users: list[UserFinding] = []
        watch: list[UserFinding] = []
        groups = self._by_mailbox()
        asked: list[str] = []
        for user in self._users if self._users is not None else ():
            mailbox = self._resolve(user, [reading.host for reading in self._readings])
            asked.append(user if mailbox is None else mailbox.primary_smtp_address)
            if mailbox is None:
                for reading in self._readings:
                    self._list(Undetermined("user", user, self._why(user), True, reading.host))
            else:
                groups.setdefault(mailbox.guid, (mailbox, []))
        if self._users is not None:
            wanted = {held.guid for name in self._users if isinstance(held := self._known.get(name.lower()), Mailbox)}
            groups = {guid: group for guid, group in groups.items() if guid in wanted}
        for mailbox, hits in groups.values():
            if self._verifies:
                users += self._verified(mailbox, hits)
                continue
            found, watched = _split(hits)
            within = f"in {minutes(self._since)}"
            who = mailbox.primary_smtp_address
            if found:
                users.append(self._found(mailbox, found, within))
            if watched:
                told = sentence(watched, self._threshold, within, None, _why_not(watched))
                watch.append(_finding(who, mailbox.guid, watched, told))
        for reading in self._readings:
            self._notes += _notes(reading.host, reading.log, reading.hits)
        return Detection(
            _NAME,
            users=_most_first(users),
            hosts=tuple(sorted({host for user in users for host in user.hosts})),
            watch=_most_first(watch),
            undetermined=tuple(self._undetermined.values()),
            unreachable=tuple(self._unreachable.values()),
            notes=tuple(dict.fromkeys(self._notes)),
            asked=tuple(dict.fromkeys(asked)) if self._verifies else (),
        )

    def _by_mailbox(self) -> dict[str, tuple[Mailbox, list[ContactSync]]]:
        """The hits of each mailbox; several names of one mailbox are one user."""
        groups: dict[str, tuple[Mailbox, list[ContactSync]]] = {}
        for reading in self._readings:
            for hit in reading.hits:
                name = hit.request.username
                if name is None or hit.request.is_machine:
                    self._list(_unnamed(hit))
                    continue
                mailbox = self._resolve(name, [reading.host])
                if mailbox is not None:
                    groups.setdefault(mailbox.guid, (mailbox, []))[1].append(hit)
                elif reading.host not in self._unreachable:
                    self._list(Undetermined("user", name, self._why(name), False, None))
        return groups

    def _verified(self, mailbox: Mailbox, hits: Sequence[ContactSync]) -> list[UserFinding]:
        """The user's finding where he floods on; what is not yet to be told goes among the undetermined."""
        who = mailbox.primary_smtp_address
        afters = {reading.host: reading.after for reading in self._readings if reading.after is not None}
        every = retry_interval(hit for hit in hits if hit.request.started <= afters[hit.host])
        if every is None:
            every = _UNKNOWN_INTERVAL
            if hits:  # of one whom these servers never served there is nothing to tell
                self._notes.append(f"{who}: the log does not tell the retry interval; {minutes(every)} are taken")
        wait = every * self._intervals
        late: list[ContactSync] = []
        for reading in self._readings:
            after = afters[reading.host]
            newest = reading.log.newest or after
            if reading.time < after + wait:
                left = after + wait - reading.time
                why = (
                    f"{minutes(left)} of {minutes(wait)} are yet to pass "
                    f"({self._intervals} retry intervals of {minutes(every)})"
                )
                self._list(Undetermined("user", who, why, True, reading.host, left.total_seconds()))
            elif newest < after + wait:
                why = (
                    f"the log has not moved: its newest line is of {newest:%H:%M:%S}, needed is {after + wait:%H:%M:%S}"
                )
                self._list(Undetermined("user", who, why, True, reading.host))
            else:
                late += [
                    hit
                    for hit in hits
                    if hit.host == reading.host and hit.request.started > after and not hit.server_fills
                ]
        if not late:
            return []
        begin = min(afters[hit.host] for hit in late)
        return [self._found(mailbox, tuple(by_device(late).values()), f"since {begin:%H:%M:%S} UTC")]

    def _found(self, mailbox: Mailbox, devices: Sequence[Sequence[ContactSync]], within: str) -> UserFinding:
        who = mailbox.primary_smtp_address
        contacts: int | None = None
        try:
            session = self._around.organisation.session()
            contacts = count_contacts(session, mailbox.guid, domain_controller=self._controller)
        except EasopsError as error:
            self._notes.append(f"{who}: the mailbox's contacts could not be counted: {error}")
        told = sentence(devices, self._threshold, within, contacts)
        return attrs.evolve(_finding(who, mailbox.guid, devices, told), contacts=contacts)

    def _resolve(self, name: str, hosts: Sequence[str]) -> Mailbox | None:
        """The one mailbox of *name*; None where there is none or several, or where the organisation gave no answer
        (then *hosts*, whose lines have that name, cannot be judged)."""
        key = name.lower()
        if key not in self._known:
            try:
                session = self._around.organisation.session()
                found = find_mailbox(session, name, domain_controller=self._controller)
                self._known[key] = found or "there is no mailbox of this name"
            except AmbiguousMailbox as error:
                self._known[key] = error.why or "there are several mailboxes of this name"
            except UnreachableHost as error:
                for host in hosts:
                    what = f"{host}: the users in its log could not be looked up: {error.what}"
                    self._unreachable[host] = attrs.evolve(Unreachable.of(host, error), what=what)
                return None
            except EasopsError as error:
                why = f"{name} could not be looked up: {error}"
                for host in hosts:
                    self._list(_host_undetermined(host, why))
                self._known[key] = why
        held = self._known[key]
        return held if isinstance(held, Mailbox) else None

    def _why(self, name: str) -> str:
        held = self._known.get(name.lower())
        return held if isinstance(held, str) else "it could not be looked up"

    def _list(self, item: Undetermined) -> None:
        self._undetermined.setdefault((item.subject, item.host), item)


def _over_time(reading: _HostReading, threshold: int) -> list[Series]:
    """How many such syncs of any user ended on a host in each minute, and what they cost. The log is whole up to its
    newest line only: IIS holds later ones back."""
    log = reading.log
    if log.start is None or log.newest is None:
        return []
    sending = [hit for hit in reading.hits if hit.client_sends]
    counts = [(hit.request.ended, 1) for hit in sending]
    costs = [(hit.request.ended, hit.rpc.value) for hit in sending]
    name = f"contact syncs over {threshold} RPC"
    found = (
        series(reading.host, name, "requests", counts, log.start, log.newest),
        series(reading.host, f"mailbox calls of {name}", "RPC", costs, log.start, log.newest),
    )
    return [held for held in found if held is not None]


_FRONT_END: Final = (
    "no line has a Log= value: this is the front end's log, and the mailbox calls are in the back end's (W3SVC2)"
)


def _is_front_end(log: LogReading) -> bool:
    return _FRONT_END_MARK in log.seen and _LOG_MARK not in log.seen


def _blind(log: LogReading) -> list[tuple[str, str]]:
    """The files that do not log what judging needs, and why they tell nothing."""
    blind: list[tuple[str, str]] = []
    for name, lacking in log.lacking:
        needed = [column for column in lacking if column in _NEEDED]
        if needed:
            blind.append((name, f"{', '.join(needed)} is not logged; select it among the log fields of IIS"))
    return blind


def _split(
    hits: Sequence[ContactSync],
) -> tuple[tuple[Sequence[ContactSync], ...], tuple[Sequence[ContactSync], ...]]:
    """The hits of one user by device: the devices that are a finding, and those to be watched."""
    found: list[Sequence[ContactSync]] = []
    watched: list[Sequence[ContactSync]] = []
    for device_hits in by_device(hits).values():
        sending = [hit for hit in device_hits if hit.client_sends]
        if len(sending) >= MINIMUM:
            found.append(sending)
        else:
            watched.append(sending or device_hits)
    return tuple(sorted(found, key=len, reverse=True)), tuple(watched)


def _why_not(devices: Sequence[Sequence[ContactSync]]) -> str:
    hits = [hit for device_hits in devices for hit in device_hits]
    if any(hit.client_sends for hit in hits):
        return f"fewer than {MINIMUM} by one device are no finding"
    if any(hit.server_fills for hit in hits):
        return "the server sends, the client does not: a new or newly set up device"
    return "the client sends no contacts"


def _finding(who: str, guid: str | None, devices: Sequence[Sequence[ContactSync]], evidence: str) -> UserFinding:
    hits = [hit for device_hits in devices for hit in device_hits]
    return UserFinding(
        user=who,
        mailbox=guid,
        resolved=guid is not None,
        hits=len(hits),
        devices=tuple(device(device_hits) for device_hits in devices),
        hosts=tuple(sorted({hit.host for hit in hits if hit.host})),
        contacts=None,
        evidence=evidence,
        samples=samples(hits),
    )


def _most_first(users: Sequence[UserFinding]) -> tuple[UserFinding, ...]:
    return tuple(sorted(users, key=lambda user: (-user.hits, user.user)))


def _unnamed(hit: ContactSync) -> Undetermined:
    query = hit.request.query
    why = "a computer's account is no user" if hit.request.is_machine else "no user is logged (cs-username)"
    if query.user is not None:
        why += f"; the client names itself {query.user!r}, which proves nothing"
    return Undetermined("user", _subject(hit), why, False, None)


def _subject(hit: ContactSync) -> str:
    return hit.request.username or f"device {hit.request.query.device_id or 'without an id'}"


def _host_undetermined(host: str, why: str) -> Undetermined:
    return Undetermined("host", host, why, True, host)


def _file_undetermined(file: str, why: str) -> Undetermined:
    return Undetermined("file", file, why, True)


def _notes(host: str, log: LogReading, hits: Sequence[ContactSync]) -> list[str]:
    """What a person should read about a reading."""
    label = f"{host}: " if host else ""
    notes = [label + note for note in log.notes]
    if log.damaged:
        shown = "; ".join(text[:160] for text in log.damaged_lines[:_SHOWN_DAMAGED])
        lines = "1 damaged line was" if log.damaged == 1 else f"{log.damaged:,} damaged lines were"
        notes.append(f"{label}{lines} left out: {shown}")
    if log.time is not None and log.newest is not None and log.time - log.newest > _LATE:
        notes.append(
            f"{label}the newest line of the log is {minutes(log.time - log.newest)} older than the server's clock; "
            "IIS holds back up to 64 kB of lines"
        )
    if any(hit.rpc.source != "RpcC" for hit in hits):
        notes.append(
            "the mailbox calls are those of ActivityContextData (2013 and later); "
            "the threshold of 2,000 was measured on RpcC (2007 and 2010)"
        )
    return notes


CONTACT_SYNC_STORM: Final = ContactSyncStorm()
