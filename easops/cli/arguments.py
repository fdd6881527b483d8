"""What was given on the command line, as values: words, selectors, durations, inventories."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from easops.cli.console import Console

if TYPE_CHECKING:
    import datetime as dt

    from easops.inventory.host import Host
    from easops.notify import Notifications
    from easops.parameter import Parameter

N = TypeVar("N")


def named(table: Mapping[str, N], name: str, kind: str) -> N:
    """The entry of that name. Raises BadInput with the names that there are."""
    from easops.registry import entry_of

    return entry_of(table, name, kind)


def hosts_of(inventory: Path | None) -> tuple[Host, ...]:
    """The hosts of the inventory, of ``--inventory`` or EASOPS_INVENTORY. Raises BadInput, DocumentError."""
    from easops.errors import BadInput
    from easops.inventory.load import load_inventory

    path = inventory or os.environ.get("EASOPS_INVENTORY")
    if not path:
        raise BadInput(
            "there is no inventory",
            "neither --inventory nor EASOPS_INVENTORY names one",
            "write one, or try it in the lab: easops lab start prints an inventory that works as it is",
        )
    return load_inventory(path).hosts


def credentials_of(inventory: Path | None) -> tuple[Host, ...] | None:
    """The hosts of an inventory that supplies credentials only; None where none was named."""
    return None if inventory is None else hosts_of(inventory)


def notifications_of(file: Path | None, recorded: Any = None, *, here: bool = True) -> Notifications | None:
    """Who is told of a run's end: those of the file, of ``--notify`` or EASOPS_NOTIFY; else those of its record.

    Each secret of the file's is read once, where a run begins *here*: one that is missing is told before anything
    runs. One of the record's may be missing on this machine. Raises BadInput, DocumentError.
    """
    from easops.notify import Notifications, load_notifications

    path = file or os.environ.get("EASOPS_NOTIFY")
    if not path:
        return None if recorded is None else Notifications.of_record(recorded)
    held = load_notifications(path)
    if here:
        held.check()
    return held


def notifications_or_warning(file: Path | None, recorded: Any) -> Notifications | None:
    """As ``notifications_of``, for undo and resume: a problem in them is reported, and does not stop the command. A
    missing secret is reported at the end, for its own channel."""
    from easops.errors import EasopsError
    from easops.report.terminal.error import error_lines, three_lines

    try:
        return notifications_of(file, recorded, here=False)
    except EasopsError as error:
        Console().trouble([*three_lines("nobody will be told how this ends"), *error_lines(error)])
        return None


def selected(selector: str, hosts: Sequence[Host]) -> tuple[Host, ...]:
    """The hosts that *selector* selects; none is a BadInput."""
    from easops.inventory.select import select_some

    return select_some(selector, hosts)


def inputs(pairs: Iterable[str]) -> dict[str, str]:
    """``k=v`` texts as a mapping. Raises BadInput."""
    from easops.errors import BadInput

    values: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise BadInput(f"--input {pair!r} is no input", "it has the form name=value", "as in --input window=30m")
        if name in values:
            raise BadInput(f"the input {name!r} is given twice", "", "give it once; a list has commas")
        values[name] = value
    return values


def parameter_values(words: Iterable[str], parameters: Sequence[Parameter], subject: str) -> dict[str, Any]:
    """``key=value`` words as checked values of *parameters*, those that were given alone.

    The value of the one required text parameter may stand bare; where none is required, that of the only one.
    Raises BadInput.
    """
    from easops.document import suggestion
    from easops.errors import BadInput
    from easops.parameter import ParameterError

    known = {parameter.name: parameter for parameter in parameters if parameter.kind != "result"}
    texts = [parameter for parameter in known.values() if parameter.kind == "text"]
    bare = [parameter.name for parameter in texts if parameter.required] or [parameter.name for parameter in texts]
    takes = f"it takes {', '.join(f'{held.name} ({held.help or held.kind})' for held in known.values())}"
    takes = takes if known else "it takes none"
    given: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals and len(bare) == 1:
            name, value = bare[0], word
        elif not equals:
            raise BadInput(f"{subject}: {word!r} has no name", takes, "write it as name=value")
        if name not in known:
            raise BadInput(f"{subject} has no parameter {name!r}", takes, suggestion(name, known))
        if name in given:
            raise BadInput(f"{subject}: {name} is given twice", "", "give it once; a list has commas")
        try:
            given[name] = known[name].check(value)
        except ParameterError as error:
            raise BadInput(f"{subject}: {name} cannot be this", str(error), known[name].help) from None
    for name, parameter in known.items():
        if parameter.required and name not in given:
            raise BadInput(f"{subject}: {name} is missing", takes, f"add {name}=…")
    return given


def with_defaults(given: Mapping[str, Any], parameters: Sequence[Parameter]) -> dict[str, Any]:
    """The values of all *parameters*: those given, and the defaults."""
    from easops.parameter import check_all

    return check_all(parameters, given)


def duration(text: str, option: str) -> dt.timedelta:
    """The duration of an option. Raises BadInput."""
    from easops.duration import DurationError, parse_duration
    from easops.errors import BadInput

    try:
        return parse_duration(text)
    except DurationError as error:
        raise BadInput(f"{option} cannot be this", str(error)) from None


def patience(wait: str | None) -> dt.timedelta:
    """How long a run waits for a target that another holds: ``--wait``; else on a terminal without end, as a person
    watches, and off one 10 minutes."""
    import datetime as dt
    import sys

    from easops.playbook.execution.execute_run import WAIT

    if wait is not None:
        return duration(wait, "--wait")
    return dt.timedelta(days=365) if sys.stderr.isatty() and sys.stdin.isatty() else WAIT
