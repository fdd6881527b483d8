"""Imports hosts from an Ansible inventory, as ``ansible-inventory --list`` prints it.

Every Ansible inventory has that form, whatever file, script or cloud it comes from, and a play can make it from its
``hostvars``. A host is imported if a variable ``easops_…`` is set for it. Nothing is guessed: what easops does not
support, or cannot read, is a problem of that host or a note.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from easops.document import DocumentError, Problem
from easops.inventory.ansible_host import AnsibleHost, read_host
from easops.inventory.host import Credential, Endpoint, Host
from easops.inventory.load import read_inventory
from easops.inventory.write import inventory_text


@attrs.frozen
class ImportedInventory:
    """*text* is the easops inventory; *notes* say what was left out, and where passwords are looked for."""

    text: str
    hosts: tuple[Host, ...]
    notes: tuple[str, ...]


def from_ansible(text: str, source: str) -> ImportedInventory:
    """The hosts in the output of ``ansible-inventory --list``. Relative paths in it are relative to the current folder.

    *source* is the file name that problems show. Raises DocumentError with every problem of every host.
    """
    names, hostvars = _hostvars(text, source)
    selected = {
        name: variables
        for name, variables in hostvars.items()
        if any(variable.startswith("easops_") for variable in variables)
    }
    if not selected:
        raise _refusal(
            source,
            "no host has a variable easops_…",
            f"there are {len(names)} hosts in it" if names else "it has no hosts",
            "Give the group of your Exchange servers easops_organisation, easops_version and easops_roles",
        )
    read = [read_host(name, variables, source) for name, variables in selected.items()]
    problems = [problem for one in read for problem in one.problems or _loader_problems(one.host, source)]
    if problems:
        raise DocumentError(problems)
    hosts = _with_distinct_credentials(one.host for one in read)
    if problems := _credential_problems(hosts, source):
        raise DocumentError(problems)
    inventory = inventory_text(hosts)
    # Loaded as a whole: only now does it show that two hosts are the same server.
    loaded = read_inventory(inventory, Path(source)).hosts
    left_out = [name for name in names if name not in selected]
    return ImportedInventory(inventory, loaded, tuple(_notes(loaded, left_out, _unread(read))))


def _refusal(source: str, what: str, why: str, next_step: str) -> DocumentError:
    return DocumentError([Problem(source, None, None, what, why, next_step)])


def _unread(hosts: Iterable[AnsibleHost]) -> Mapping[str, Sequence[str]]:
    """The variables of connections that easops does not read, with the hosts that have them."""
    unread: dict[str, list[str]] = {}
    for one in hosts:
        for variable in one.unread:
            unread.setdefault(variable, []).append(one.host.name)
    return unread


def _hostvars(text: str, source: str) -> tuple[Sequence[str], Mapping[str, Mapping[str, Any]]]:
    """The names of all hosts, and the variables of those that have any."""
    command = "Pipe the output of `ansible-inventory --list`, without --yaml, --toml or --export"
    try:
        tree = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        why = str(error) if text.strip() else "it is empty"
        raise _refusal(source, "this is not JSON", why, command) from None
    meta = tree.get("_meta") if isinstance(tree, dict) else None
    hostvars = meta.get("hostvars") if isinstance(meta, dict) else None
    if not isinstance(hostvars, dict) or not all(isinstance(variables, dict) for variables in hostvars.values()):
        raise _refusal(source, "this is not an Ansible inventory", "it has no _meta.hostvars", command)
    groups = [group for name, group in tree.items() if name != "_meta" and isinstance(group, dict)]
    if any(group.get("vars") for group in groups):
        # With --export the variables of a group are printed with the group, and no longer with its hosts.
        why = "the variables of groups are not in those of their hosts"
        raise _refusal(source, "this was made with --export", why, command)
    listed = [name for group in groups for name in group.get("hosts") or () if isinstance(name, str)]
    return list(dict.fromkeys([*hostvars, *listed])), hostvars


def _with_distinct_credentials(hosts: Iterable[Host]) -> list[Host]:
    """The hosts, with a credential name for each user: two users of different domains may have the same short name."""
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
    """Every credential, with the first host that uses it."""
    first_hosts: dict[Credential, str] = {}
    for host in hosts:
        for endpoint in (host.windows, host.exchange):
            if endpoint is not None and endpoint.credential is not None:
                first_hosts.setdefault(endpoint.credential, host.name)
    return first_hosts


def _credential_problems(hosts: Iterable[Host], source: str) -> list[Problem]:
    """A problem for each user with two passwords, and for each two users with the same password."""
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
            what = f"{other.username} and {credential.username} have the same password"
            why = f"both are in {_place(credential)}"
        else:
            continue
        problems.append(
            Problem(source, None, None, f"{host}: {what}", why, "Say with easops_password where each one is")
        )
    return problems


def _place(credential: Credential) -> str:
    kinds = {"env": "the environment variable ", "file": "", "keyring": "the keyring ", "prompt": "a prompt"}
    return kinds[credential.source] + credential.reference


def _loader_problems(host: Host, source: str) -> list[Problem]:
    """The loader's problems with one host, with its name instead of lines of a file that nobody has seen yet."""
    try:
        read_inventory(inventory_text([host]), Path(source))
    except DocumentError as error:
        return [
            attrs.evolve(problem, line=None, column=None, what=f"{host.name}: {problem.what}")
            for problem in error.problems
        ]
    return []


def _notes(hosts: Sequence[Host], left_out: Sequence[str], unread: Mapping[str, Sequence[str]]) -> Iterable[str]:
    for credential in _credentials(hosts):
        source = "asks for it" if credential.source == "prompt" else f"reads it from {_place(credential)}"
        yield f"the password of {credential.username} is not imported: easops {source}"
    by_ticket = [host.name for host in hosts if host.windows is not None and host.windows.credential is None]
    if by_ticket:
        yield f"no ansible_user: the user who runs easops logs on to {_listed(by_ticket)} with a Kerberos ticket"
    without_exchange = [host.name for host in hosts if host.exchange is None]
    if without_exchange:
        yield f"no exchange endpoint: {_listed(without_exchange)} (set easops_exchange_url)"
    for variable, names in unread.items():
        yield f"{variable} is not imported: easops does not use it ({_listed(names)})"
    if left_out:
        yield f"not imported, as no easops_… variable is set: {_listed(left_out)}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 6 else ""
    return ", ".join(names[: 5 if more else None]) + more
