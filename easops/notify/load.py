"""Reading the notifications file: who is notified when a run ends, and how.

```yaml
easops: 1
notifications:
  - name: on-call
    when: [approval, trouble, changed]        # also: found, end
    webhook: {url: {env: TEAMS_URL}, body: card}
  - name: mail
    smtp: {server: mail.contoso.com, from: easops@contoso.com, to: [exchange@contoso.com], username: easops, password: {env: MAIL_PASSWORD}}
  - name: log
    when: [end]
    file: /var/log/easops/runs.jsonl
```
"""  # noqa: E501

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from email import policy
from email.errors import MessageError
from pathlib import Path
from typing import Final, cast

from easops.document import Checker, Node
from easops.inventory.keys import NAME, NO_VARIABLE, VARIABLE, Keys
from easops.notify.channel import (
    BODIES,
    TLS_PORTS,
    Body,
    Channel,
    LogFile,
    Mail,
    Reference,
    Source,
    Tls,
    Webhook,
    is_loopback,
    url_problem,
)
from easops.notify.notifications import Notifications
from easops.playbook.assessment.ending import WORDS, Word
from easops.yaml_reader import parse, read_text

DEFAULT_WHEN: Final[tuple[Word, ...]] = ("approval", "trouble", "changed", "found")
"""The ends that a channel without ``when`` is notified of: all except those where nothing happened."""

MAX_CHANNELS: Final = 16
"""The largest number of channels in a file; each is notified in its own thread."""

WAYS: Final = ("webhook", "smtp", "file")

KEYS: Final[Mapping[str, Keys]] = {
    "notifications": Keys(("easops", "notifications")),
    "channel": Keys(("name",), ("when", *WAYS)),  # and exactly one of WAYS
    "webhook": Keys(("url",), ("headers", "body", "ca")),
    "smtp": Keys(("server", "from", "to"), ("port", "tls", "username", "password", "ca")),
    "secret": Keys((), ("env", "file")),  # exactly one of them
    "password": Keys((), ("env", "file", "keyring")),  # exactly one of them
}

HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
"""A valid header name. Source: RFC 9110, 5.6.2."""

SET_BY_EASOPS: Final = ("content-type", "content-length", "transfer-encoding", "host", "connection")
"""Headers that easops sets itself."""


def load_notifications(path: Path | str) -> Notifications:
    """Read a notifications file. Secrets are not read here, only where they are found (see ``Notifications.check``).

    Paths in the file are relative to it. Raises DocumentError with every problem.
    """
    path = Path(path)
    checker = Checker(str(path))
    root = parse(read_text(path), checker)
    channels = _Reader(checker, path.absolute().parent).channels(root)
    checker.finish()
    return Notifications(channels)


class _Reader:
    """Reads the nodes of one file; reports problems to the checker."""

    def __init__(self, checker: Checker, folder: Path) -> None:
        self._checker = checker
        self._folder = folder

    def channels(self, root: Node) -> tuple[Channel, ...]:
        check = self._checker
        top = self._entries(root, "a notifications file", "notifications")
        if "easops" in top and top["easops"].plain() != 1:
            check.add(top["easops"], "this version of easops reads notifications of format 1", "", "Write `easops: 1`")
        if "notifications" not in top:
            return ()
        nodes = check.items(top["notifications"], "notifications")
        if top["notifications"].items == ():
            check.add(top["notifications"], "notifications is empty", "it must name at least one channel")
        if len(nodes) > MAX_CHANNELS:
            check.add(
                nodes[MAX_CHANNELS], f"there are {len(nodes)} notifications", f"at most {MAX_CHANNELS} are allowed"
            )
        names: dict[str, Node] = {}
        channels = []
        for node in nodes:
            channel = self._channel(node)
            where = (node.entries or {}).get("name", node)
            if channel is not None:
                channels.append(channel)
                if (first := names.setdefault(channel.name.lower(), where)) is not where:
                    check.add(
                        where, f"two notifications are called {channel.name!r}", f"the first is in line {first.line}"
                    )
        return tuple(channels)

    def _entries(self, node: Node, what: str, level: str) -> Mapping[str, Node]:
        return self._checker.entries(node, what, required=KEYS[level].required, optional=KEYS[level].optional)

    def _channel(self, node: Node) -> Channel | None:
        check = self._checker
        fields = self._entries(node, "a notification", "channel")
        name = check.text(fields["name"], "the name of a notification") if "name" in fields else ""
        if name and not NAME.fullmatch(name):
            check.add(
                fields["name"],
                f"{name!r} is not a valid name of a notification",
                "a name consists of letters, digits, . - and _",
            )
        when = self._when(fields["when"]) if "when" in fields else DEFAULT_WHEN
        ways = [way for way in WAYS if way in fields]
        if node.entries is not None and len(ways) != 1:
            check.add(node, f"{name!r} has {len(ways)} ways of notifying", f"give exactly one of {', '.join(WAYS)}")
        if not name or len(ways) != 1:
            return None
        way = fields[ways[0]]
        if ways[0] == "webhook":
            return Channel(name, when, self._webhook(way))
        return Channel(name, when, self._mail(way) if ways[0] == "smtp" else self._file(way))

    def _when(self, node: Node) -> tuple[Word, ...]:
        if node.items == ():
            self._checker.add(
                node, "when is empty, so the channel is never notified", f"it can have {', '.join(WORDS)}"
            )
        words = [self._checker.one_of(item, "a word of when", WORDS) for item in self._checker.items(node, "when")]
        return tuple(cast("Word", word) for word in dict.fromkeys(words) if word is not None)

    def _webhook(self, node: Node) -> Webhook:
        check = self._checker
        fields = self._entries(node, "a webhook", "webhook")
        url: str | Reference = ""
        headers: dict[str, str | Reference] = {}
        if "headers" in fields:
            for name, value in check.named(fields["headers"], "headers").items():
                headers[name] = self._header(name, value, fields["headers"].keys[name])
        if "url" in fields:
            url = self._text_or_secret(fields["url"], "the url of a webhook")
            if isinstance(url, str) and url:
                secret = any(isinstance(value, Reference) for value in headers.values())
                why = url_problem(url, secret=secret)
                if why or "?" in url:
                    why = why or "the part after the ? is usually a secret"
                    check.add(fields["url"], "this is not a valid url of a webhook", why, _NOT_HERE)
        body = check.one_of(fields["body"], "the body of a webhook", BODIES) if "body" in fields else None
        return Webhook(url, headers, cast("Body", body or "document"), self._ca(fields))

    def _header(self, name: str, node: Node, key: Node) -> str | Reference:
        if not HEADER.fullmatch(name) or name.lower() in SET_BY_EASOPS:
            why = (
                "easops sets it itself"
                if name.lower() in SET_BY_EASOPS
                else "it contains a character that is not allowed"
            )
            self._checker.add(key, f"{name!r} is not a valid header here", why)
        value = self._text_or_secret(node, f"the header {name}")
        if isinstance(value, str):
            if name.lower() in ("authorization", "proxy-authorization", "cookie") and value:
                self._checker.add(node, f"the value of {name} does not belong here", "it is a secret", _NOT_HERE)
            elif not value.isascii() or not value.isprintable():
                self._checker.add(node, f"the value of the header {name} is not valid", "a header is printable ASCII")
        return value

    def _mail(self, node: Node) -> Mail:
        check = self._checker
        fields = self._entries(node, "smtp", "smtp")
        tls = cast("Tls", (check.one_of(fields["tls"], "tls", TLS_PORTS) if "tls" in fields else None) or "starttls")
        port = check.integer(fields["port"], "port", minimum=1) if "port" in fields else TLS_PORTS[tls]
        if port > 65535:
            check.add(fields["port"], f"port {port} is not valid", "the highest port is 65535")
        server = check.text(fields["server"], "server") if "server" in fields else ""
        if server and not re.fullmatch(r"[A-Za-z0-9._:-]+", server):
            check.add(
                fields["server"], f"{server!r} is not a valid server name", "its port has a key of its own, port:"
            )
        username = check.text(fields["username"], "username") if "username" in fields else None
        password = self._reference(fields["password"], "the password", "password") if "password" in fields else None
        if (username is None) != (password is None) and node.entries is not None:
            check.add(node, "username and password need each other", "one of them is missing")
        if password is not None and tls == "none" and not is_loopback(server):
            check.add(fields["tls"], "tls: none with a password is refused", "the password would be sent unencrypted")
        to = check.items(fields["to"], "to") if "to" in fields else ()
        if "to" in fields and fields["to"].items == ():
            check.add(fields["to"], "to is empty")
        return Mail(
            server,
            port,
            tls,
            self._address(fields["from"], "from") if "from" in fields else "",
            tuple(self._address(item, "an address of to") for item in to),
            username,
            password,
            self._ca(fields),
        )

    def _address(self, node: Node, what: str) -> str:
        """One address, with or without a name: ``NAME <user@server>``. Few servers accept a local part beyond ASCII."""
        text = self._checker.text(node, what)
        try:
            (address,) = policy.SMTP.header_factory("to", text).addresses
            valid = bool(address.username and address.domain) and address.username.isascii() and text.isprintable()
        except (MessageError, IndexError, ValueError, AttributeError):  # what its parser raises for some texts
            valid = False
        if text and not valid:
            self._checker.add(node, f"{what} is not a valid mail address: {text!r}", "it has the form user@contoso.com")
        return text

    def _file(self, node: Node) -> LogFile:
        name = self._checker.text(node, "file")
        path = self._folder / name
        if name:
            why = file_problem(path)
            if why:
                self._checker.add(node, f"{str(path)!r} cannot be written to", why)
        return LogFile(path)

    def _text_or_secret(self, node: Node, what: str) -> str | Reference:
        return self._checker.text(node, what) if node.entries is None else self._reference(node, what, "secret")

    def _reference(self, node: Node, what: str, level: str) -> Reference:
        """Where a secret is found. If the node is wrong, the problem is reported, and the reference leads nowhere."""
        check = self._checker
        if node.entries is None:
            check.add(
                node, f"{what} does not belong in this file", "the file may be copied and shown to others", _NOT_HERE
            )
            return Reference("env", "")
        places = self._entries(node, what, level)
        if len(node.entries) != 1:
            check.add(node, f"{what} needs exactly one of {', '.join(KEYS[level].optional)}")
        for source, value in places.items():
            name = check.text(value, f"the {source} of {what}")
            if source == "env" and name and not VARIABLE.fullmatch(name):
                check.add(value, *NO_VARIABLE)
                return Reference("env", "")
            return Reference(cast("Source", source), str(self._folder / name) if source == "file" else name)
        return Reference("env", "")

    def _ca(self, fields: Mapping[str, Node]) -> Path | None:
        if "ca" not in fields:
            return None
        name = self._checker.text(fields["ca"], "ca")
        path = self._folder / name
        if name and not _is_file(path):
            self._checker.add(
                fields["ca"],
                f"the file {str(path)!r} does not exist",
                "ca names a PEM file with an authority's certificate",
            )
        return path


_NOT_HERE: Final = "Write {env: NAME_OF_A_VARIABLE} or {file: PATH}"


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return False


def file_problem(path: Path) -> str:
    """Why no line can be appended to *path*; empty if one can. Only regular files: others could block the run."""
    try:
        if path.exists():
            if not path.is_file():
                return "it is not a regular file"
            return "" if os.access(path, os.W_OK) else "this user may not write to it"
        if not path.parent.is_dir():
            return f"the folder {str(path.parent)!r} does not exist"
        return "" if os.access(path.parent, os.W_OK) else "this user may not create a file in its folder"
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or "it is not a valid path"
