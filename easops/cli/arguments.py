"""The words of a command line as values: names, parameters, selectors, durations, inventories."""

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


def entry(table: Mapping[str, N], name: str, kind: str) -> N:
    """The entry of that name. Raises BadInput with the names that exist."""
    from easops.registry import entry_of

    return entry_of(table, name, kind)


def hosts_of(inventory: Path | None) -> tuple[Host, ...]:
    """The hosts of the inventory: ``--inventory``, or EASOPS_INVENTORY. Raises BadInput, DocumentError."""
    from easops.errors import BadInput
    from easops.inventory.load import load_inventory

    path = inventory or os.environ.get("EASOPS_INVENTORY")
    if not path:
        raise BadInput(
            "there is no inventory",
            "neither --inventory nor EASOPS_INVENTORY names one",
            "write an inventory, or add --lab to try it on a simulated organisation",
        )
    return load_inventory(path).hosts


def check_lab(lab: bool, scenario: str | None, seed: int | None, inventory: Path | None) -> None:
    """Raise BadInput where ``--lab``, ``--scenario``, ``--seed`` and ``--inventory`` do not go together."""
    from easops.errors import BadInput

    if lab and inventory is not None:
        raise BadInput("--lab and --inventory exclude each other", "the lab brings its own hosts", "leave one out")
    for option, value in (("--scenario", scenario), ("--seed", seed)):
        if value is not None and not lab:
            raise BadInput(
                f"{option} needs --lab",
                "without --lab the command works on real servers",
                f"add --lab, or leave {option} out",
            )


def credentials_of(inventory: Path | None) -> tuple[Host, ...] | None:
    """The hosts of an inventory from which only credentials are taken; None if none is named."""
    return None if inventory is None else hosts_of(inventory)


def notifications_of(file: Path | None, recorded: Any = None, *, check_secrets: bool = True) -> Notifications | None:
    """Who is notified when a run ends: the file of ``--notify`` or EASOPS_NOTIFY, else the *recorded* channels.

    *check_secrets* reads each secret of the file once, so that a missing one is reported before anything runs. It is
    False for a run that another machine may execute, or that was recorded on another one. Raises BadInput,
    DocumentError.
    """
    from easops.notify import Notifications, load_notifications

    path = file or os.environ.get("EASOPS_NOTIFY")
    if not path:
        return None if recorded is None else Notifications.of_record(recorded)
    notifications = load_notifications(path)
    if check_secrets:
        notifications.check()
    return notifications


def notifications_or_warning(file: Path | None, recorded: Any) -> Notifications | None:
    """As ``notifications_of``, for undo and resume: a problem in them is reported, and does not stop the command. A
    missing secret is reported at the end, for its own channel."""
    from easops.errors import EasopsError
    from easops.report.terminal.error import error_lines, three_lines

    try:
        return notifications_of(file, recorded, check_secrets=False)
    except EasopsError as error:
        Console().error([*three_lines("nobody will be notified when this run ends"), *error_lines(error)])
        return None


def select(selector: str, hosts: Sequence[Host]) -> tuple[Host, ...]:
    """The hosts that *selector* selects. Raises BadInput if it selects none."""
    from easops.inventory.select import select_some

    return select_some(selector, hosts)


def inputs(pairs: Iterable[str]) -> dict[str, str]:
    """``name=value`` texts as a mapping. Raises BadInput."""
    from easops.errors import BadInput

    values: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise BadInput(
                f"--input {pair!r} is not valid", "an input is written as name=value", "for example --input window=30m"
            )
        if name in values:
            raise BadInput(
                f"the input {name!r} is set twice", "", "set it once; separate the items of a list by commas"
            )
        values[name] = value
    return values


def items(texts: Iterable[str], option: str) -> tuple[str, ...]:
    """The items of an option that may be given several times, each time with several items. Raises BadInput."""
    from easops.errors import BadInput
    from easops.parameter import ParameterError, split_list

    try:
        return tuple(item for text in texts for item in split_list(text))
    except ParameterError as error:
        raise BadInput(f"{option} cannot be read", str(error), "quote the item, or write its address") from None


def parameter_values(words: Iterable[str], parameters: Sequence[Parameter], subject: str) -> dict[str, Any]:
    """``name=value`` words as checked values; parameters that were not typed are left out.

    The name may be omitted for the only required text parameter, or, if none is required, for the only text parameter.
    Raises BadInput.
    """
    from easops.document import suggestion
    from easops.errors import BadInput
    from easops.parameter import ParameterError

    known = {parameter.name: parameter for parameter in parameters if parameter.kind != "result"}
    texts = [parameter for parameter in known.values() if parameter.kind == "text"]
    nameless = [parameter.name for parameter in texts if parameter.required] or [parameter.name for parameter in texts]
    described = [f"{parameter.name} ({parameter.help or parameter.kind})" for parameter in known.values()]
    takes = f"it takes {', '.join(described)}" if known else "it takes no parameters"
    values: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals and len(nameless) == 1:
            name, value = nameless[0], word
        elif not equals:
            raise BadInput(f"{subject}: {word!r} has no parameter name", takes, "write it as name=value")
        if name not in known:
            raise BadInput(f"{subject} has no parameter {name!r}", takes, suggestion(name, known))
        if name in values:
            raise BadInput(f"{subject}: {name} is set twice", "", "set it once; separate the items of a list by commas")
        try:
            values[name] = known[name].check(value)
        except ParameterError as error:
            raise BadInput(f"{subject}: the value of {name} is not valid", str(error), known[name].help) from None
    for name, parameter in known.items():
        if parameter.required and name not in values:
            raise BadInput(f"{subject}: {name} is missing", takes, f"add {name}=…")
    return values


def with_defaults(values: Mapping[str, Any], parameters: Sequence[Parameter]) -> dict[str, Any]:
    """The values of all *parameters*: *values*, and defaults for the others."""
    from easops.parameter import check_all

    return check_all(parameters, values)


def duration(text: str, option: str) -> dt.timedelta:
    """The duration of an option. Raises BadInput."""
    from easops.duration import DurationError, parse_duration
    from easops.errors import BadInput

    try:
        return parse_duration(text)
    except DurationError as error:
        raise BadInput(f"the value of {option} is not valid", str(error)) from None


def longest_wait(wait: str | None) -> dt.timedelta:
    """How long a run waits while another run changes the same target: ``--wait``; without it, 10 minutes, or on a
    terminal, where somebody watches and can stop it, without limit."""
    import datetime as dt
    import sys

    from easops.playbook.execution.run_options import WAIT

    if wait is not None:
        return duration(wait, "--wait")
    return dt.timedelta(days=365) if sys.stderr.isatty() and sys.stdin.isatty() else WAIT
