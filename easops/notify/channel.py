"""A channel: who is told, of what, and by which way. Secrets are named by where they are found."""

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
    "document": "the run as JSON, as --json gives it, with subject and text: for programs",
    "text": "a text alone, which no chat reads commands or links out of: Slack, Mattermost, Google Chat",
    "card": "an Adaptive Card: a Workflows webhook of Microsoft Teams",
}
"""What a webhook is sent."""

Tls = Literal["starttls", "tls", "none"]
TLS_PORTS: Final[Mapping[Tls, int]] = {"starttls": 587, "tls": 465, "none": 25}
"""How a mail server is spoken to, and the port where none is named."""


@attrs.frozen
class Reference:
    """Where a secret is found: an environment variable, a file (its first line), or a service of the keyring."""

    source: Source
    name: str

    def __str__(self) -> str:
        return f"{self.source} {self.name}"


@attrs.frozen
class Webhook:
    """An address that takes a POST. *ca* is a PEM file of the authority of its certificate; None: those that requests
    knows."""

    url: str | Reference
    headers: dict[str, str | Reference] = attrs.field(factory=dict)
    body: Body = "document"
    ca: Path | None = None


@attrs.frozen
class Mail:
    """A mail server, and who gets the mail. *password* is that of *username*; both None: no logon."""

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
    """A file that gets one line of JSON an end."""

    path: Path


@attrs.frozen
class Channel:
    """A notification channel: its *name*, *when* it is used (the words for the ends of runs), and its *way*, which is a
    webhook, a mail or a file."""

    name: str
    when: tuple[Word, ...]
    way: Webhook | Mail | LogFile

    @property
    def references(self) -> Mapping[str, Reference]:
        """The secrets that it needs, each under what it is."""
        if isinstance(self.way, Webhook):
            named = {"url": self.way.url, **{f"header {name}": held for name, held in self.way.headers.items()}}
            return {what: held for what, held in named.items() if isinstance(held, Reference)}
        if isinstance(self.way, Mail) and self.way.password is not None:
            return {"password": self.way.password}
        return {}

    def secrets(self) -> Mapping[str, Secret]:
        """The secrets themselves. Raises BadInput where one is not to be had, or must not be sent in clear text."""
        found = {what: self._secret(what, reference) for what, reference in self.references.items()}
        if isinstance(self.way, Webhook):
            url = found["url"].reveal() if "url" in found else str(self.way.url)
            why = why_no_url(url, secret=bool(found))
            if why:
                raise BadInput(
                    f"the url of the notification {self.name!r} cannot be used",
                    why,
                    f"correct what {self.references['url']} holds" if "url" in found else "correct it",
                )
        return found

    def _secret(self, what: str, reference: Reference) -> Secret:
        username = self.way.username if isinstance(self.way, Mail) and self.way.username else self.name
        try:
            return read_secret(Credential(self.name, username, reference.source, reference.name))
        except BadInput as error:
            raise BadInput(
                f"the notification {self.name!r} has no {what}",
                error.why,
                f"put it there ({reference}), or correct the notifications; easops notify tries them",
            ) from None


def why_no_url(url: str, *, secret: bool) -> str:
    """Why a webhook cannot be sent to *url*, which is never repeated; nothing where it can. *secret*: the url or a
    header is one."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "it is no url"
    if parts.scheme not in ("http", "https"):
        return "it does not begin with https:// (or http://)"
    if any(character <= " " or character == "\x7f" for character in url):
        return "it has a blank in it, or a line end"
    if not host or port == 0:
        return "it names no server after the //"
    if "@" in parts.netloc:
        return "it holds a user name; a header can carry it"
    if parts.scheme == "http" and secret and not is_here(host):
        return "it begins with http://, and would carry a secret in clear text"
    return ""


def is_here(host: str) -> bool:
    """Whether a name is this machine's own, so that nothing goes over a network."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
