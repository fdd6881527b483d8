"""A host that gave no answer, as a value: what detectors and readings list beside the answers of the others."""

from __future__ import annotations

import attrs

from easops.errors import AccessRefused, UnreachableHost


@attrs.frozen
class Unreachable:
    """A host that gave no answer, with the sentences of the error.

    *host* is its label in the inventory. *next_step* is empty in a record of 0.1.0.
    """

    host: str
    what: str
    why: str
    access_refused: bool = False
    next_step: str = ""

    @classmethod
    def of(cls, host: str, error: UnreachableHost) -> Unreachable:
        """The host with the sentences of *error*."""
        return cls(host, error.what, error.why, isinstance(error, AccessRefused), error.next_step)
