"""Which servers took part in a call, as far as they say so.

From Exchange 2013 on, the front end whose address was called passes a session on to a mailbox server, which executes
it. So "what EX1's endpoint says" is not "what EX1 says", and a record that is to be believed later has both names.

Source: the headers X-FEServer (the front end's web.config) and X-CalculatedBETarget (its proxy module), and
``[Server=…`` in the FullyQualifiedErrorId of an error (2013 and later).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import attrs

from easops.errors import ErrorRecord


@attrs.frozen
class ServedBy:
    """The *front_end* that took a call, the *back_end* that it chose, and the server that *executed* the cmdlet, which
    only an error names. Empty where they do not say."""

    front_end: str = ""
    back_end: str = ""
    executed: str = ""

    def __str__(self) -> str:
        """``front end EX1, back end ex2.contoso.com, executed on EX2``; empty if nothing is known."""
        named = (("front end", self.front_end), ("back end", self.back_end), ("executed on", self.executed))
        return ", ".join(f"{what} {name}" for what, name in named if name)


def of_headers(headers: Mapping[str, str]) -> ServedBy:
    """What the headers of an answer say."""
    return ServedBy(headers.get("X-FEServer", ""), headers.get("X-CalculatedBETarget", ""))


def executed_on(records: tuple[ErrorRecord, ...]) -> str:
    """The server that executed a cmdlet, from its error records; empty if they do not name it."""
    found = (re.match(r"\[Server=([^,\]]+)", record.fqid) for record in records)
    return next((match[1].strip() for match in found if match is not None), "")
