"""The mailboxes that the user names of a log, or of ``users:``, stand for: each name is asked for once."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping

import attrs

from easops.context import Context
from easops.errors import EasopsError, UnreachableHost
from easops.exchange.mailbox import (
    AmbiguousMailbox,
    DoubtfulMailbox,
    Mailbox,
    find_mailbox,
    list_linked_accounts,
)
from easops.exchange.organisation import Organisation


@attrs.frozen
class Unresolved:
    """A name without its one mailbox, and why.

    *error* is None if the organisation answered (no mailbox, or several: *ambiguous*); else it is why there is no
    answer, and nothing is known about the name.
    """

    why: str
    error: EasopsError | None = None
    ambiguous: bool = False


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
                ("mailbox", name.lower()), functools.partial(_look_up, name, context), keep=_is_mailbox
            )
    return by_name


def _of_linked_account(name: str, context: Context) -> Mailbox | Unresolved | None:
    """The mailbox of an account of another forest, which Exchange may not find by the account's name."""
    organisation = context.organisation
    try:
        session, controller = organisation.session(), organisation.domain_controller
        accounts = context.once("linked accounts", lambda: list_linked_accounts(session, domain_controller=controller))
        guids = accounts.get(name.lower(), ())
        if len(guids) > 1:
            return Unresolved(f"{len(guids)} linked mailboxes have this account")
        return find_mailbox(session, guids[0], domain_controller=controller) if guids else None
    except EasopsError as error:
        why = f"there is no mailbox of this name, and linked mailboxes were not looked through: {error}"
        return Unresolved(why, error)


def _is_mailbox(found: Mailbox | Unresolved) -> bool:
    return isinstance(found, Mailbox)


def _look_up(name: str, context: Context) -> Mailbox | Unresolved:
    found = _look_up_as_is(name, context.organisation)
    if "+" in name and isinstance(found, Unresolved) and found.error is None:
        # IIS writes a blank as +, so a + in a name may be either.
        found = _look_up_as_is(name.replace("+", " "), context.organisation)
    if "\\" in name and isinstance(found, Unresolved) and found.error is None and not found.ambiguous:
        return _of_linked_account(name, context) or found
    return found


def _look_up_as_is(name: str, organisation: Organisation) -> Mailbox | Unresolved:
    try:
        session = organisation.session()
        mailbox = find_mailbox(session, name, domain_controller=organisation.domain_controller)
    except AmbiguousMailbox as error:
        return Unresolved(error.why or "there are several mailboxes of this name", ambiguous=True)
    except DoubtfulMailbox as error:
        return Unresolved(error.why or "the mailbox that the server gives does not have this name")
    except UnreachableHost as error:
        return Unresolved(f"it could not be looked up: {error.what}", error)
    except EasopsError as error:
        return Unresolved(f"it could not be looked up: {error}", error)
    return mailbox or Unresolved("there is no mailbox of this name")
