"""Between pipelines and the world: a bound cmdlet or a known script is answered by the world at its time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, get_args

from easops.lab.call import Call, Endpoint
from easops.lab.cmdlets import CMDLETS
from easops.lab.scripts import SCRIPTS
from easops.lab.value import CmdletFailed, ErrorInfo, NonTerminating
from easops.lab.world import World


class WorldBackend:
    """Answers the pipelines of any number of threads."""

    def __init__(self, world: World) -> None:
        self._world = world

    def new_pipeline(self) -> WorldPipeline:
        return WorldPipeline(self._world)

    def is_down(self, server: str) -> bool:
        return self._world.is_down(server)


class WorldPipeline:
    """Answers the commands of one pipeline. It begins with the first of them, and all have that moment."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._began: float | None = None

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
        call = Call(server, user, cmdlet, parameters, input, settings)
        try:
            return self._world.perform(CMDLETS[cmdlet], call, self._moment(server))
        except CmdletFailed as error:
            if endpoint == "exchange":
                # Exchange's cmdlets write their errors, and the pipeline completes.
                return [NonTerminating(error.error)]
            raise

    def script(self, server: str, user: str, digest: str, parameters: Mapping[str, Any]) -> Iterable[Any]:
        for twin in SCRIPTS.values():
            if twin.digest == digest:
                return self._world.perform(twin, Call(server, user, twin.name, parameters), self._moment(server))
        raise CmdletFailed(
            ErrorInfo(
                "The lab cannot run script text; it recognises the scripts of easops, and this is not one of them.",
                "System.NotSupportedException",
                "LabUnknownScript",
                "NotImplemented",
                target=digest,
            )
        )

    def _moment(self, server: str) -> float:
        """When the pipeline began, in seconds since 1970."""
        if self._began is None:
            self._began = self._world.begin_call(server)
        return self._began

    def commands(self, endpoint: Endpoint) -> Collection[str]:
        return _COMMANDS[endpoint]


_COMMANDS: Final[Mapping[Endpoint, frozenset[str]]] = {
    endpoint: frozenset(cmdlet.name for cmdlet in CMDLETS.values() if cmdlet.endpoint == endpoint)
    for endpoint in get_args(Endpoint)
}
