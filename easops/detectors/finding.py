"""What a detector found: values with their evidence, the same for ``detect`` and ``verify``."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import attrs

from easops.remoting.unreachable import Unreachable


@attrs.frozen
class Device:
    """One device of a user in a finding, with what its requests over the threshold were.

    *interval* is the median number of seconds between their starts, *regular* whether they repeat at it;
    *contacts_sent* sums the contacts that the client added (``Cli:`` adds of contacts folders).
    Bytes are of the answers (``sc-bytes``; None where not logged), *time_taken* is the longest in ms.
    """

    device_id: str
    device_type: str
    user_agent: str
    hits: int
    rpc_max: int
    rpc_sum: int
    contacts_sent: int
    bytes_sent: int | None
    time_taken: int
    interval: float | None
    regular: bool
    first_seen: dt.datetime
    last_seen: dt.datetime
    hosts: tuple[str, ...]


@attrs.frozen
class UserFinding:
    """One mailbox and what its devices do. *user* is the primary SMTP address (as logged, where not *resolved*).

    *mailbox* is its Guid. *contacts* counts the mailbox's contact items; None is not known.
    *evidence* is one sentence; *samples* are log lines as they stand, with host, file and line number.
    """

    user: str
    mailbox: str | None
    resolved: bool
    hits: int
    devices: tuple[Device, ...]
    hosts: tuple[str, ...]
    contacts: int | None
    evidence: str
    samples: tuple[str, ...] = ()


@attrs.frozen
class Measurement:
    """One measured figure of one host, e.g. 87.5 percent."""

    host: str
    name: str
    value: float
    unit: str
    limit: float | None = None
    evidence: str = ""


@attrs.frozen
class Series:
    """A figure of one host over time, by the server's clock: each of *values* is the sum in *unit* over *step* seconds,
    the first from *start* on. What was not observed is not in it, so none of them is zero for want of knowledge."""

    host: str
    name: str
    unit: str
    start: dt.datetime
    step: int
    values: tuple[int, ...]


@attrs.frozen
class Undetermined:
    """What could not be judged, and why. *required* says whether it was asked for (a host selected, a user given)
    or only met in a log: the second is listed and stops nothing. *seconds* is how long it takes, by the server's clock,
    until it can be judged; None is not known."""

    kind: Literal["host", "user", "file"]
    subject: str
    why: str
    required: bool
    host: str | None = None
    seconds: float | None = None


@attrs.frozen
class Detection:
    """The result of a detector over its hosts.

    *users* and *hosts* are found (users in order of hits, most first; hosts by name); *watch* is below the
    minimum: shown, never acted on. *judged* are the hosts that were judged; *times* the server's own clock at the
    reading, per host; *notes* are sentences a person should read (damaged lines, a threshold's origin);
    *sentences* tell, one a host, what its figures do not say by themselves; *series* are figures over the time that was
    read. *asked* are the users of whom it was asked whether it has ended, as the addresses of their mailboxes: of
    anybody else, that he is not found proves nothing (empty in a record of 0.1.0).
    """

    detector: str
    users: tuple[UserFinding, ...] = ()
    hosts: tuple[str, ...] = ()
    watch: tuple[UserFinding, ...] = ()
    undetermined: tuple[Undetermined, ...] = ()
    unreachable: tuple[Unreachable, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    judged: tuple[str, ...] = ()
    times: dict[str, dt.datetime] = attrs.field(factory=dict)
    notes: tuple[str, ...] = ()
    sentences: dict[str, str] = attrs.field(factory=dict)
    series: tuple[Series, ...] = ()
    asked: tuple[str, ...] = ()

    @property
    def found(self) -> bool:
        """Whether the fault was found anywhere."""
        return bool(self.users or self.hosts)

    @property
    def evidence(self) -> str:
        """What was found, in a sentence: for the ``because:`` of a step."""
        found = [f"{user.user}: {user.evidence}" for user in self.users]
        found += [f"{host}: {told}" for host, told in self.sentences.items() if host in self.hosts]
        found += [f"{m.host}: {m.evidence}" for m in self.measurements if m.host in self.hosts and m.evidence]
        return "; ".join(dict.fromkeys(found)) or ("found on " + ", ".join(self.hosts) if self.hosts else "")

    def measured(self, host: str) -> float | None:
        """The first measured figure of *host*; None where there is none."""
        return next((m.value for m in self.measurements if m.host == host), None)
