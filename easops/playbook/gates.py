"""Gates: what no run may touch."""

from __future__ import annotations

from collections.abc import Iterable

from easops.errors import BadInput, EasopsError, Refused, UnreachableHost
from easops.exchange.mailbox import AmbiguousMailbox, require_mailbox
from easops.exchange.organisation import Organisation


def protected_mailboxes(entries: Iterable[str], organisation: Organisation) -> tuple[str, ...]:
    """The Guids of the mailboxes of a protect list.

    Raises Refused for an entry that is no mailbox, or several: a list that says less than its author meant protects
    nobody. Raises UnreachableHost and CommandFailed as they come.
    """
    found: list[str] = []
    for entry in entries:
        try:
            mailbox = require_mailbox(
                organisation.session(), str(entry), domain_controller=organisation.domain_controller
            )
        except UnreachableHost:
            raise
        except (BadInput, AmbiguousMailbox) as error:
            raise _unresolved(str(entry), error) from error
        found.append(mailbox.guid)
    return tuple(found)


def _unresolved(entry: str, error: EasopsError) -> Refused:
    return Refused(
        f"the protect list's entry {entry!r} cannot be resolved",
        str(error),
        "correct it: nothing is done while it is not known whom it protects",
        rule="protect",
    )
