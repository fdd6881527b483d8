"""Hosts of an Ansible inventory, as ``ansible-inventory --list`` prints it, taken over as an inventory of easops.

That JSON is the one form that every inventory of Ansible's has, whatever file, script or cloud it comes from; a play
can make the same of its ``hostvars``. A host is taken over where a variable ``easops_…`` says something of it. Nothing
is guessed: what easops has not, or cannot read, is a problem of that host, or is told.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from easops.document import DocumentError, Problem
from easops.inventory.ansible_host import read_host
from easops.inventory.host import Credential, Endpoint, Host
from easops.inventory.load import read_inventory
from easops.inventory.write import inventory_text


@attrs.frozen
class TakenOver:
    """*text* is the easops inventory; *notes* say what was left out, and where passwords are looked for."""

    text: str
    hosts: tuple[Host, ...]
    notes: tuple[str, ...]


def from_ansible(text: str, source: str) -> TakenOver:
    """The hosts of what ``ansible-inventory --list`` printed; relative paths in it are of the current folder.

    Raises DocumentError with every problem, each told with its host; *source* is what its place is called.
    """
    tree, variables = _tree(text, source)
    hosts: list[Host] = []
    problems: list[Problem] = []
    unread: dict[str, list[str]] = {}
    kept = {name: held for name, held in variables.items() if any(key.startswith("easops_") for key in held)}
    for name, held in kept.items():
        read = read_host(name, held, source)
        problems += read.problems or _problems_of(read.host, source)
        hosts.append(read.host)
        for variable in read.unread:
            unread.setdefault(variable, []).append(name)
    if not kept:
        raise DocumentError(
            [
                Problem(
                    source,
                    None,
                    None,
                    "no host is one of easops'",
                    f"none of its {len(tree)} hosts has a variable easops_…",
                    "Give the group of your Exchange servers easops_organisation, easops_version and easops_roles",
                )
            ]
        )
    if problems:
        raise DocumentError(problems)
    hosts = _named_apart(hosts)
    if problems := _one_place_each(hosts, source):
        raise DocumentError(problems)
    written = inventory_text(hosts)
    taken = read_inventory(written, Path(source)).hosts  # two hosts that are one server show only now
    return TakenOver(written, taken, tuple(_notes(taken, [name for name in tree if name not in kept], unread)))


def _tree(text: str, source: str) -> tuple[Sequence[str], Mapping[str, Mapping[str, Any]]]:
    """The names of all hosts, and the variables of those that have any."""

    def refuse(what: str, why: str, next_step: str) -> DocumentError:
        return DocumentError([Problem(source, None, None, what, why, next_step)])

    command = "Pipe what `ansible-inventory --list` prints, without --yaml, --toml or --export"
    try:
        tree = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        why = str(error) if text.strip() else "it is empty"
        raise refuse("this is no JSON", why, command) from None
    meta = tree.get("_meta") if isinstance(tree, dict) else None
    hostvars = meta.get("hostvars") if isinstance(meta, dict) else None
    if not isinstance(hostvars, dict) or not all(isinstance(held, dict) for held in hostvars.values()):
        raise refuse("this is no inventory of Ansible's", "it has no _meta.hostvars", command)
    groups = [group for name, group in tree.items() if name != "_meta" and isinstance(group, dict)]
    if any(group.get("vars") for group in groups):
        raise refuse("this was made with --export", "the variables of groups are not those of hosts there", command)
    listed = [name for group in groups for name in group.get("hosts") or () if isinstance(name, str)]
    return list(dict.fromkeys([*hostvars, *listed])), hostvars


def _named_apart(hosts: Iterable[Host]) -> list[Host]:
    """Two users of one short name, as of two domains, are two credentials."""
    names: dict[str, str] = {}

    def renamed(endpoint: Endpoint | None) -> Endpoint | None:
        if endpoint is None or endpoint.credential is None:
            return endpoint
        username = endpoint.credential.username
        if username not in names:
            taken = set(names.values())
            numbers = (endpoint.credential.name + (f"-{number}" if number > 1 else "") for number in range(1, 10**6))
            names[username] = next(name for name in numbers if name not in taken)
        return attrs.evolve(endpoint, credential=attrs.evolve(endpoint.credential, name=names[username]))

    return [attrs.evolve(host, exchange=renamed(host.exchange), windows=renamed(host.windows)) for host in hosts]


def _credentials(hosts: Iterable[Host]) -> dict[Credential, str]:
    """Every credential, and the first host that has it."""
    found: dict[Credential, str] = {}
    for host in hosts:
        for endpoint in (host.windows, host.exchange):
            if endpoint is not None and endpoint.credential is not None:
                found.setdefault(endpoint.credential, host.name)
    return found


def _one_place_each(hosts: Iterable[Host], source: str) -> list[Problem]:
    """A user has one password, and two users do not have the same."""
    problems = []
    by_user: dict[str, Credential] = {}
    by_place: dict[tuple[str, str], Credential] = {}
    for credential, host in _credentials(hosts).items():
        first = by_user.setdefault(credential.username, credential)
        place = (credential.source, credential.reference)
        other = credential if credential.source in ("prompt", "keyring") else by_place.setdefault(place, credential)
        if first is not credential:
            what, why = f"{credential.username} has two passwords", f"{_place(first)} and {_place(credential)}"
        elif other is not credential:
            what = f"{other.username} and {credential.username} have one password"
            why = f"that of both is found in {_place(credential)}"
        else:
            continue
        problems.append(Problem(source, None, None, f"{host}: {what}", why, "Say where with easops_password"))
    return problems


def _place(credential: Credential) -> str:
    kinds = {"env": "the environment variable ", "file": "", "keyring": "the keyring ", "prompt": "an answer"}
    return kinds[credential.source] + credential.reference


def _problems_of(host: Host, source: str) -> list[Problem]:
    """What the loader says of one host: told with its name, as nobody has seen the lines yet."""
    try:
        read_inventory(inventory_text([host]), Path(source))
    except DocumentError as error:
        return [
            attrs.evolve(problem, line=None, column=None, what=f"{host.name}: {problem.what}")
            for problem in error.problems
        ]
    return []


def _notes(hosts: Sequence[Host], left: Sequence[str], unread: Mapping[str, Sequence[str]]) -> Iterable[str]:
    for credential in _credentials(hosts):
        yield f"no password is taken over: that of {credential.username} is looked for in {_place(credential)}"
    own = [host.name for host in hosts if host.windows is not None and host.windows.credential is None]
    if own:
        yield f"no ansible_user: the ticket of whoever runs easops enters {_listed(own)}"
    without = [host.name for host in hosts if host.exchange is None]
    if without:
        yield f"no exchange endpoint: {_listed(without)} (easops_exchange_url names it)"
    for variable, names in unread.items():
        yield f"{variable} is not taken over: easops has its own way ({_listed(names)})"
    if left:
        yield f"not taken over, for want of an easops_… variable: {_listed(left)}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 6 else ""
    return ", ".join(names[: 5 if more else None]) + more
