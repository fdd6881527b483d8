"""Who floods, and whether it has ended: from the hosts' logs and the users' mailboxes to a detection. Pure."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import attrs

from easops.detectors.contact_sync.criteria import Criteria
from easops.detectors.contact_sync.evidence import counted, log_notes
from easops.detectors.contact_sync.host_log import EasLogReading, HostLog, LogFiles
from easops.detectors.contact_sync.mailbox_lookup import Mailboxes, Unresolved
from easops.detectors.contact_sync.other_floods import merged, other_floods
from easops.detectors.contact_sync.suspicion import WATCHED, most_important, smallest_change, suspect
from easops.detectors.contact_sync.sync import ContactSync, Source
from easops.detectors.contact_sync.verification import verify
from easops.detectors.finding import Detection, Undetermined, UserFinding
from easops.exchange.mailbox import Mailbox
from easops.logs.eas_request import bare_name

DETECTOR: Final = "contact_sync_storm"


def names_in(logs: Sequence[HostLog], criteria: Criteria) -> tuple[str, ...]:
    """The names whose mailboxes a judgement needs: of the users of all contact syncs, and of those asked for."""
    logged = [name for log in logs for sync in log.syncs if (name := _username(sync)) is not None]
    return (*logged, *(criteria.users or ()))


def candidates(logs: Sequence[HostLog], mailboxes: Mailboxes, criteria: Criteria) -> tuple[Mailbox, ...]:
    """The mailboxes that would be findings as long as the number of their contacts is not known."""
    groups = _by_mailbox(logs, mailboxes)
    return tuple(mailbox for mailbox, syncs in groups.values() if suspect("", None, syncs, criteria)[0] is not None)


def flooding_devices(logs: Sequence[HostLog], mailboxes: Mailboxes) -> list[tuple[Mailbox, frozenset[str]]]:
    """Each mailbox with the ids of its devices that sent many contacts, in lower case."""
    return [
        (mailbox, devices)
        for mailbox, syncs in _by_mailbox(logs, mailboxes).values()
        if (devices := frozenset(sync.device_key for sync in syncs if sync.kind == "posts" and sync.device_key))
    ]


def judge(logs: Sequence[HostLog], mailboxes: Mailboxes, criteria: Criteria, contacts: Mapping[str, int]) -> Detection:
    """The detection of *logs*; *mailboxes* has all of ``names_in``, *contacts* how many a mailbox has, by Guid.

    Each user counts once, with the syncs of all hosts and under all names. A user who cannot be judged is undetermined:
    required if asked for, only listed if met in a log.
    """
    unresolved, undetermined = _unresolved([sync for log in logs for sync in log.syncs], mailboxes, criteria)
    for user in criteria.users or ():
        asked = mailboxes[user.lower()]
        if isinstance(asked, Unresolved):
            undetermined += [Undetermined("user", user, asked.why, True, log.host) for log in logs]
    groups = _by_mailbox(logs, mailboxes)
    if criteria.users is not None:
        wanted = {m.guid: m for user in criteria.users if isinstance(m := mailboxes[user.lower()], Mailbox)}
        groups = {guid: group for guid, group in groups.items() if guid in wanted}
        for guid, mailbox in wanted.items():
            groups.setdefault(guid, (mailbox, []))
    found: list[UserFinding] = []
    watch: list[UserFinding] = []
    notes: list[str] = []
    for mailbox, syncs in groups.values():
        if criteria.verifies:
            undetermined += _perhaps_his(mailbox, logs, mailboxes)
            verification = verify(mailbox, [*syncs, *_of_his_devices(syncs, logs, mailboxes)], logs, criteria)
            found += verification.found
            undetermined += verification.undetermined
            notes += verification.notes
        else:
            user = mailbox.primary_smtp_address
            _add(found, watch, _suspect(user, mailbox.guid, syncs, criteria, contacts.get(mailbox.guid)))
    for log in logs:
        notes += log_notes(log.host, log.reading.log, log.syncs)
        undetermined += log.reading.undetermined
    readings = [log.reading for log in logs]
    return attrs.evolve(
        _detection(found, watch, [] if criteria.verifies else readings, criteria, notes),
        undetermined=_each_once(undetermined),
        asked=_addresses(criteria.users or (), mailboxes) if criteria.verifies else (),
        unresolved=() if criteria.users is not None else unresolved,
        looked=tuple(reading.looked for reading in readings),
    )


def judge_files(files: LogFiles, criteria: Criteria) -> Detection:
    """The detection of log files without a server: users are ``cs-username`` as logged, and not resolved."""
    undetermined = list(files.undetermined)
    found: list[UserFinding] = []
    watch: list[UserFinding] = []
    syncs = _once([sync for reading in files.readings for sync in reading.syncs])
    unresolved, unnamed = _unresolved(syncs, {}, criteria)
    undetermined += unnamed
    for own in _by_name(syncs):
        _add(found, watch, _suspect(own[0].request.username or "", None, own, criteria, None))
    notes = list(files.notes)
    for reading in files.readings:
        label = reading.label if len(files.readings) > 1 else ""
        notes += log_notes(label, reading.log, reading.syncs)
        undetermined += reading.undetermined
        if not found and reading.earlier:
            undetermined.append(_outside(reading))
    return attrs.evolve(
        _detection(found, watch, files.readings, criteria, notes),
        undetermined=_each_once(undetermined),
        unresolved=unresolved,
        looked=tuple(reading.looked for reading in files.readings),
    )


def _suspect(
    user: str, guid: str | None, syncs: Sequence[ContactSync], criteria: Criteria, contacts: int | None
) -> tuple[UserFinding | None, UserFinding | None]:
    """As ``suspect``; who is only watched, with the change that would make a finding of him."""
    found, watched = suspect(user, guid, syncs, criteria, contacts)
    if found is None and watched is not None:
        watched = attrs.evolve(watched, change=smallest_change(syncs, criteria, contacts))
    return found, watched


def _add(
    found: list[UserFinding], watch: list[UserFinding], of_user: tuple[UserFinding | None, UserFinding | None]
) -> None:
    finding, watched = of_user
    found += [finding] if finding is not None else []
    watch += [watched] if watched is not None else []


def _detection(
    found: Sequence[UserFinding],
    watch: Sequence[UserFinding],
    readings: Sequence[EasLogReading],
    criteria: Criteria,
    notes: list[str],
) -> Detection:
    watched = most_important(watch)
    if len(watched) > WATCHED:
        notes = [*notes, f"{counted(len(watched) - WATCHED, 'more user')} to watch of less importance left out"]
    floods = [
        flood
        for reading in readings
        for flood in other_floods(reading.source, reading.requests, reading.syncs, criteria.threshold)
    ]
    return Detection(
        DETECTOR,
        users=tuple(sorted(found, key=lambda user: (-user.hits, user.user))),
        hosts=tuple(sorted({host for user in found for host in user.hosts})),
        watch=watched[:WATCHED],
        notes=tuple(dict.fromkeys(notes)),
        floods=merged(floods),
    )


def _outside(reading: EasLogReading) -> Undetermined:
    """Contact syncs that count lie before the window of a log in which nothing was found."""
    times = [sync.request.ended for sync in reading.earlier]
    hours = math.ceil((reading.source.newest - min(times) + dt.timedelta(minutes=1)) / dt.timedelta(hours=1))
    why = (
        f"{counted(len(times), 'contact sync')} with many contacts lie outside the window (the first "
        f"{min(times):%Y-%m-%d %H:%M:%S}, the last {max(times):%Y-%m-%d %H:%M:%S}): read further back with "
        f"since={hours}h"
    )
    return Undetermined("file", reading.label, why, True)


def _by_mailbox(logs: Sequence[HostLog], mailboxes: Mailboxes) -> dict[str, tuple[Mailbox, list[ContactSync]]]:
    """By Guid, each mailbox with its syncs; several names of one mailbox are one user."""
    groups: dict[str, tuple[Mailbox, list[ContactSync]]] = {}
    for log in logs:
        for sync in log.syncs:
            name = _username(sync)
            mailbox = None if name is None else mailboxes[name.lower()]
            if isinstance(mailbox, Mailbox):
                groups.setdefault(mailbox.guid, (mailbox, []))[1].append(sync)
    return groups


def _by_name(syncs: Iterable[ContactSync]) -> list[list[ContactSync]]:
    """The syncs of each user as logged. Without a directory, two names that share a device are one user if they are
    the same account in two forms: ``DOMAIN\\user`` and ``user@domain``."""
    groups: dict[str, list[ContactSync]] = {}
    for sync in syncs:
        name = _username(sync)
        if name is not None:
            groups.setdefault(name.lower(), []).append(sync)
    users: list[list[ContactSync]] = []
    names: list[set[str]] = []
    for name, own in groups.items():
        devices = {sync.device_key for sync in own if sync.device_key}
        for user, known in zip(users, names, strict=True):
            shared = devices & {sync.device_key for sync in user}
            if shared and any(_one_account(name, other) for other in known):
                user += own
                known.add(name)
                break
        else:
            users.append(list(own))
            names.append({name})
    return users


def _once(syncs: Sequence[ContactSync]) -> list[ContactSync]:
    """*syncs* without those of a copy of a log: no device can send the same line to two servers."""
    first: dict[str, Source] = {}
    return [sync for sync in syncs if first.setdefault(sync.line.row.text, sync.source) is sync.source]


def _one_account(name: str, other: str) -> bool:
    return bare_name(name) == bare_name(other) or ("@" in name) != ("@" in other)


def _unresolved(
    syncs: Iterable[ContactSync], mailboxes: Mailboxes, criteria: Criteria
) -> tuple[tuple[UserFinding, ...], list[Undetermined]]:
    """The users who would be findings if it were known who they are, and what cannot be judged because of names.

    Only the user is undetermined, never the host, and never anybody else.
    """
    groups: dict[str, list[ContactSync]] = {}
    undetermined: list[Undetermined] = []
    for sync in syncs:
        name = _username(sync)
        if name is None:
            undetermined.append(_unnamed(sync))
            groups.setdefault(f"device {sync.request.query.device_id or 'without an id'}", []).append(sync)
        elif isinstance(mailboxes.get(name.lower()), Unresolved):
            groups.setdefault(name.lower(), []).append(sync)
    found: list[UserFinding] = []
    for name, own in groups.items():
        mailbox = mailboxes.get(name)
        shown = own[0].request.username or name
        finding, _ = suspect(shown, None, own, criteria)
        why = mailbox.why if isinstance(mailbox, Unresolved) else ""
        if finding is not None:
            found.append(attrs.evolve(finding, evidence=f"{finding.evidence}; {why}" if why else finding.evidence))
        if why:
            undetermined.append(Undetermined("user", shown, why, False, None))
    return tuple(sorted(found, key=lambda user: (-user.hits, user.user))), undetermined


def _perhaps_his(mailbox: Mailbox, logs: Sequence[HostLog], mailboxes: Mailboxes) -> Iterator[Undetermined]:
    """The hosts whose logs have a name that could not be looked up: it may be this user's, who then still floods."""
    for log in logs:
        for sync in log.syncs:
            name = _username(sync)
            found = None if name is None else mailboxes.get(name.lower())
            if isinstance(found, Unresolved) and found.error is not None:
                why = f"{name} is in its log: {found.why}"
                yield Undetermined("user", mailbox.primary_smtp_address, why, True, log.host)
                break


def _of_his_devices(
    syncs: Sequence[ContactSync], logs: Sequence[HostLog], mailboxes: Mailboxes
) -> Iterator[ContactSync]:
    """The syncs of the user's flooding devices under a name that is nobody's, or under none."""
    devices = {sync.device_key for sync in syncs if sync.kind == "posts" and sync.device_key}
    for log in logs:
        for sync in log.syncs:
            name = _username(sync)
            if sync.device_key in devices and (name is None or isinstance(mailboxes.get(name.lower()), Unresolved)):
                yield sync


def _addresses(users: Sequence[str], mailboxes: Mailboxes) -> tuple[str, ...]:
    """The addresses of the asked users; a name without a mailbox stays as it is."""
    found = [(user, mailboxes[user.lower()]) for user in users]
    addresses = [user if isinstance(mailbox, Unresolved) else mailbox.primary_smtp_address for user, mailbox in found]
    return tuple(dict.fromkeys(addresses))


def _username(sync: ContactSync) -> str | None:
    """The user of a sync; None if none is logged, or if it is a computer account."""
    return None if sync.request.is_machine else sync.request.username


def _unnamed(sync: ContactSync) -> Undetermined:
    query = sync.request.query
    why = "a computer account is not a user" if sync.request.is_machine else "no user is logged (cs-username)"
    if query.user is not None:
        # User= in the query is what the client typed: anybody can type anybody's name there.
        why += f"; the client calls itself {query.user!r}, which proves nothing"
    subject = sync.request.username or f"device {query.device_id or 'without an id'}"
    return Undetermined("user", subject, why, False, None)


def _each_once(undetermined: Sequence[Undetermined]) -> tuple[Undetermined, ...]:
    """One entry for each subject and host, the first."""
    by_subject: dict[tuple[str, str | None], Undetermined] = {}
    for item in undetermined:
        by_subject.setdefault((item.subject, item.host), item)
    return tuple(by_subject.values())
