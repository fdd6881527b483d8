"""The door to pypsrp: a session over WSMan that reports honestly what was sent.

pypsrp's pitfalls are handled here and nowhere else: ``had_errors`` overlooks non-terminating errors; a session must
stay on one thread; nothing limits how long a call takes. Those of the connection are handled in
``easops.remoting.transport``. What an exception means is decided in ``easops.remoting.failure``.
Source: MS-PSRP, MS-WSMV, and the notes on pypsrp in docs/explanation/remoting.md.
"""

from __future__ import annotations

import contextlib
import copy
import logging
import socket
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar

import pypsrp.complex_objects
import requests
from pypsrp.complex_objects import ObjectMeta, PSInvocationState
from pypsrp.exceptions import WinRMError, WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.serializer import Serializer, TaggedValue
from pypsrp.shell import SignalCode
from pypsrp.wsman import SelectorSet, WSMan

from easops.errors import BadInput, CommandFailed
from easops.inventory.host import Endpoint
from easops.remoting.call_thread import CallThread, Progress
from easops.remoting.clixml import read_object
from easops.remoting.command import Call, Command, Pipeline, Script, pipeline
from easops.remoting.error_record import command_failed, read_records
from easops.remoting.failure import explain, is_credential_refused, may_have_opened, proves_not_started
from easops.remoting.load_quota import wait_out_load_quotas
from easops.remoting.result import Result
from easops.remoting.retry import retrying
from easops.remoting.secret import Secret, forget_password
from easops.remoting.served_by import ServedBy, of_headers
from easops.remoting.session import CONNECT, DEADLINE, GRACE, EndpointName
from easops.remoting.shell import IDLE, AbandonedShells, refuses_idle_time
from easops.remoting.target import CONFIGURATIONS, Target
from easops.remoting.transport import address_of, check_password, check_usable, empty_frames, make_wsman
from easops.remoting.trust import Trust

_LOG: Final = logging.getLogger(__name__)

# For each message pypsrp copies every command twice, in depth: an element of lxml has one parent. Those of ElementTree,
# which it uses now, may have several, and the copying took a tenth of the time of a call.
pypsrp.complex_objects.deepcopy = copy.copy  # type: ignore[assignment, attr-defined]

_FRESH_FOR: Final = 30.0
"""Seconds of idleness after which a changing call gets a new session. An idle connection may already be dead: the
answer would be lost, and the outcome unknown, for no good reason."""

_POLL: Final = 15
"""Seconds that one Receive waits on the server. A longer one would exceed the idle limit of load balancers."""

_DELETE: Final = 5
"""Seconds that the server may take to delete a shell: it stops what still runs there."""

_RESOURCE: Final = "http://schemas.microsoft.com/powershell/"
"""What the resource URI of a configuration begins with."""

T = TypeVar("T")


class _Decoder(Serializer):
    """Reads output objects with our own reader, which is much faster. pypsrp's reads the protocol's messages."""

    def deserialize(self, element: ET.Element | str, metadata: ObjectMeta | None = None, clear: bool = True) -> Any:
        if metadata is None and isinstance(element, str) and clear:
            return read_object(element)
        return super().deserialize(element, metadata, clear)


class PsrpSession:
    """A session to one endpoint, opened at its first call, used by one thread at a time.

    A broken session is dropped, and the next call opens a new one, so the object stays usable. What the broken one left
    on the server is deleted at that chance, or by ``close``.
    """

    def __init__(
        self, host: str, endpoint: EndpointName, settings: Endpoint, password: Secret | None, trust: Trust
    ) -> None:
        """*password* belongs to ``settings.credential``; None where that is None. Raises BadInput."""
        self.host = host
        self.endpoint: EndpointName = endpoint
        check_usable(host, settings)
        if password is not None:
            check_password(host, settings, password)
        self.lacks: set[str] = set()
        self._target = Target(host, endpoint, settings)
        self._password = password
        self._trust = trust
        self._lock = threading.Lock()
        self._thread: CallThread | None = None
        self._wsman: WSMan | None = None
        self._pool: RunspacePool | None = None
        self._opening: RunspacePool | None = None
        self._abandoned = AbandonedShells()
        self._idle: int | None = IDLE
        self._served_by = ServedBy()
        self._ends = 0.0
        self._used = 0.0

    def __repr__(self) -> str:
        return f"PsrpSession({self.host!r}, {self.endpoint!r})"

    def invoke(self, call: Call, *, deadline: float = DEADLINE) -> Result:
        """Run *call*; see ``easops.remoting.session.Session``. The deadline covers all attempts."""
        statements = pipeline(call)
        _LOG.debug("%s, %s: %s", self.host, self.endpoint, statements)
        ends = time.monotonic() + deadline
        with self._lock:
            return retrying(lambda: self._attempt(statements, ends), reads=statements.reads)

    def connect(self, *, deadline: float = 30.0) -> None:
        """Open the session now, for instance to try a credential. Raises UnreachableHost or AccessRefused."""
        ends = time.monotonic() + deadline
        with self._lock:
            self._guarded(lambda progress: self._open(), ends, "the connection", reads=True)

    def close(self) -> None:
        """Close the session on the server, if the server can be reached within the grace period."""
        with self._lock:
            self._end()
            if self._abandoned:
                self._clean_up()

    # -- one attempt ---------------------------------------------------------------------------------------------

    def _attempt(self, call: Pipeline, ends: float) -> Result:
        if not call.reads and self._pool is not None and time.monotonic() - self._used > _FRESH_FOR:
            # Closed on the server, not only dropped: otherwise a session that a script keeps would leave one shell
            # after the other there, until the user's quota is used up.
            self._end()
        return self._guarded(lambda progress: self._invoke(call, ends, progress), ends, call.name, reads=call.reads)

    def _guarded(self, call: Callable[[Progress], T], ends: float, name: str, *, reads: bool) -> T:
        """Make *call* on the session's thread within the deadline. Raises an EasopsError for what goes wrong."""
        if self._thread is None:
            self._thread = CallThread(f"psrp-{self.host}-{self.endpoint}")
        progress = Progress()
        self._ends = ends
        remaining = ends - time.monotonic()
        try:
            if remaining <= 0:
                raise TimeoutError
            value = self._thread.run(lambda: call(progress), remaining + GRACE)
        except TimeoutError as error:
            progress.abandon()
            self._drop()
            raise explain(error, self._target, call=name, sent=progress.sent, reads=reads) from error
        except (CommandFailed, BadInput):
            self._used = time.monotonic()
            raise
        except Exception as error:
            explained = explain(error, self._target, call=name, sent=progress.sent, reads=reads)
            if is_credential_refused(error):
                self._credential_refused()
            if self._opening is not None and not self._opening.shell.opened and not may_have_opened(error):
                self._opening = None
            self._drop()
            empty_frames(error)
            raise explained from error
        self._used = time.monotonic()
        return value

    def _open(self) -> RunspacePool:
        if self._pool is not None:
            return self._pool
        wsman = self._wsman = self._connection()
        if not self._trust.proven:
            # A first logon is alone, so the others wait for it: find out beforehand whether the host is there at all.
            _try_to_connect(address_of(self._target.settings))
        with self._logon():
            self._delete_abandoned(wsman)  # before the new shell is opened: they count against the account's quota
            try:
                pool = self._open_pool(wsman)
            except WSManFaultError as error:
                if self._idle is None or not refuses_idle_time(error):
                    raise
                self._idle = None
                pool = self._open_pool(wsman)
        if self._wsman is not wsman:
            # The caller gave up while it was opening, and the session has another connection now.
            raise TimeoutError
        self._pool, self._opening = pool, None
        self._delete_abandoned(wsman)  # those whose deletion was not answered before
        _LOG.debug("%s: the server deletes the shell after %s of idleness", self, pool.shell.idle_time_out)
        return pool

    def _connection(self) -> WSMan:
        """A connection, not opened yet, which waits where the server asks for it."""
        wsman = make_wsman(
            self._target.settings,
            self.endpoint,
            self._password,
            connect=CONNECT,
            poll=_POLL,
            on_answer=self._note_servers,
        )
        wait_out_load_quotas(wsman, lambda: self._ends - time.monotonic())
        return wsman

    def _note_servers(self, headers: Mapping[str, str]) -> None:
        named = of_headers(headers)
        if named != ServedBy():
            self._served_by = named

    def _open_pool(self, wsman: WSMan) -> RunspacePool:
        pool = RunspacePool(wsman, configuration_name=CONFIGURATIONS[self.endpoint], idle_timeout=self._idle)
        pool._serializer = pool._fragmenter.serializer = _Decoder()
        self._opening = pool
        pool.open()
        return pool

    @contextlib.contextmanager
    def _logon(self) -> Iterator[None]:
        """Around what logs on: alone, until the credential has proven to work."""
        with self._trust.use(str(self._target)):
            try:
                yield
            except Exception as error:
                if is_credential_refused(error):
                    self._credential_refused()
                raise

    def _credential_refused(self) -> None:
        self._trust.refused(str(self._target))
        if self._target.settings.credential is not None:
            forget_password(self._target.settings.credential)

    def _invoke(self, call: Pipeline, ends: float, progress: Progress) -> Result:
        pool = self._open()
        output: list[Any] = []
        warnings: list[str] = []
        changing = False
        for statements in batches(call, pool.protocol_version or ""):
            shell = PowerShell(pool)
            for position, pipe in enumerate(statements):
                if position:
                    shell.add_statement()
                for command in pipe:
                    _add(shell, command)
            self._run(shell, ends, progress, changing)
            records = read_records(shell.streams.error, failed=shell.had_errors)
            output += shell.output
            warnings += (str(warning.message) for warning in shell.streams.warning)
            with contextlib.suppress(WinRMError, requests.RequestException, OSError):
                # Frees the pipeline on the server. An error here says nothing about what ran.
                shell.close()
            if records or shell.had_errors:
                raise command_failed(self.host, call.name, records, self._served_by)
            changing = changing or not Pipeline(statements).reads
            # The batch is over, so a failure before the next one is sent is certain; unless this one changed something.
            progress.sent = changing
        return Result(tuple(output), tuple(warnings), str(self._served_by))

    def _run(self, shell: PowerShell, ends: float, progress: Progress, changing: bool) -> None:
        """Run one pipeline to its end. *changing* says that an earlier one of the call may have changed something."""
        progress.sending()
        try:
            shell.begin_invoke()
        except Exception as error:
            progress.sent = changing or not proves_not_started(error)
            raise
        while shell.state == PSInvocationState.RUNNING:
            remaining = ends - time.monotonic()
            if remaining <= 0:
                with contextlib.suppress(Exception):
                    _stop(shell)  # without an answer too the deadline is what happened
                raise TimeoutError
            shell.poll_invoke(timeout=max(1, min(_POLL, int(remaining) + 1)))
        if shell.state == PSInvocationState.STOPPED:
            raise TimeoutError

    def _end(self) -> None:
        """Close the session on the server, within the grace period."""
        pool, wsman, thread = self._pool, self._wsman, self._thread
        if pool is not None and wsman is not None and thread is not None:
            self._pool = None
            self._abandoned.add(_shell_id(pool))
            self._ends = time.monotonic() + GRACE
            with contextlib.suppress(Exception):
                thread.run(lambda: self._delete_abandoned(wsman), GRACE)
        self._drop()

    def _delete_abandoned(self, wsman: WSMan) -> None:
        def delete(abandoned: str) -> None:
            selectors = SelectorSet()
            selectors.add_option("ShellId", abandoned)
            wsman.delete(_RESOURCE + CONFIGURATIONS[self.endpoint], selector_set=selectors, timeout=_DELETE)

        self._abandoned.delete(delete)

    def _clean_up(self) -> None:
        """Delete the shells of broken sessions, on a connection of its own, within the grace period."""
        thread = self._thread = CallThread(f"psrp-{self.host}-{self.endpoint}")

        def delete() -> None:
            wsman = self._wsman = self._connection()
            with self._logon():
                self._delete_abandoned(wsman)

        self._ends = time.monotonic() + GRACE
        with contextlib.suppress(Exception):
            thread.run(delete, GRACE)
        self._drop()

    def _drop(self) -> None:
        """Forget the session, and note its shell, which may still be open on the server. Its sockets are closed, so a
        thread that still waits on one wakes up and ends."""
        wsman, thread = self._wsman, self._thread
        for pool in (self._pool, self._opening):
            if pool is not None:
                self._abandoned.add(_shell_id(pool), answered=pool.shell.opened)
        self._pool = self._opening = self._wsman = self._thread = None
        if wsman is not None:
            with contextlib.suppress(Exception):
                wsman.close()
        if thread is not None:
            thread.end()


def _shell_id(pool: RunspacePool) -> str:
    """The id by which the server knows the shell of *pool*: a server of PowerShell 2.0 chooses it itself, and says it
    only in the selector with which it answers."""
    # pypsrp uses the selectors of that answer for each request, and shows them to nobody.
    selectors = pool.shell._selector_set
    chosen = [value for name, value, _ in (selectors.values if selectors is not None else ()) if name == "ShellId"]
    return chosen[0] if chosen else str(pool.shell.id or pool.id)


def _stop(pipeline: PowerShell) -> None:
    """Have the server stop *pipeline*; as ``PowerShell.stop``, but by the id that the server gave the command."""
    pool = pipeline.runspace_pool
    pool.shell.signal(SignalCode.PS_CTRL_C, pipeline._command_id or pipeline.id)
    pipeline.state = PSInvocationState.STOPPED
    pool.pipelines.pop(pipeline.id, None)


def _try_to_connect(address: tuple[str, int]) -> None:
    """Connect, and end the connection. Raises as requests does where there is none in time: a TimeoutError would be the
    end of a deadline."""
    try:
        socket.create_connection(address, timeout=CONNECT).close()
    except TimeoutError as error:
        raise requests.ConnectTimeout("timed out") from error


def batches(call: Pipeline, protocol: str) -> list[tuple[tuple[Command | Script, ...], ...]]:
    """The statements of a call as they are sent: all at once, or one by one to a server with protocol 2.1.

    PowerShell 2.0 runs the first statement and silently ignores the others, so "Import-Module; recycle" would succeed
    and recycle nothing. The .NET client, too, sends several only from protocol 2.2 on. All statements of a session run
    in the same runspace, so a module that one imports is there for the next.
    """
    version = tuple(int(part) for part in protocol.split(".") if part.isdigit())
    return [call.statements] if version >= (2, 2) else [(pipe,) for pipe in call.statements]


def _add(shell: PowerShell, command: Command | Script) -> None:
    if isinstance(command, Script):
        shell.add_script(command.text)
    else:
        shell.add_cmdlet(command.name)
    for name, value in command.parameters.items():
        shell.add_parameter(name, wire_value(value))


def wire_value(value: Any) -> Any:
    """A parameter value as pypsrp must send it. It takes every int for 32 bits and every float for a single, so longer
    integers and all floats need a tag."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if -(2**31) <= value < 2**31 else TaggedValue("I64", value)
    if isinstance(value, float):
        return TaggedValue("Db", value)
    if isinstance(value, tuple | list):
        return [wire_value(item) for item in value]
    if isinstance(value, dict):
        return {name: wire_value(item) for name, item in value.items()}
    return value
