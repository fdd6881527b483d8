"""Taking a reading: once of the organisation, or of up to 16 servers at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from easops.clock import Clock, SystemClock
from easops.context import Context
from easops.errors import BadInput, EasopsError, UnreachableHost
from easops.exchange.organisation import Organisation
from easops.inventory.host import Host
from easops.inventory.select import require_one_organisation
from easops.readings.reading import Reading, Rows
from easops.remoting.pool import SessionPool
from easops.remoting.secret import ask_passwords
from easops.remoting.unreachable import Unreachable
from easops.status import EXIT_CODES, Status, worst


@attrs.frozen
class Row:
    """One row: the values of the reading's columns, and the host they are from (None: the organisation)."""

    host: str | None
    values: tuple[Any, ...]


@attrs.frozen
class NotRead:
    """What could not be read on a host, or of the organisation (*host* None), and *why*."""

    host: str | None
    why: str


@attrs.frozen
class ReadingResult:
    """The rows of a reading. *unreachable* are the hosts that gave no answer, *not_read* is what others could not be
    asked; what was read is there even so."""

    reading: Reading
    rows: tuple[Row, ...]
    unreachable: tuple[Unreachable, ...] = ()
    not_read: tuple[NotRead, ...] = ()

    @property
    def status(self) -> Status:
        return worst([Status.UNDETERMINED] * bool(self.not_read) + [Status.UNREACHABLE] * bool(self.unreachable))

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self.status]


def take(
    reading: Reading, values: Mapping[str, Any], hosts: Sequence[Host], clock: Clock | None = None
) -> ReadingResult:
    """Take *reading* of *hosts*, all of one organisation; *values* are already checked against its parameters.

    *clock* is the lab's, if the hosts are a lab's.

    One host that cannot be read hides no other. Raises Refused for hosts of two organisations, BadInput, and for a
    reading of the organisation its errors (UnreachableHost, CommandFailed and the like).
    """
    require_one_organisation(hosts)
    ask_passwords(hosts)
    with SessionPool() as sessions:
        clock = clock or SystemClock()
        context = Context(sessions, Organisation.of(hosts, sessions, clock), clock)
        if reading.scope == "organisation":
            return _result(reading, None, reading.read(values, None, context))

        def read(host: Host) -> ReadingResult:
            try:
                return _result(reading, host.name, reading.read(values, host.name, context))
            except UnreachableHost as error:
                return ReadingResult(reading, (), unreachable=(Unreachable.of(host.name, error),))
            except BadInput:
                raise
            except EasopsError as error:
                return ReadingResult(reading, (), not_read=(NotRead(host.name, error.with_next_step),))

        answers = context.each(hosts, read)
    return ReadingResult(
        reading,
        tuple(row for answer in answers for row in answer.rows),
        tuple(host for answer in answers for host in answer.unreachable),
        tuple(part for answer in answers for part in answer.not_read),
    )


def _result(reading: Reading, host: str | None, read: Sequence[Any] | Rows) -> ReadingResult:
    rows, unread = (read.rows, read.unread) if isinstance(read, Rows) else (read, "")
    return ReadingResult(
        reading,
        tuple(Row(host, tuple(getattr(row, column) for column in reading.columns)) for row in rows),
        not_read=(NotRead(host, unread),) if unread else (),
    )
