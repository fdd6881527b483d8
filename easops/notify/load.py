"""The notifications file: who is told of a run's end, and by which way.

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
from easops.inventory.keys import NAME, Keys
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
    is_here,
    why_no_url,
)
from easops.notify.notifications import Notifications
from easops.playbook.assessment.ending import WORDS, Word
from easops.yaml_reader import parse, read_text

DEFAULT: Final[tuple[Word, ...]] = ("approval", "trouble", "changed", "found")
"""Of what a channel is told that does not say it: of all but the ends with nothing to tell."""

MOST: Final = 16
"""Channels of a file; each is told in a thread of its own."""

WAYS: Final = ("webhook", "smtp", "file")

KEYS: Final[Mapping[str, Keys]] = {
    "notifications": Keys(("easops", "notifications")),
    "channel": Keys(("name",), ("when", *WAYS)),  # and exactly one of the ways
    "webhook": Keys(("url",), ("headers", "body", "ca")),
    "smtp": Keys(("server", "from", "to"), ("port", "tls", "username", "password", "ca")),
    "secret": Keys((), ("env", "file")),  # exactly one of them
    "password": Keys((), ("env", "file", "keyring")),  # exactly one of them
}

HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
"""The name of a header. Source: RFC 9110, 5.6.2."""

OURS: Final = ("content-type", "content-length", "transfer-encoding", "host", "connection")
"""Headers that easops sets."""


def load_notifications(path: Path | str) -> Notifications:
    """Read a notifications file. Secrets are not read, only where they are found (``Notifications.check`` does).

    Paths in it are relative to the file. Raises DocumentError with every problem.
    """
    path = Path(path)
    checker = Checker(str(path))
    root = parse(read_text(path), checker)
    channels = _Reader(checker, path.absolute().parent).channels(root)
    checker.finish()
    return Notifications(channels)


class _Reader:
    """Reads the tree of one file; problems go to the checker."""

    def __init__(self, checker: Checker, folder: Path) -> None:
        self._checker = checker
        self._folder = folder

    def channels(self, root: Node) -> tuple[Channel, ...]:
        check = self._checker
        top = self._entries(root, "a notifications file", "notifications")
        if "easops" in top and top["easops"].plain() != 1:
            check.add(top["easops"], "this easops reads notifications of format 1", "", "Write `easops: 1`")
        if "notifications" not in top:
            return ()
        nodes = check.items(top["notifications"], "notifications")
        if top["notifications"].items == ():
            check.add(top["notifications"], "notifications is empty", "it names at least one channel")
        if len(nodes) > MOST:
            check.add(nodes[MOST], f"there are {len(nodes)} notifications", f"there can be {MOST}")
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
                fields["name"], f"a notification cannot be called {name!r}", "a name has letters, digits, . - and _"
            )
        when = self._when(fields["when"]) if "when" in fields else DEFAULT
        ways = [way for way in WAYS if way in fields]
        if node.entries is not None and len(ways) != 1:
            check.add(
                node, f"a notification goes one way, and {name!r} has {len(ways)}", f"there are {', '.join(WAYS)}"
            )
        if not name or len(ways) != 1:
            return None
        given = fields[ways[0]]
        if ways[0] == "webhook":
            return Channel(name, when, self._webhook(given))
        return Channel(name, when, self._mail(given) if ways[0] == "smtp" else self._file(given))

    def _when(self, node: Node) -> tuple[Word, ...]:
        if node.items == ():
            self._checker.add(node, "when is empty, so that it is told of nothing", f"there are {', '.join(WORDS)}")
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
                secret = any(isinstance(held, Reference) for held in headers.values())
                why = why_no_url(url, secret=secret)
                if why or "?" in url:
                    why = why or "what stands after a ? is mostly a key to it"
                    check.add(fields["url"], "this cannot be the url of a webhook", why, _NOT_HERE)
        body = check.one_of(fields["body"], "the body of a webhook", BODIES) if "body" in fields else None
        return Webhook(url, headers, cast("Body", body or "document"), self._ca(fields))

    def _header(self, name: str, node: Node, key: Node) -> str | Reference:
        if not HEADER.fullmatch(name) or name.lower() in OURS:
            why = "easops sets it itself" if name.lower() in OURS else "its name has a character that none has"
            self._checker.add(key, f"{name!r} cannot be a header here", why)
        value = self._text_or_secret(node, f"the header {name}")
        if isinstance(value, str):
            if name.lower() in ("authorization", "proxy-authorization", "cookie") and value:
                self._checker.add(node, f"the value of {name} does not belong here", "it is a secret", _NOT_HERE)
            elif not value.isascii() or not value.isprintable():
                self._checker.add(node, f"the header {name} cannot be this", "a header is printable ASCII")
        return value

    def _mail(self, node: Node) -> Mail:
        check = self._checker
        fields = self._entries(node, "smtp", "smtp")
        tls = cast("Tls", (check.one_of(fields["tls"], "tls", TLS_PORTS) if "tls" in fields else None) or "starttls")
        port = check.integer(fields["port"], "port", minimum=1) if "port" in fields else TLS_PORTS[tls]
        if port > 65535:
            check.add(fields["port"], f"port is {port}", "there is none above 65535")
        server = check.text(fields["server"], "server") if "server" in fields else ""
        if server and not re.fullmatch(r"[A-Za-z0-9._:-]+", server):
            check.add(fields["server"], f"{server!r} is no name of a server", "its port is another key, port:")
        username = check.text(fields["username"], "username") if "username" in fields else None
        password = self._reference(fields["password"], "the password", "password") if "password" in fields else None
        if (username is None) != (password is None) and node.entries is not None:
            check.add(node, "username and password go together", "one of them is missing")
        if password is not None and tls == "none" and not is_here(server):
            check.add(fields["tls"], "tls: none with a password is refused", "it sends it in clear text")
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
        """One address, as ``NAME <user@server>`` or alone; a local part beyond ASCII few servers take."""
        given = self._checker.text(node, what)
        try:
            (address,) = policy.SMTP.header_factory("to", given).addresses
            good = bool(address.username and address.domain) and address.username.isascii() and given.isprintable()
        except (MessageError, IndexError, ValueError, AttributeError):  # what its parser says of some texts
            good = False
        if given and not good:
            self._checker.add(node, f"{what} is no mail address: {given!r}", "it has the form user@contoso.com")
        return given

    def _file(self, node: Node) -> LogFile:
        given = self._checker.text(node, "file")
        path = self._folder / given
        if given:
            why = why_no_file(path)
            if why:
                self._checker.add(node, f"{str(path)!r} cannot be written to", why)
        return LogFile(path)

    def _text_or_secret(self, node: Node, what: str) -> str | Reference:
        return self._checker.text(node, what) if node.entries is None else self._reference(node, what, "secret")

    def _reference(self, node: Node, what: str, level: str) -> Reference:
        """Where a secret is found; a bad one is noted and found nowhere."""
        check = self._checker
        if node.entries is None:
            check.add(node, f"{what} does not belong in this file", "the file is copied and shown", _NOT_HERE)
            return Reference("env", "")
        places = self._entries(node, what, level)
        if len(node.entries) != 1:
            check.add(node, f"{what} is found in exactly one of {', '.join(KEYS[level].optional)}")
        for source, value in places.items():
            name = check.text(value, f"the {source} of {what}")
            return Reference(cast("Source", source), str(self._folder / name) if source == "file" else name)
        return Reference("env", "")

    def _ca(self, fields: Mapping[str, Node]) -> Path | None:
        if "ca" not in fields:
            return None
        given = self._checker.text(fields["ca"], "ca")
        path = self._folder / given
        if given and not _is_file(path):
            self._checker.add(fields["ca"], f"there is no file {str(path)!r}", "ca names the PEM file of an authority")
        return path


_NOT_HERE: Final = "Write {env: NAME_OF_A_VARIABLE} or {file: PATH}"


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return False


def why_no_file(path: Path) -> str:
    """Why no line can be appended to a file; nothing where it can. What is no regular file could hold a run up."""
    try:
        if path.exists():
            if not path.is_file():
                return "it is no regular file"
            return "" if os.access(path, os.W_OK) else "this user may not write it"
        if not path.parent.is_dir():
            return f"there is no folder {str(path.parent)!r}"
        return "" if os.access(path.parent, os.W_OK) else "this user may make no file in its folder"
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or "it is no path"
