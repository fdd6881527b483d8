"""Who floods, and whether it has ended: from the hosts' logs and the users' mailboxes to a detection. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs

from easops.detectors.contact_sync.criteria import Criteria
from easops.detectors.contact_sync.evidence import log_notes
from easops.detectors.contact_sync.host_log import HostLog, LogFiles
from easops.detectors.contact_sync.mailbox_lookup import Mailboxes, Unresolved
from easops.detectors.contact_sync.suspicion import suspect
from easops.detectors.contact_sync.sync import ContactSync
from easops.detectors.contact_sync.verification import verify
from easops.detectors.finding import Detection, Undetermined, UserFinding
from easops.errors import UnreachableHost
from easops.exchange.mailbox import Mailbox
from easops.remoting.unreachable import Unreachable

DETECTOR: Final = "contact_sync_storm"


def names_in(logs: Sequence[HostLog], criteria: Criteria) -> tuple[str, ...]:
    """The names whose mailboxes a judgement needs: of the users of all hits, and of those asked for."""
    logged = [name for log in logs for hit in log.hits if (name := _username(hit)) is not None]
    return (*logged, *(criteria.users or ()))


def judge(logs: Sequence[HostLog], mailboxes: Mailboxes, criteria: Criteria) -> Detection:
    """The detection of *logs*; *mailboxes* has all of ``names_in``. The contacts of the found mailboxes are not in it.

    Each user counts once, with the hits of all hosts and under all names. A user who cannot be judged is undetermined:
    required if asked for, only listed if met in a log.
    """
    undetermined, unreachable = _unresolved(logs, mailboxes, criteria)
    groups = _hits_by_mailbox(logs, mailboxes)
    if criteria.users is not None:
        wanted = {m.guid: m for user in criteria.users if isinstance(m := mailboxes[user.lower()], Mailbox)}
        groups = {guid: group for guid, group in groups.items() if guid in wanted}
        for guid, mailbox in wanted.items():
            groups.setdefault(guid, (mailbox, []))
    found: list[UserFinding] = []
    watch: list[UserFinding] = []
    notes: list[str] = []
    for mailbox, hits in groups.values():
        if criteria.verifies:
            verification = verify(mailbox, hits, logs, criteria)
            found += verification.found
            undetermined += verification.undetermined
            notes += verification.notes
        else:
            user_found, user_watched = suspect(mailbox.primary_smtp_address, mailbox.guid, hits, criteria)
            found += user_found
            watch += user_watched
    for log in logs:
        notes += log_notes(log.host, log.log, log.hits)
    return Detection(
        DETECTOR,
        users=_most_hits_first(found),
        hosts=tuple(sorted({host for user in found for host in user.hosts})),
        watch=_most_hits_first(watch),
        undetermined=_each_once(undetermined),
        unreachable=tuple(unreachable.values()),
        notes=tuple(dict.fromkeys(notes)),
        asked=_addresses(criteria.users or (), mailboxes) if criteria.verifies else (),
    )


def judge_files(files: LogFiles, criteria: Criteria) -> Detection:
    """The detection of log files without a server: users are ``cs-username`` as logged, and not resolved."""
    groups: dict[str, list[ContactSync]] = {}
    undetermined = list(files.undetermined)
    for hit in files.hits:
        name = _username(hit)
        if name is None:
            undetermined.append(_unnamed(hit))
        else:
            groups.setdefault(name.lower(), []).append(hit)
    found: list[UserFinding] = []
    watch: list[UserFinding] = []
    for hits in groups.values():
        user_found, user_watched = suspect(hits[0].request.username or "", None, hits, criteria)
        found += user_found
        watch += user_watched
    return Detection(
        DETECTOR,
        users=_most_hits_first(found),
        hosts=tuple(sorted({host for user in found for host in user.hosts})),
        watch=_most_hits_first(watch),
        undetermined=_each_once(undetermined),
        notes=tuple(log_notes("", files.log, files.hits)),
    )


def _hits_by_mailbox(logs: Sequence[HostLog], mailboxes: Mailboxes) -> dict[str, tuple[Mailbox, list[ContactSync]]]:
    """By Guid, each mailbox with its hits; several names of one mailbox are one user."""
    groups: dict[str, tuple[Mailbox, list[ContactSync]]] = {}
    for log in logs:
        for hit in log.hits:
            name = _username(hit)
            mailbox = None if name is None else mailboxes[name.lower()]
            if isinstance(mailbox, Mailbox):
                groups.setdefault(mailbox.guid, (mailbox, []))[1].append(hit)
    return groups


def _unresolved(
    logs: Sequence[HostLog], mailboxes: Mailboxes, criteria: Criteria
) -> tuple[list[Undetermined], dict[str, Unreachable]]:
    """The hits and the asked users without a mailbox, and the hosts that cannot be judged because of them.

    If the organisation gave no answer for a name, the hosts whose logs have that name must not count as judged.
    """
    undetermined: list[Undetermined] = []
    unreachable: dict[str, Unreachable] = {}

    def no_answer(unresolved: Unresolved, host: str) -> None:
        if isinstance(unresolved.error, UnreachableHost):
            what = f"{host}: the users in its log could not be looked up: {unresolved.error.what}"
            unreachable[host] = attrs.evolve(Unreachable.of(host, unresolved.error), what=what)
        elif unresolved.error is not None:
            undetermined.append(Undetermined("host", host, unresolved.why, True, host))

    for log in logs:
        for hit in log.hits:
            name = _username(hit)
            if name is None:
                undetermined.append(_unnamed(hit))
                continue
            mailbox = mailboxes[name.lower()]
            if isinstance(mailbox, Unresolved):
                no_answer(mailbox, log.host)
                if log.host not in unreachable:
                    undetermined.append(Undetermined("user", name, mailbox.why, False, None))
    for user in criteria.users or ():
        mailbox = mailboxes[user.lower()]
        if isinstance(mailbox, Unresolved):
            for log in logs:
                no_answer(mailbox, log.host)
                undetermined.append(Undetermined("user", user, mailbox.why, True, log.host))
    return undetermined, unreachable


def _addresses(users: Sequence[str], mailboxes: Mailboxes) -> tuple[str, ...]:
    """The addresses of the asked users; a name without a mailbox stays as it is."""
    found = [(user, mailboxes[user.lower()]) for user in users]
    addresses = [user if isinstance(mailbox, Unresolved) else mailbox.primary_smtp_address for user, mailbox in found]
    return tuple(dict.fromkeys(addresses))


def _username(hit: ContactSync) -> str | None:
    """The user of a hit; None if none is logged, or if it is a computer account."""
    return None if hit.request.is_machine else hit.request.username


def _unnamed(hit: ContactSync) -> Undetermined:
    query = hit.request.query
    why = "a computer account is not a user" if hit.request.is_machine else "no user is logged (cs-username)"
    if query.user is not None:
        # User= in the query is what the client typed: anybody can type anybody's name there.
        why += f"; the client calls itself {query.user!r}, which proves nothing"
    subject = hit.request.username or f"device {query.device_id or 'without an id'}"
    return Undetermined("user", subject, why, False, None)


def _each_once(undetermined: Sequence[Undetermined]) -> tuple[Undetermined, ...]:
    """One entry for each subject and host, the first."""
    by_subject: dict[tuple[str, str | None], Undetermined] = {}
    for item in undetermined:
        by_subject.setdefault((item.subject, item.host), item)
    return tuple(by_subject.values())


def _most_hits_first(users: Sequence[UserFinding]) -> tuple[UserFinding, ...]:
    return tuple(sorted(users, key=lambda user: (-user.hits, user.user)))
