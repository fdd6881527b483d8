"""The mailboxes that the user names of a log, or of ``users:``, stand for: each name is asked for once."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping

import attrs

from easops.context import Context
from easops.errors import EasopsError, UnreachableHost
from easops.exchange.mailbox import AmbiguousMailbox, DoubtfulMailbox, Mailbox, find_mailbox
from easops.exchange.organisation import Organisation


@attrs.frozen
class Unresolved:
    """A name without its one mailbox, and why.

    *error* is None if the organisation answered (no mailbox, or several); else it is why there is no answer, and
    nothing is known about the name.
    """

    why: str
    error: EasopsError | None = None


Mailboxes = Mapping[str, Mailbox | Unresolved]
"""By name, in lower case."""


def look_up_mailboxes(names: Iterable[str], context: Context) -> Mailboxes:
    """The mailbox of each of *names*; names that differ only in case are one. Raises no EasopsError.

    In a run a mailbox that was found is not asked for again: its Guid and its address are what is used of it.
    """
    by_name: dict[str, Mailbox | Unresolved] = {}
    for name in names:
        if name.lower() not in by_name:
            by_name[name.lower()] = context.once(
                ("mailbox", name.lower()), functools.partial(_look_up, name, context.organisation), keep=_is_mailbox
            )
    return by_name


def _is_mailbox(found: Mailbox | Unresolved) -> bool:
    return isinstance(found, Mailbox)


def _look_up(name: str, organisation: Organisation) -> Mailbox | Unresolved:
    found = _look_up_as_is(name, organisation)
    if "+" in name and isinstance(found, Unresolved) and found.error is None:
        # IIS writes a blank as +, so a + in a name may be either.
        return _look_up_as_is(name.replace("+", " "), organisation)
    return found


def _look_up_as_is(name: str, organisation: Organisation) -> Mailbox | Unresolved:
    try:
        session = organisation.session()
        mailbox = find_mailbox(session, name, domain_controller=organisation.domain_controller)
    except AmbiguousMailbox as error:
        return Unresolved(error.why or "there are several mailboxes of this name")
    except DoubtfulMailbox as error:
        return Unresolved(error.why or "the mailbox that the server gives does not have this name")
    except UnreachableHost as error:
        return Unresolved(f"it could not be looked up: {error.what}", error)
    except EasopsError as error:
        return Unresolved(f"it could not be looked up: {error}", error)
    return mailbox or Unresolved("there is no mailbox of this name")
