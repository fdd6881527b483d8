"""Who floods a server with contact syncs (KB 2711053), and whether it has ended.

A user is the one mailbox to which ``cs-username`` resolves; ``User=`` in the query is what the client typed, and any
client can type any name. Times are those of each server's own clock. How users are judged is in
``contact_sync.judgement``.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs

from easops.context import Context
from easops.detectors.contact_sync.criteria import Criteria
from easops.detectors.contact_sync.evidence import contacts_words
from easops.detectors.contact_sync.host_log import HostLog, read_host_log, read_log_files
from easops.detectors.contact_sync.in_flight import requests_in_flight, still_running
from easops.detectors.contact_sync.judgement import (
    DETECTOR,
    candidates,
    flooding_devices,
    judge,
    judge_files,
    names_in,
)
from easops.detectors.contact_sync.mailbox_lookup import Mailboxes, look_up_mailboxes
from easops.detectors.contact_sync.suspicion import INTERVALS
from easops.detectors.finding import Detection, Undetermined, UserFinding
from easops.errors import BadInput, EasopsError
from easops.exchange.mailbox import Mailbox
from easops.exchange.mailbox_folder import count_contacts
from easops.iis.request import RequestReading
from easops.inventory.host import Host
from easops.parameter import Parameter
from easops.remoting.unreachable import Unreachable


@attrs.frozen
class ContactSyncStorm:
    """The detector. With *users* and *after* it verifies: see ``detect``."""

    name: str = DETECTOR
    summary: str = "users whose devices send all their contacts again and again (KB 2711053)"
    parameters: tuple[Parameter, ...] = (
        Parameter(
            "since",
            "duration",
            "how far back to read the logs (with after: how far before that step, to learn the retry intervals)",
            "2h",
        ),
        Parameter("threshold", "integer", "mailbox calls (RPC) in one sync above which it is suspect", 2000, minimum=1),
        Parameter("attempts", "integer", "how often a device must try before it is a finding", 3, minimum=2),
        Parameter("users", "list", "judge only these mailboxes, and each of them", None),
        Parameter("after", "result", "verify that the floods of these users have ended since this step", None),
        Parameter(
            "intervals", "integer", "how many retry intervals of a user must pass after that step", INTERVALS, minimum=1
        ),
    )

    def detect(self, hosts: Sequence[Host], values: Mapping[str, Any], context: Context) -> Detection:
        """Read the ActiveSync logs of *hosts* and judge the users in them.

        With ``after`` each user of ``users`` is undetermined on a host until ``intervals`` of his own retry intervals
        have passed there, by the server's clock and in its log; then one hit that STARTED after it is a finding.

        Raises BadInput for ``after`` without ``users``.
        """
        if values["after"] is not None and values["users"] is None:
            raise BadInput(
                f"{self.name}: after needs users",
                "it verifies that the floods of certain users have ended",
                "add users:, for example the treated users of the step that limited them",
            )
        criteria = Criteria.of(values)

        def read(host: Host) -> HostLog | Undetermined | Unreachable:
            return read_host_log(host, criteria=criteria, after=values["after"], context=context)

        answers = context.each(hosts, read)
        logs = [answer for answer in answers if isinstance(answer, HostLog)]
        mailboxes = look_up_mailboxes(names_in(logs, criteria), context)
        mailboxes_to_count = () if criteria.verifies else candidates(logs, mailboxes, criteria)
        contacts, notes = _contacts(mailboxes_to_count, context)
        detection = judge(logs, mailboxes, criteria, contacts)
        if criteria.verifies:
            detection = _without_running(detection, logs, mailboxes, context)
        detection = attrs.evolve(detection, users=tuple(map(_with_contacts, detection.users)))
        not_judged = {item.host for item in detection.undetermined if item.required and item.host is not None}
        return attrs.evolve(
            detection,
            undetermined=(*(a for a in answers if isinstance(a, Undetermined)), *detection.undetermined),
            unreachable=tuple(a for a in answers if isinstance(a, Unreachable)),
            notes=(*detection.notes, *notes),
            judged=tuple(sorted(log.host for log in logs if log.host not in not_judged)),
            times={log.host: log.time for log in logs},
            series=tuple(series for log in logs for series in log.over_time(criteria.threshold)),
        )


def detect_in_files(paths: Sequence[Path | str], values: Mapping[str, Any]) -> Detection:
    """The same from log files without a server, with ``since`` counted back from the last line read.

    Users are ``cs-username`` as logged, not resolved, and their contacts are not known: such findings are for reading,
    and no action accepts them. *values* are checked against the detector's parameters.

    Files that cannot answer (a front end's, empty ones, needed columns not logged) are undetermined: that is not the
    same as files without a storm.

    Raises BadInput (no such file, ``users`` or ``after`` given), LogFormatError.
    """
    if values["users"] is not None or values["after"] is not None:
        raise BadInput(
            f"{DETECTOR}: users and after need servers",
            "with files alone no name can be resolved to its mailbox, and there is no server's clock",
            "leave them out, or name servers instead of files",
        )
    criteria = Criteria.of(values)
    return judge_files(read_log_files(paths, criteria=criteria), criteria)


def _without_running(
    detection: Detection, logs: Sequence[HostLog], mailboxes: Mailboxes, context: Context
) -> Detection:
    """*detection*, in which no flood has ended while a request of it may still be running."""
    open_on = {item.host for item in detection.undetermined if item.required} | set(detection.hosts)

    @functools.cache  # all users of a host are judged by one reading of it
    def in_flight(host: str) -> RequestReading | EasopsError:
        return requests_in_flight(host, context)

    running = [
        item
        for mailbox, devices in flooding_devices(logs, mailboxes)
        if mailbox.primary_smtp_address in detection.asked
        for log in logs
        if log.host not in open_on
        and (item := still_running(mailbox.primary_smtp_address, devices, log, in_flight(log.host))) is not None
    ]
    return attrs.evolve(detection, undetermined=(*detection.undetermined, *running))


def _contacts(mailboxes: Sequence[Mailbox], context: Context) -> tuple[dict[str, int], list[str]]:
    """How many contacts each of *mailboxes* has, by Guid, and a note for each that could not be counted."""
    contacts: dict[str, int] = {}
    notes: list[str] = []
    for mailbox in mailboxes:
        try:
            controller = context.organisation.controller_of(mailbox.domain)
            session = context.organisation.session()
            contacts[mailbox.guid] = count_contacts(session, mailbox.guid, domain_controller=controller)
        except EasopsError as error:
            notes.append(f"{mailbox.primary_smtp_address}: the mailbox's contacts could not be counted: {error}")
    return contacts, notes


def _with_contacts(user: UserFinding) -> UserFinding:
    if user.contacts is None:
        return user
    return attrs.evolve(user, evidence=f"{user.evidence}; {contacts_words(user.contacts)}")


CONTACT_SYNC_STORM: Final = ContactSyncStorm()
