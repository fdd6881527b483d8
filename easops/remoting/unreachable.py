"""A host that did not answer, as a value: detectors and readings list it next to the results of the other hosts."""

from __future__ import annotations

import attrs

from easops.errors import AccessRefused, UnreachableHost


@attrs.frozen
class Unreachable:
    """A host that did not answer.

    *host* is its name in the inventory. *what*, *why* and *next_step* are those of the error (*next_step* is empty in a
    record of 0.1.0). *access_refused* says that it was an AccessRefused: the host can be reached, but does not let us
    in.
    """

    host: str
    what: str
    why: str
    access_refused: bool = False
    next_step: str = ""

    @classmethod
    def of(cls, host: str, error: UnreachableHost) -> Unreachable:
        """The value for *host*, which failed with *error*."""
        return cls(host, error.what, error.why, isinstance(error, AccessRefused), error.next_step)
