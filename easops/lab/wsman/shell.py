"""The open shells of one server: each has a runspace pool, and its commands' output waits there to be fetched."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import OrderedDict
from collections.abc import Mapping, Sequence

import attrs

from easops.lab.call import Endpoint
from easops.lab.faults import Faults
from easops.lab.psrp.backend import Backend, Session
from easops.lab.psrp.runspace_pool import RunspacePool
from easops.lab.wsman.output_queue import OutputQueue
from easops.lab.wsman.soap import Fault

_KEPT_ANSWERS = 8  # answers to Receive that a shell keeps, for a client that sends the same request again
# PowerShellMaxConcurrency and MaxShellsPerUser; idle times in seconds (MaxShellIdleTimeoutMinutes 15; two hours).
_MAX_SHELLS: Mapping[Endpoint, int] = {"exchange": 18, "windows": 30}
_MIN_IDLE = 60.0  # the least that a client may ask for
_MAX_IDLE: Mapping[Endpoint, float] = {"exchange": 900.0, "windows": 7200.0}


@attrs.define(eq=False)
class Command:
    """One command of a shell: a pipeline, with its *output*; *cmdlets* as the client sent them."""

    id: str
    output: OutputQueue
    pipeline: uuid.UUID
    cmdlets: tuple[str, ...] = ()


class Shell:
    """One open shell, which is the Outlet of its runspace pool.

    *idle* is how long it may be unused, in seconds. *age* is that of the server when it was opened, see ``Faults.age``.
    """

    def __init__(self, id_: str, session: Session, backend: Backend, age: int, idle: float | None) -> None:
        self.id = id_
        self.session = session
        self.idle: float = min(idle or _MAX_IDLE[session.endpoint], _MAX_IDLE[session.endpoint])
        self.age = age
        self.opened: float = time.monotonic()
        self.used: float = self.opened
        self.loop: asyncio.AbstractEventLoop = asyncio.get_running_loop()
        self.output: OutputQueue = OutputQueue(self.loop)
        self.commands: dict[str, Command] = {}
        self.answers: OrderedDict[str, bytes] = OrderedDict()
        self._by_pipeline: dict[uuid.UUID, Command] = {}
        self.pool: RunspacePool = RunspacePool(session, backend, self)

    def send(self, pipeline: uuid.UUID | None, fragments: Sequence[bytes]) -> None:
        if pipeline is None:
            self.output.put(fragments)
        elif command := self._by_pipeline.get(pipeline):
            command.output.put(fragments)

    def done(self, pipeline: uuid.UUID) -> None:
        if command := self._by_pipeline.get(pipeline):
            command.output.finish()

    def add(self, command: Command) -> None:
        self.commands[command.id] = command
        self._by_pipeline[command.pipeline] = command

    def remove(self, command: Command) -> None:
        self.commands.pop(command.id, None)
        self._by_pipeline.pop(command.pipeline, None)
        command.output.close()

    def keep_answer(self, message_id: str, answer: bytes) -> None:
        self.answers[message_id] = answer
        while len(self.answers) > _KEPT_ANSWERS:
            self.answers.popitem(last=False)

    def close(self) -> None:
        self.pool.close()
        self.output.close()
        for command in list(self.commands.values()):
            self.remove(command)


class Shells:
    """The shells that are open on *server*, by id. One that is idle for too long, or expired by *faults*, is gone."""

    def __init__(self, server: str, faults: Faults) -> None:
        self._server = server
        self._faults = faults
        self._open: dict[str, Shell] = {}

    def check_quota(self, endpoint: Endpoint, user: str) -> None:
        """Raises Fault where *user* has as many shells as one may have."""
        now = time.monotonic()
        for shell in [shell for shell in self._open.values() if self._is_gone(shell, now)]:
            self.close(shell)
        most = _MAX_SHELLS[endpoint]
        own = [s for s in self._open.values() if s.session.user == user and s.session.endpoint == endpoint]
        if len(own) >= most or self._faults.refuses_shell(self._server):
            raise Fault(
                "w:QuotaLimit",
                2150859173,
                "The WS-Management service cannot process the request. This user is allowed a maximum number of "
                f"{most} concurrent shells, which has been exceeded. Close existing shells or raise the quota for "
                "this user.",
            )

    def count(self) -> int:
        """How many shells are open."""
        now = time.monotonic()
        return sum(not self._is_gone(shell, now) for shell in list(self._open.values()))

    def open(
        self, shell_id: str, session: Session, backend: Backend, creation: bytes, *, idle: float | None = None
    ) -> Shell:
        """A new shell, whose pool has read the fragments of *creation*. *idle* is the idle time that the client asks
        for, in seconds; at most that of the server is taken. Raises Fault, ValueError."""
        if shell_id in self._open:
            raise Fault("w:AlreadyExists", 183, "Cannot create a file when that file already exists.")
        if idle is not None and (self._faults.refuses_idle_times or idle < _MIN_IDLE):
            raise Fault(
                "w:InvalidParameter",
                87,
                f"The WS-Management service cannot process the request. The idle time-out of {idle:.0f} seconds is out "
                "of range.",
            )
        shell = Shell(shell_id, session, backend, self._faults.age(self._server), idle)
        shell.pool.receive(creation)
        self._open[shell_id] = shell
        return shell

    def find(self, shell_id: str, user: str, endpoint: Endpoint) -> Shell:
        """The shell of that id, if it is *user*'s own and still open. Raises Fault."""
        shell = self._open.get(shell_id)
        now = time.monotonic()
        if shell is not None and self._is_gone(shell, now):
            self.close(shell)
            shell = None
        if shell is None or shell.session.user != user or shell.session.endpoint != endpoint:
            raise Fault(
                "w:InvalidSelectors",
                2150858843,
                f"The request for the Windows Remote Shell with ShellId {shell_id} failed because the shell "
                "was not found on the server. Possible causes are: the specified ShellId is incorrect or the shell no "
                "longer exists on the server. Provide the correct ShellId or create a new shell and retry the "
                "operation.",
                "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/UnexpectedSelectors",
            )
        shell.used = now
        return shell

    def close(self, shell: Shell) -> None:
        self._open.pop(shell.id).close()

    def close_all(self) -> None:
        for shell in self._open.values():
            shell.close()
        self._open.clear()

    def _is_gone(self, shell: Shell, now: float) -> bool:
        return shell.age != self._faults.age(self._server) or now - shell.used > shell.idle
