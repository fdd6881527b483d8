"""A session that gives one answer to everything."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from easops.errors import EasopsError
from easops.remoting.command import Call
from easops.remoting.result import RemoteObject, Result
from easops.remoting.session import EndpointName


@attrs.define
class Scripted:
    """Answers with the *objects*, or raises; *asked* is what it was asked."""

    objects: Sequence[RemoteObject] | EasopsError
    asked: list[Call] = attrs.field(factory=list)
    host: str = "EX1"
    endpoint: EndpointName = "exchange"
    lacks: set[str] = attrs.field(factory=set)

    def connect(self, *, deadline: float = 30.0) -> None: ...

    def invoke(self, call: Call, *, deadline: float = 60.0) -> Result:
        self.asked.append(call)
        if isinstance(self.objects, EasopsError):
            raise self.objects
        return Result(tuple(self.objects))

    def close(self) -> None: ...
