"""What pipelines work with: the session, the world that answers commands, and the way to the client."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

import attrs

from easops.lab.call import Endpoint
from easops.lab.signatures.table import SignatureTable


@attrs.frozen
class Session:
    """Who opened a runspace pool, on which endpoint of which server; *signatures* are those of the server's version.
    *settings* are those that its cmdlets have made, which end with it."""

    server: str
    endpoint: Endpoint
    user: str
    signatures: SignatureTable
    settings: dict[str, Any] = attrs.field(factory=dict, eq=False)


class PipelineBackend(Protocol):
    """The world, as one pipeline sees it: all that the pipeline asks has the same moment."""

    def invoke(
        self,
        server: str,
        endpoint: Endpoint,
        user: str,
        cmdlet: str,
        parameters: Mapping[str, Any],
        input: tuple[Any, ...],
        settings: dict[str, Any],
    ) -> Iterable[Any]:
        """Output values, Warning_ and NonTerminating in order; raises CmdletFailed.

        *parameters* are bound and converted, without the common ones and without WhatIf and Confirm.
        """
        ...

    def script(self, server: str, user: str, digest: str, parameters: Mapping[str, Any]) -> Iterable[Any]:
        """The output of a known script (SHA-256 of its LF-normalised text); raises CmdletFailed for any other."""
        ...

    def commands(self, endpoint: Endpoint) -> Collection[str]:
        """Canonical names of the cmdlets that ``invoke`` answers."""
        ...


class Backend(Protocol):
    """The world. Called from several pipeline threads at once; it does its own locking."""

    def new_pipeline(self) -> PipelineBackend:
        """What the commands of one new pipeline ask."""
        ...

    def is_down(self, server: str) -> bool:
        """Whether *server* is down: it answers nobody."""
        ...


class Outlet(Protocol):
    """Takes the fragments for the client; *pipeline* None is the pool. Called from any thread."""

    def send(self, pipeline: uuid.UUID | None, fragments: Sequence[bytes]) -> None:
        """May block while the client is slow."""
        ...

    def done(self, pipeline: uuid.UUID) -> None:
        """The pipeline has sent its last message."""
        ...
