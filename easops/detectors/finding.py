"""What a detector found, with its evidence. The same for ``detect`` and ``verify``."""

from __future__ import annotations

import datetime as dt
import math
from typing import Final, Literal

import attrs

from easops.remoting.unreachable import Unreachable


@attrs.frozen
class Device:
    """One device of a user in a finding, with the figures of its requests over the threshold, which are its *hits*.

    *device_id*, *device_type* and *user_agent* are what the device calls itself; *hosts* are the servers with its
    requests. *rpc_max* and *rpc_sum* count mailbox calls; *interval* is the median of the seconds between the starts of
    two hits, *regular* says whether they come at that interval; *contacts_sent* is the sum of the contacts that the
    client added (``Cli:`` adds of contacts folders); *bytes_sent* is the size of the answers (``sc-bytes``; None if not
    logged); *time_taken* is the longest in ms. *first_seen* and *last_seen* are when the first and last hit ended.
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
class Check:
    """One test of a judgement: *what* was tested, what was *needed*, what was *there*, and whether it *passed*."""

    what: str
    needed: str
    there: str
    passed: bool


_SHORTEST_PROOF: Final = dt.timedelta(minutes=30)
_LOG_DELAY: Final = dt.timedelta(minutes=10)

State = Literal["flood", "over", "few", "import", "edits", "fills"]
"""What a user's devices do: flood; flooded, and have stopped; have not done it often enough to tell; send many contacts
once; send a few; are filled by the server."""


@attrs.frozen
class UserFinding:
    """One mailbox, and what its *devices* do.

    *hits* is the number of their requests over the threshold, *hosts* are the servers with these requests. *user* is
    the primary SMTP address, or the name as logged if not *resolved*; *mailbox* is the Guid; *contacts* is the number
    of contacts in the mailbox (None: not known); *evidence* is one sentence; *samples* are unchanged log lines, each
    with its host, file and line number. *state* is what they do, *checks* are the tests that say so. *policy* is the
    throttling policy that was in force at the last of these requests (``Budget:``; None if not logged). *proof* is how
    many seconds nothing must be seen of him until it is proved that he has stopped (None: not known). *change* is the
    smallest change of one parameter that would make him a finding (``threshold=1899``; empty: there is none).
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
    state: State = "flood"
    checks: tuple[Check, ...] = ()
    policy: str | None = None
    proof: float | None = None
    change: str = ""


@attrs.frozen
class OtherFlood:
    """Requests of another *kind* (``calendar syncs``) that one device of a *user* repeats at a great cost. It is named
    with its numbers and not treated: the cure of a contact-sync storm is not known to be one for it.

    *user* is as logged; *device_id* and *user_agent* are what the device calls itself; *requests* is how many there
    were, *evidence* a sentence; *hosts* are the servers with these requests.
    """

    kind: str
    user: str
    device_id: str
    user_agent: str
    requests: int
    hosts: tuple[str, ...]
    evidence: str


@attrs.frozen
class Looked:
    """What was read of one log before anything was judged: of the server or folder *source*, *files* of it.

    *lines* is how many requests of any kind the window has, *activesync* how many of them are ActiveSync's; *first* and
    *last* are when the first and the last ended.
    """

    source: str
    files: int
    lines: int
    activesync: int
    first: dt.datetime | None
    last: dt.datetime | None


def _decimals_of_0_1_0(measurement: Measurement) -> int:
    """A record of 0.1.0 has no decimals: its numbers of requests were shown whole, everything else with one."""
    return 0 if measurement.unit == "requests" else 1


@attrs.frozen
class Measurement:
    """One measured figure of one host.

    *host* is its name in the inventory, *name* that of the figure, *value* the number in *unit* (87.5 percent). *limit*
    is the value above which it is a finding (None: it has no limit), *evidence* a sentence with the details. *decimals*
    is how many are shown to a person.
    """

    host: str
    name: str
    value: float
    unit: str
    limit: float | None = None
    evidence: str = ""
    decimals: int = attrs.field(default=attrs.Factory(_decimals_of_0_1_0, takes_self=True))


@attrs.frozen
class Series:
    """A figure, *name*, of one *host* over time, by the server's clock.

    Each of *values* is the sum in *unit* over *step* seconds, the first from *start* on. Only observed time is in it: a
    zero means that nothing happened.
    """

    host: str
    name: str
    unit: str
    start: dt.datetime
    step: int
    values: tuple[int, ...]


@attrs.frozen
class Undetermined:
    """A host, a user or a file (its *kind*) that could not be judged: its name is *subject*, the reason *why*.

    *host* is the server that it is about (None for local files).
    *required* says whether a verdict on it was asked for (a selected host, a user of ``users:``); what was only met in
    a log is listed and stops nothing. *seconds* is how long it takes, by the server's clock, until it can be judged
    (None: not known).
    """

    kind: Literal["host", "user", "file"]
    subject: str
    why: str
    required: bool
    host: str | None = None
    seconds: float | None = None


@attrs.frozen
class Detection:
    """The result of a *detector* over its hosts.

    *measurements* are the figures that were measured.
    *users* and *hosts* are where the fault was found: users with most hits first, hosts by name. *watch* are users
    below the minimum, who are shown and never acted on. *undetermined* and *unreachable* could not be judged, *judged*
    are the hosts that were. *times* is each server's own clock at the reading. *notes* are sentences that a person
    should read (damaged lines, where a threshold comes from). *sentences* say, one for each host, what the figures do
    not show by themselves. *series* are figures over the time that was read.

    *asked* are the addresses of the users of whom it was asked whether the fault has ended: that somebody else is not
    found proves nothing (empty in a record of 0.1.0).

    *unresolved* are users who would be findings, if their names as logged were known to be exactly one mailbox each;
    *floods* are faults of other kinds that were met. Nobody acts on either. *looked* is what was read.
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
    unresolved: tuple[UserFinding, ...] = ()
    floods: tuple[OtherFlood, ...] = ()
    looked: tuple[Looked, ...] = ()

    @property
    def found(self) -> bool:
        """Whether the fault was found anywhere."""
        return bool(self.users or self.hosts)

    @property
    def proof_within(self) -> dt.timedelta:
        """How long a verify of these users may take: what the proof needs, and some time for the log to be written."""
        longest = max((user.proof or 0.0 for user in self.users), default=0.0)
        return max(_SHORTEST_PROOF, dt.timedelta(seconds=60 * math.ceil(longest / 60)) + _LOG_DELAY)

    @property
    def evidence(self) -> str:
        """What was found, as one text: for the ``because:`` of a step."""
        found = [f"{user.user}: {user.evidence}" for user in self.users]
        found += [f"{host}: {sentence}" for host, sentence in self.sentences.items() if host in self.hosts]
        found += [f"{m.host}: {m.evidence}" for m in self.measurements if m.host in self.hosts and m.evidence]
        return "; ".join(dict.fromkeys(found)) or ("found on " + ", ".join(self.hosts) if self.hosts else "")

    def measured(self, host: str) -> float | None:
        """The first figure of *host*; None if there is none."""
        return next((m.value for m in self.measurements if m.host == host), None)
