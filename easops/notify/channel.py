"""A channel: who is notified, of which ends, and how. Secrets are named by where they are found, never by value."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

import attrs

from easops.errors import BadInput
from easops.inventory.host import Credential
from easops.playbook.assessment.ending import Word
from easops.remoting.secret import Secret, read_secret

Source = Literal["env", "file", "keyring"]
Body = Literal["document", "text", "card"]
BODIES: Final[Mapping[Body, str]] = {
    "document": "the run as JSON, as --json prints it, with subject and text: for programs",
    "text": "only a text, in which chats see no commands or links: Slack, Mattermost, Google Chat",
    "card": "an Adaptive Card: a Workflows webhook of Microsoft Teams",
}
"""The bodies that a webhook can be sent."""

Tls = Literal["starttls", "tls", "none"]
TLS_PORTS: Final[Mapping[Tls, int]] = {"starttls": 587, "tls": 465, "none": 25}
"""How the connection to a mail server is encrypted, and the default port."""


@attrs.frozen
class Reference:
    """Where a secret is found: an environment variable, a file (its first line), or a service of the keyring."""

    source: Source
    name: str

    def __str__(self) -> str:
        return f"{self.source} {self.name}"


@attrs.frozen
class Webhook:
    """A URL that accepts a POST. *ca* is a PEM file with the authority that signed its certificate; None: the
    authorities that requests knows."""

    url: str | Reference
    headers: dict[str, str | Reference] = attrs.field(factory=dict)
    body: Body = "document"
    ca: Path | None = None


@attrs.frozen
class Mail:
    """A mail server and the recipients. *password* belongs to *username*; both None: no logon."""

    server: str
    port: int
    tls: Tls
    sender: str
    to: tuple[str, ...]
    username: str | None = None
    password: Reference | None = None
    ca: Path | None = None


@attrs.frozen
class LogFile:
    """A file to which one line of JSON is appended per end of a run."""

    path: Path


@attrs.frozen
class Channel:
    """A notification channel: its *name*, *when* it is used (the words for the ends of runs), and its *way*, which is a
    webhook, a mail or a file.

    Recorded runs hold channels under these names, so the fields are not renamed.
    """

    name: str
    when: tuple[Word, ...]
    way: Webhook | Mail | LogFile

    @property
    def references(self) -> Mapping[str, Reference]:
        """The secrets that the channel needs, by their purpose."""
        if isinstance(self.way, Webhook):
            values = {"url": self.way.url, **{f"header {name}": value for name, value in self.way.headers.items()}}
            return {purpose: value for purpose, value in values.items() if isinstance(value, Reference)}
        if isinstance(self.way, Mail) and self.way.password is not None:
            return {"password": self.way.password}
        return {}

    def secrets(self) -> Mapping[str, Secret]:
        """The secrets themselves. Raises BadInput if one cannot be read, or must not be sent unencrypted."""
        found = {purpose: self._secret(purpose, reference) for purpose, reference in self.references.items()}
        if isinstance(self.way, Webhook):
            url = found["url"].reveal() if "url" in found else str(self.way.url)
            why = url_problem(url, secret=bool(found))
            if why:
                raise BadInput(
                    f"the url of the notification {self.name!r} cannot be used",
                    why,
                    f"correct the value in {self.references['url']}" if "url" in found else "correct the url",
                )
        return found

    def _secret(self, purpose: str, reference: Reference) -> Secret:
        username = self.way.username if isinstance(self.way, Mail) and self.way.username else self.name
        try:
            return read_secret(Credential(self.name, username, reference.source, reference.name))
        except BadInput as error:
            raise BadInput(
                f"the {purpose} of the notification {self.name!r} cannot be read",
                error.why,
                f"set it ({reference}), or correct the notifications; easops notify tests them",
            ) from None


def url_problem(url: str, *, secret: bool) -> str:
    """Why a webhook cannot be sent to *url*; empty if it can. The url is never repeated: it may be a secret.

    *secret*: the url or a header is a secret.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "it is not a valid url"
    if parts.scheme not in ("http", "https"):
        return "it does not begin with https:// (or http://)"
    if any(character <= " " or character == "\x7f" for character in url):
        return "it contains a space or a line break"
    if not host or port == 0:
        return "there is no server after the //"
    if "@" in parts.netloc:
        return "it contains a user name; use a header instead"
    if parts.scheme == "http" and secret and not is_loopback(host):
        return "it begins with http://, which would send a secret unencrypted"
    return ""


def is_loopback(host: str) -> bool:
    """Whether *host* is this machine, so that nothing goes over a network."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
