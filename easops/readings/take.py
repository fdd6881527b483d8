"""Taking a reading: once of the organisation, or of up to 16 servers at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from easops.clock import Clock, SystemClock
from easops.context import Context
from easops.errors import UnreachableHost
from easops.exchange.organisation import Organisation
from easops.inventory.host import Host
from easops.inventory.select import require_one_organisation
from easops.readings.reading import Reading
from easops.remoting.pool import SessionPool
from easops.remoting.secret import ask_passwords
from easops.remoting.unreachable import Unreachable
from easops.status import EXIT_CODES, Status


@attrs.frozen
class Row:
    """One row: the values of the reading's columns, and the host they are from (None: the organisation)."""

    host: str | None
    values: tuple[Any, ...]


@attrs.frozen
class ReadingResult:
    """The rows of a reading. *unreachable* are the hosts that gave no answer; the others' rows are there even so."""

    reading: Reading
    rows: tuple[Row, ...]
    unreachable: tuple[Unreachable, ...] = ()

    @property
    def status(self) -> Status:
        return Status.UNREACHABLE if self.unreachable else Status.OK

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self.status]


def take(
    reading: Reading, values: Mapping[str, Any], hosts: Sequence[Host], clock: Clock | None = None
) -> ReadingResult:
    """Take *reading* of *hosts*, all of one organisation; *values* are already checked against its parameters.

    *clock* is the lab's, if the hosts are a lab's.

    Raises Refused for hosts of two organisations, the errors of the reading itself (BadInput, CommandFailed and the
    like), and UnreachableHost for a reading of the organisation.
    """
    require_one_organisation(hosts)
    ask_passwords(hosts)
    with SessionPool() as sessions:
        clock = clock or SystemClock()
        context = Context(sessions, Organisation.of(hosts, sessions, clock), clock)
        if reading.scope == "organisation":
            return ReadingResult(reading, _rows(reading, None, reading.read(values, None, context)))

        def read(host: Host) -> tuple[Row, ...] | Unreachable:
            try:
                return _rows(reading, host.name, reading.read(values, host.name, context))
            except UnreachableHost as error:
                return Unreachable.of(host.name, error)

        answers = context.each(hosts, read)
    rows = tuple(row for answer in answers if not isinstance(answer, Unreachable) for row in answer)
    return ReadingResult(reading, rows, tuple(answer for answer in answers if isinstance(answer, Unreachable)))


def _rows(reading: Reading, host: str | None, rows: Sequence[Any]) -> tuple[Row, ...]:
    return tuple(Row(host, tuple(getattr(row, column) for column in reading.columns)) for row in rows)
