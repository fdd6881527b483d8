"""Taking a reading: of the organisation once, of servers on up to 16 at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from easops.at_once import at_once
from easops.clock import SystemClock
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
    """One row: the values of the reading's columns, and the host it is of (None for the organisation's)."""

    host: str | None
    values: tuple[Any, ...]


@attrs.frozen
class ReadingResult:
    """What a reading gave; hosts that gave no answer are *unreachable*, the others are shown all the same."""

    reading: Reading
    rows: tuple[Row, ...]
    unreachable: tuple[Unreachable, ...] = ()

    @property
    def status(self) -> Status:
        return Status.UNREACHABLE if self.unreachable else Status.OK

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self.status]


def take(reading: Reading, values: Mapping[str, Any], hosts: Sequence[Host]) -> ReadingResult:
    """Take *reading* of *hosts*, which are of one organisation; *values* are checked against its parameters.

    Raises Refused for hosts of two organisations; BadInput, CommandFailed and the like as the reading does; and for an
    organisation's reading UnreachableHost.
    """
    require_one_organisation(hosts)
    ask_passwords(hosts)
    with SessionPool() as sessions:
        clock = SystemClock()
        context = Context(sessions, Organisation.of(hosts, sessions), clock)
        if reading.scope == "organisation":
            return ReadingResult(reading, _rows(reading, None, reading.read(values, None, context)))

        def read(host: Host) -> tuple[Row, ...] | Unreachable:
            try:
                return _rows(reading, host.name, reading.read(values, host.name, context))
            except UnreachableHost as error:
                return Unreachable.of(host.name, error)

        answers = at_once(read, hosts, clock)
    rows = tuple(row for answer in answers if not isinstance(answer, Unreachable) for row in answer)
    return ReadingResult(reading, rows, tuple(answer for answer in answers if isinstance(answer, Unreachable)))


def _rows(reading: Reading, host: str | None, held: Sequence[Any]) -> tuple[Row, ...]:
    return tuple(Row(host, tuple(getattr(row, column) for column in reading.columns)) for row in held)
