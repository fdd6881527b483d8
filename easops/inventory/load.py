"""Reads the inventory file: the hosts, their endpoints, and where the passwords are.

```yaml
easops: 1
credentials:
  admin: {username: 'CONTOSO\\admin', password: {env: EASOPS_PASSWORD}}
  # or password: {file: password.txt}, {prompt: true}, {keyring: SERVICE}
defaults: {organisation: contoso, site: AMS}       # for the hosts that do not set them
hosts:
  - name: AMS-EX01
    version: 2016
    roles: [mailbox]
    endpoints:
      exchange: {url: "http://ams-ex01.contoso.com/PowerShell"}                       # kerberos, the current user
      windows: {url: "http://ams-ex01.contoso.com:5985/wsman", credential: admin}     # negotiate
      # or auth: basic over https, where the server allows it; ca: FILE for a certificate authority of your own
```
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import attrs

from easops.document import Checker, Node, suggestion
from easops.inventory.host import (
    AUTHS,
    DEFAULT_AUTH,
    PASSWORD_SOURCES,
    ROLES,
    TICKET_AUTHS,
    VERSIONS,
    Auth,
    Credential,
    Endpoint,
    Host,
    PasswordSource,
    Role,
    Version,
)
from easops.inventory.keys import CLIENT_VERSION, KEYS, NAME, NO_VARIABLE, PATHS, VARIABLE, Keys
from easops.inventory.select import select_some
from easops.yaml_reader import parse, read_text


@attrs.frozen
class Inventory:
    """An inventory: its *hosts*, in the order of the file. *source* is the path of the file."""

    hosts: tuple[Host, ...]
    source: Path

    def select(self, selector: str) -> tuple[Host, ...]:
        """The hosts that *selector* describes: ``site=AMS and role=mailbox``, ``name=AMS-*``, ``all``.

        Raises BadInput where the text is not a selector, or it selects no host.
        """
        return select_some(selector, self.hosts)


def load_inventory(path: Path | str) -> Inventory:
    """Read an inventory file (YAML). It reads where each password is, not the password.

    Paths in the file (``ca``, ``password: {file}``) are relative to its folder.

    Raises:
        BadInput: the file cannot be read, or is not a valid inventory. The error has all problems at once, each with
            ``file:line:column``.
    """
    path = Path(path)
    return read_inventory(read_text(path), path)


def read_inventory(text: str, path: Path) -> Inventory:
    """As ``load_inventory``, for the *text* of a file *path*, which need not exist yet."""
    checker = Checker(str(path))
    root = parse(text, checker)
    hosts = _Reader(checker, path.absolute()).inventory(root)
    checker.finish()
    return Inventory(hosts, path)


def _optional(level: str) -> Keys:
    return Keys((), KEYS[level].optional)


class _Reader:
    """Reads the tree of one inventory file. Problems go to the checker."""

    def __init__(self, checker: Checker, path: Path) -> None:
        self._checker = checker
        self._path = path
        self._folder = path.parent
        self._credentials: dict[str, Credential] = {}

    def inventory(self, root: Node) -> tuple[Host, ...]:
        check = self._checker
        top = self._entries(root, "an inventory", KEYS["inventory"])
        if "easops" in top and top["easops"].plain() != 1:
            check.add(top["easops"], "this version of easops reads inventory format 1", "", "Write `easops: 1`")
        if "credentials" in top:
            for name, node in check.named(top["credentials"], "credentials").items():
                self._credentials[name] = self._credential(name, node)
        defaults = self._defaults(top.get("defaults"))
        if "hosts" not in top:
            return ()
        nodes = check.items(top["hosts"], "hosts")
        if top["hosts"].items == ():
            check.add(top["hosts"], "hosts is empty", "an inventory needs at least one host")
        hosts = tuple(self._host(node, defaults) for node in nodes)
        self._check_duplicates(nodes, hosts)
        return hosts

    def _entries(self, node: Node, what: str, keys: Keys) -> Mapping[str, Node]:
        return self._checker.entries(node, what, required=keys.required, optional=keys.optional)

    def _credential(self, name: str, node: Node) -> Credential:
        fields = self._entries(node, f"the credential {name!r}", KEYS["credential"])
        username = self._checker.text(fields["username"], "the username") if "username" in fields else ""
        source, reference = self._password(fields["password"]) if "password" in fields else ("env", "")
        return Credential(name, username, cast("PasswordSource", source), reference)

    def _password(self, node: Node) -> tuple[str, str]:
        """The source of a password and its reference there; after a problem, an empty reference."""
        check = self._checker
        if isinstance(node.value, str | int | float):
            check.add(
                node,
                "a password does not belong in the inventory",
                "the file may be copied and shown to others",
                "Write {env: NAME_OF_A_VARIABLE}, {file: PATH}, {keyring: SERVICE} or {prompt: true}",
            )
            return "env", ""
        sources = self._entries(node, "a password", KEYS["password"])
        if node.entries is not None and len(node.entries) != 1:
            check.add(node, f"a password needs exactly one of {', '.join(PASSWORD_SOURCES)}")
        for source, value in sources.items():
            if source == "prompt":
                if value.value is not True:
                    check.add(value, "prompt can only be true", "", "Write {prompt: true}")
                return source, ""
            reference = check.text(value, f"the password's {source}")
            if source == "env" and reference and not VARIABLE.fullmatch(reference):
                check.add(value, *NO_VARIABLE)
                return "env", ""
            return source, str(self._folder / reference) if source == "file" else reference
        return "env", ""

    def _defaults(self, node: Node | None) -> Mapping[str, Node]:
        """The entries of ``defaults:``. It has no names and no urls: each host and endpoint has its own."""
        if node is None:
            return {}
        fields = self._entries(node, "defaults", _optional("host"))
        if "endpoints" in fields:
            endpoints = self._entries(fields["endpoints"], "the endpoints of defaults", KEYS["endpoints"])
            for name, endpoint in endpoints.items():
                self._entries(endpoint, f"the {name} endpoint of defaults", _optional("endpoint"))
        return fields

    def _host(self, node: Node, defaults: Mapping[str, Node]) -> Host:
        check = self._checker
        own = self._entries(node, "a host", KEYS["host"])
        fields = {**defaults, **own}
        name = check.text(own["name"], "the name of a host") if "name" in own else ""
        if name and not NAME.fullmatch(name):
            check.add(own["name"], f"a host cannot be called {name!r}", "a name has letters, digits, dots, - and _")
        for key in ("organisation", "version", "roles", "endpoints"):
            if key not in fields and node.entries is not None:
                check.add(node, f"the host {name!r} has no {key!r}", "the key is missing", f"Add `{key}:`")
        endpoints = self._endpoints(own.get("endpoints"), defaults.get("endpoints"), name)
        return Host(
            name=name,
            organisation=check.text(fields["organisation"], "the organisation") if "organisation" in fields else "",
            version=self._version(fields["version"]) if "version" in fields else "SE",
            roles=self._roles(fields["roles"]) if "roles" in fields else frozenset(),
            site=check.text(fields["site"], "the site") if "site" in fields else "",
            exchange=endpoints.get("exchange"),
            windows=endpoints.get("windows"),
            log_folder=check.text(fields["log_folder"], "log_folder") if "log_folder" in fields else None,
            inventory=self._path,
        )

    def _version(self, node: Node) -> Version:
        version = str(node.value).upper() if node.entries is None and node.items is None else node.kind
        if version in VERSIONS:
            return version
        self._checker.add(
            node,
            f"there is no Exchange version {node.value!r}"
            if node.kind in ("text", "a number")
            else f"{node.kind} is not an Exchange version",
            f"there are {', '.join(VERSIONS)}",
        )
        return "SE"

    def _roles(self, node: Node) -> frozenset[Role]:
        nodes = self._checker.items(node, "roles")
        if node.items == ():
            self._checker.add(node, "roles is empty", f"there are {', '.join(ROLES)}")
        roles = [self._checker.one_of(item, "a role", ROLES) for item in nodes]
        return frozenset(cast("Role", role) for role in roles if role is not None)

    def _endpoints(self, own: Node | None, defaults: Node | None, host: str) -> dict[str, Endpoint]:
        if own is None:
            return {}
        check = self._checker
        nodes = self._entries(own, f"the endpoints of {host!r}", KEYS["endpoints"])
        if own.entries == {}:
            check.add(own, f"the host {host!r} has no endpoint", "there are exchange, windows")
        usual = (defaults.entries if defaults is not None else None) or {}
        return {name: self._endpoint(name, node, usual.get(name)) for name, node in nodes.items()}

    def _endpoint(self, name: str, node: Node, defaults: Node | None) -> Endpoint:
        check = self._checker
        what = f"the {name} endpoint"
        own = self._entries(node, what, KEYS["endpoint"])
        usual = (defaults.entries if defaults is not None else None) or {}
        fields = {**{key: value for key, value in usual.items() if key in KEYS["endpoint"].optional}, **own}
        url = check.text(own["url"], f"the url of {what}") if "url" in own else ""
        scheme = self._url(name, url, own["url"]) if url else ""
        auth: str | None = DEFAULT_AUTH[name]
        if "auth" in fields:
            auth = check.one_of(fields["auth"], "auth", AUTHS)
        if auth == "basic" and scheme == "http":
            check.add(
                fields["auth"],
                "basic over plain http is refused",
                "it sends the password in clear text",
                "Use https, or kerberos, negotiate or ntlm, which encrypt every message",
            )
        credential = self._reference(fields["credential"]) if "credential" in fields else None
        if auth is not None and auth not in TICKET_AUTHS and "credential" not in fields and node.entries is not None:
            check.add(node, f"{what} has no 'credential'", f"{auth} needs a user and a password", "Add `credential:`")
        ca = self._ca(fields["ca"]) if "ca" in fields else None
        return Endpoint(url, cast("Auth", auth or DEFAULT_AUTH[name]), credential, ca)

    def _url(self, name: str, url: str, node: Node) -> str:
        """The scheme of a url; empty, with the problem noted, where the url is not valid."""
        form = f"https://server{PATHS[name]}"
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            self._checker.add(node, f"the url of the {name} endpoint is not valid", str(error), f"Write {form}")
            return ""
        if "@" in parts.netloc:
            # The url is not repeated in the message: it may contain a password.
            self._checker.add(node, "a url cannot contain a user name", "", "Name it with `credential:`")
            return ""
        why = ""
        if parts.scheme not in ("http", "https"):
            why = "it must begin with https:// or http://"
        elif not host or re.search(r"[\s\x00-\x1f]", url):
            why = "there is no valid server name after the //"
        elif port == 0:
            why = "there is no port 0"
        elif "#" in url or ("?" in url and not (name == "exchange" and CLIENT_VERSION.fullmatch(parts.query))):
            why = (
                "after ? it may have only ExchClientVer=15.0.1497.2, a version of Exchange, and no #"
                if name == "exchange"
                else "it cannot contain ? or #"
            )
        elif parts.path.rstrip("/").lower() != PATHS[name].lower():
            why = f"its path must be {PATHS[name]}"
        if why:
            self._checker.add(node, f"{url!r} cannot be the {name} endpoint", why, f"Write {form}")
            return ""
        return parts.scheme

    def _reference(self, node: Node) -> Credential | None:
        name = self._checker.text(node, "the credential")
        if name and name not in self._credentials:
            known = ", ".join(self._credentials)
            self._checker.add(
                node,
                f"there is no credential {name!r}",
                f"there are {known}" if known else "the inventory has no credentials",
                suggestion(name, self._credentials) or "Add it under `credentials:`",
            )
        return self._credentials.get(name)

    def _ca(self, node: Node) -> Path | None:
        text = self._checker.text(node, "ca")
        if not text:
            return None
        path = self._folder / text
        try:
            exists = path.is_file()
        except (OSError, ValueError):  # ValueError: a NUL in the path
            exists = False
        if not exists:
            self._checker.add(
                node, f"there is no file {str(path)!r}", "ca must name the PEM file of a certificate authority"
            )
        return path

    def _check_duplicates(self, nodes: tuple[Node, ...], hosts: tuple[Host, ...]) -> None:
        """Note hosts of the same name or address: a run would act on such a server twice."""
        names: dict[str, Node] = {}
        servers: dict[str, Host] = {}
        for node, host in zip(nodes, hosts, strict=True):
            name = (node.entries or {}).get("name", node)
            if host.name and (first := names.setdefault(host.name.lower(), name)) is not name:
                self._checker.add(name, f"two hosts are called {host.name!r}", f"the first is in line {first.line}")
            if host.windows is None or not host.windows.url.startswith(("http://", "https://")):
                continue
            try:
                address = host.windows.address
            except ValueError:  # not a valid port, which is a problem of the url already
                continue
            other = servers.setdefault(address, host)
            if other is not host and other.name.lower() != host.name.lower():
                self._checker.add(
                    name,
                    f"{other.name!r} and {host.name!r} are the same server",
                    f"the windows endpoint of both is {address}",
                )
