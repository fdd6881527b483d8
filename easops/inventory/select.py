"""The hosts that a person asks for: by a selector, or by their names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from easops.document import suggestion
from easops.errors import BadInput, Refused
from easops.inventory.host import Host
from easops.inventory.selector import ATTRIBUTES, And, Match, Not, Or, Selector, parse_selector

_NAME: Final = re.compile(r"""[^\s()=!"'*?\[]+""")


def select(selector: str | Sequence[str], hosts: Iterable[Host]) -> tuple[Host, ...]:
    """The hosts that a selector describes, or those in a list of names; in the order of *hosts*.

    Args:
        selector: a text such as ``site=AMS and role=mailbox``, or a list of host names.
        hosts: the hosts to choose from.

    Raises:
        BadInput: the text is not a selector (``SelectorError``), or no host has one of the names.
    """
    hosts = tuple(hosts)
    if isinstance(selector, str):
        parsed = parse_selector(selector)
        return tuple(host for host in hosts if parsed.matches(host))
    known = {host.name.lower(): host.name for host in hosts}
    for name in selector:
        if not isinstance(name, str) or name.lower() not in known:
            raise BadInput(
                f"there is no host {name!r}",
                f"there are {', '.join(known.values()) or 'none'}",
                suggestion(str(name), known.values()) or "write one of those names, or a selector such as site=AMS",
            )
    names = {name.lower() for name in selector}
    return tuple(host for host in hosts if host.name.lower() in names)


def as_selector(text: str, hosts: Iterable[Host]) -> str:
    """The selector for what a person typed: a selector, or names of *hosts* separated by commas.

    Raises BadInput for a name that no host has.
    """
    hosts = tuple(hosts)
    names = _names(text, hosts)
    return " or ".join(f'name="{host.name}"' for host in select(names, hosts)) if names else text


def select_some(selector: str, hosts: Iterable[Host]) -> tuple[Host, ...]:
    """The hosts that *selector* describes (or names, separated by commas): at least one.

    Raises SelectorError, and BadInput where it describes none.
    """
    hosts = tuple(hosts)
    selector_text = as_selector(selector, hosts)
    chosen = select(selector_text, hosts)
    if not chosen:
        raise BadInput(
            f"no host is selected by {selector!r}",
            f"the inventory has {_listed(hosts)}",
            _nearest(parse_selector(selector_text), hosts) or "correct the selector, or the hosts in the inventory",
        )
    return chosen


def apply_limit(limit: str, chosen: Sequence[Host], hosts: Iterable[Host]) -> tuple[Host, ...]:
    """The hosts of *chosen* that remain under *limit*: a selector over *hosts*, or their names separated by commas.

    Raises SelectorError for a text that is neither, and BadInput where no host remains.
    """
    hosts = tuple(hosts)
    selector_text = as_selector(limit, hosts)
    within = select(selector_text, hosts)
    remaining = tuple(host for host in chosen if host in within)
    if not remaining:
        raise BadInput(
            f"the limit {limit!r} leaves no host",
            f"it selects {_listed(within)}, and the playbook's hosts are {_listed(chosen)}",
            _nearest(parse_selector(selector_text), hosts) or "correct the limit, or leave it out",
        )
    return remaining


def require_one_organisation(hosts: Iterable[Host]) -> None:
    """Raise Refused (rule ``one organisation``) where *hosts* belong to more than one."""
    names = sorted({host.organisation.casefold(): host.organisation for host in hosts}.values())
    if len(names) > 1:
        raise Refused(
            f"the hosts belong to {len(names)} organisations",
            f"a run works on one, and there are {', '.join(names)}",
            f"Select one of them, for instance with organisation={names[0]}",
            rule="one organisation",
        )


def _names(text: str, hosts: Sequence[Host]) -> tuple[str, ...]:
    """The names that *text* lists, whether or not a host has them; empty where it is a selector."""
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    known = {host.name.lower() for host in hosts}
    if all(name.lower() in known for name in names):
        return names
    # A word without any sign of a selector is a mistyped name: so the error can suggest the right one.
    plain = all(_NAME.fullmatch(name) for name in names)
    return names if plain and text.strip().lower() != "all" else ()


def _nearest(selector: Selector, hosts: Sequence[Host]) -> str:
    """``Did you mean 'AMS-EX01'?`` for a value in *selector* that no host has; empty where there is none."""
    match selector:
        case Match(attribute, pattern) if not any(selector.matches(host) for host in hosts):
            return suggestion(pattern, {value for host in hosts for value in ATTRIBUTES[attribute](host)})
        case Not(operand):
            return _nearest(operand, hosts)
        case And(left, right) | Or(left, right):
            return _nearest(left, hosts) or _nearest(right, hosts)
        case _:
            return ""


def _listed(hosts: Iterable[Host]) -> str:
    return ", ".join(host.name for host in hosts) or "none"
