"""The door to pypsrp: a session over WSMan that tells the truth about what was sent.

pypsrp's traps are handled here and nowhere else: ``had_errors`` overlooks non-terminating errors; a session must stay
on one thread; nothing limits how long a call takes. Those of a connection are in ``easops.remoting.transport``.
Source: MS-PSRP, MS-WSMV, and the notes on pypsrp in docs/explanation/remoting.md.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import socket
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any, Final, TypeVar

import requests
import urllib3
from pypsrp.complex_objects import ErrorRecord as WireErrorRecord
from pypsrp.complex_objects import GenericComplexObject, ObjectMeta, PSInvocationState
from pypsrp.exceptions import AuthenticationError, WinRMError, WinRMTransportError, WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.serializer import Serializer, TaggedValue
from pypsrp.wsman import WSMan

from easops.errors import (
    Abandoned,
    AccessRefused,
    BadInput,
    CommandFailed,
    EasopsError,
    ErrorRecord,
    OutcomeUnknown,
    UnreachableHost,
)
from easops.inventory.host import Endpoint
from easops.remoting.clixml import read_object
from easops.remoting.command import Call, Command, Pipeline, Script, pipeline
from easops.remoting.result import Result
from easops.remoting.retry import retrying
from easops.remoting.secret import Secret, forget_password
from easops.remoting.session import EndpointName
from easops.remoting.transport import (
    DoubtfulAnswer,
    address_of,
    check_usable,
    credential_refused,
    empty_frames,
    make_wsman,
    no_logon_made,
    not_offered,
    reason_of_no_logon,
)
from easops.remoting.trust import CURRENT_USER, Trust

_LOG: Final = logging.getLogger(__name__)

GRACE: Final = 5.0
"""Seconds by which a call may outlive its deadline, while the remote pipeline is stopped."""

_FRESH_FOR: Final = 30.0
"""Seconds of idleness after which a changing call gets a new session: an idle connection may be dead already, and
a lost answer would then be an unknown outcome that nobody needed."""

_POLL: Final = 15
"""Seconds that one Receive waits on the server; a longer one would outlive balancers' idle limits."""

_CONNECT: Final = 10
"""Seconds to wait for a connection."""

_CONFIGURATIONS: Final[dict[EndpointName, str]] = {"exchange": "Microsoft.Exchange", "windows": "Microsoft.PowerShell"}

_RESOURCE_NOT_FOUND: Final = "2150858811"
_ACCESS_DENIED: Final = "5"

_NOT_STARTED: Final = (
    _ACCESS_DENIED,
    _RESOURCE_NOT_FOUND,
    "2150858819",  # no such configuration for this user
    "2150858843",  # the shell is not there any more
    "2150859173",  # quotas: shells of this user, operations, …
    "2150859174",
)
"""WSMan faults that prove that a command never started."""

_CATEGORIES: Final = (
    "NotSpecified OpenError CloseError DeviceError DeadlockDetected InvalidArgument InvalidData InvalidOperation "
    "InvalidResult InvalidType MetadataError NotImplemented NotInstalled ObjectNotFound OperationStopped "
    "OperationTimeout SyntaxError ParserError PermissionDenied ResourceBusy ResourceExists ResourceUnavailable "
    "ReadError WriteError FromStdErr SecurityError ProtocolError ConnectionError AuthenticationError LimitsExceeded "
    "QuotaExceeded NotEnabled"
).split()

T = TypeVar("T")


class _Decoding(Serializer):
    """Reads output objects with our reader; pypsrp's own reads the protocol's messages."""

    def deserialize(self, element: ET.Element | str, metadata: ObjectMeta | None = None, clear: bool = True) -> Any:
        if metadata is None and isinstance(element, str) and clear:
            return read_object(element)
        return super().deserialize(element, metadata, clear)


class _Worker:
    """One thread that makes all of a session's pypsrp calls, so that a deadline can be kept from outside."""

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[tuple[Callable[[], Any], queue.SimpleQueue[Any]] | None] = queue.SimpleQueue()
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            call, answer = job
            try:
                answer.put((call(), None))
            except BaseException as error:
                answer.put((None, error))

    def run(self, call: Callable[[], T], seconds: float) -> T:
        """*call*'s value or exception; TimeoutError when it takes longer than *seconds*."""
        answer: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._jobs.put((call, answer))
        try:
            value, error = answer.get(timeout=seconds)
        except queue.Empty:
            raise TimeoutError from None
        if error is not None:
            raise error
        return value  # type: ignore[no-any-return]

    def end(self) -> None:
        self._jobs.put(None)


class _Progress:
    """How far a call got: what an exception means depends on it.

    The waiting thread may give up on the working one, which then must not send any more what was told as not sent.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._abandoned = False
        self.sent = False

    def sending(self) -> None:
        """Called just before the command goes out. Raises TimeoutError where nobody waits for it any more."""
        with self._mutex:
            if self._abandoned:
                raise TimeoutError
            self.sent = True

    def abandon(self) -> None:
        with self._mutex:
            self._abandoned = True


class PsrpSession:
    """A session to one endpoint, opened at its first call, used by one thread at a time.

    A broken session is dropped and a new one opened for the next call, so the object stays usable.
    """

    def __init__(
        self, host: str, endpoint: EndpointName, way_in: Endpoint, password: Secret | None, trust: Trust
    ) -> None:
        """*password* is that of ``way_in.credential``, None where that is None. Raises BadInput."""
        check_usable(host, way_in)
        self.host = host
        self.endpoint: EndpointName = endpoint
        self.lacks: set[str] = set()
        self._way_in = way_in
        self._username = way_in.credential.username if way_in.credential is not None else None
        self._password = password
        self._trust = trust
        self._lock = threading.Lock()
        self._worker: _Worker | None = None
        self._wsman: WSMan | None = None
        self._pool: RunspacePool | None = None
        self._used = 0.0

    @property
    def _where(self) -> str:
        return f"{self.host} ({self.endpoint} endpoint, {self._way_in.address})"

    def __repr__(self) -> str:
        return f"PsrpSession({self.host!r}, {self.endpoint!r})"

    def invoke(self, call: Call, *, deadline: float = 60.0) -> Result:
        """Run *call*; see ``easops.remoting.session.Session``. The deadline covers all attempts."""
        todo = pipeline(call)
        _LOG.debug("%s, %s: %s", self.host, self.endpoint, todo)
        ends = time.monotonic() + deadline
        with self._lock:
            return retrying(lambda: self._attempt(todo, ends), reads=todo.reads)

    def connect(self, *, deadline: float = 30.0) -> None:
        """Open the session now, e.g. to try a credential alone. Raises UnreachableHost or AccessRefused."""
        ends = time.monotonic() + deadline
        with self._lock:
            self._guarded(lambda progress: self._open(), ends, "the connection")

    def close(self) -> None:
        """Close the session on the server, as far as it can be reached within the grace."""
        with self._lock:
            self._end()

    # -- one attempt ---------------------------------------------------------------------------------------------

    def _attempt(self, todo: Pipeline, ends: float) -> Result:
        if not todo.reads and self._pool is not None and time.monotonic() - self._used > _FRESH_FOR:
            self._end()  # not only dropped: kept sessions would leave shell after shell on the server
        return self._guarded(lambda progress: self._invoke(todo, ends, progress), ends, todo.name)

    def _guarded(self, call: Callable[[_Progress], T], ends: float, name: str) -> T:
        """Run on the worker, keep the deadline, and say what an exception means by how far the call got."""
        if self._worker is None:
            self._worker = _Worker(f"psrp-{self.host}-{self.endpoint}")
        progress = _Progress()
        remaining = ends - time.monotonic()
        try:
            if remaining <= 0:
                raise TimeoutError
            value = self._worker.run(lambda: call(progress), remaining + GRACE)
        except TimeoutError as error:
            progress.abandon()
            self._drop()
            raise self._explained(error, progress, name) from error
        except (CommandFailed, BadInput):
            self._used = time.monotonic()
            raise
        except Exception as error:
            self._drop()
            explained = self._explained(error, progress, name)
            empty_frames(error)
            raise explained from error
        self._used = time.monotonic()
        return value

    def _open(self) -> RunspacePool:
        if self._pool is not None:
            return self._pool
        wsman = self._wsman = make_wsman(self._way_in, self.endpoint, self._password, connect=_CONNECT, poll=_POLL)
        pool = RunspacePool(wsman, configuration_name=_CONFIGURATIONS[self.endpoint])
        pool._serializer = pool._fragmenter.serializer = _Decoding()
        if not self._trust.proven:
            # The first logon is alone: let a dead host not keep the others waiting for their turn.
            socket.create_connection(address_of(self._way_in), timeout=_CONNECT).close()
        with self._trust.use(self._where):
            try:
                pool.open()
            except Exception as error:
                if credential_refused(error):
                    self._refused()
                raise
        if self._wsman is not wsman:  # given up while it was opening: the session is another's now
            raise TimeoutError
        self._pool = pool
        return pool

    def _refused(self) -> None:
        self._trust.refused(self._where)
        if self._way_in.credential is not None:
            forget_password(self._way_in.credential)

    def _invoke(self, todo: Pipeline, ends: float, progress: _Progress) -> Result:
        pool = self._open()
        output: list[Any] = []
        warnings: list[str] = []
        changing = False
        for statements in _batches(todo, pool.protocol_version or ""):
            shell = PowerShell(pool)
            for position, pipe in enumerate(statements):
                if position:
                    shell.add_statement()
                for command in pipe:
                    _add(shell, command)
            self._run(shell, ends, progress, changing)
            records = tuple(
                _record(error, terminating=shell.had_errors and error is shell.streams.error[-1])
                for error in shell.streams.error
            )
            output += shell.output
            warnings += (str(warning.message) for warning in shell.streams.warning)
            with contextlib.suppress(WinRMError, requests.RequestException, OSError):
                shell.close()  # frees the server's side; what it says changes nothing about what ran
            if records or shell.had_errors:
                raise _failed(self.host, todo, records)
            changing = changing or not Pipeline(statements).reads
            progress.sent = changing
        return Result(tuple(output), tuple(warnings))

    def _run(self, shell: PowerShell, ends: float, progress: _Progress, changing: bool) -> None:
        """Run one pipeline to its end; *changing* says that one before it may have changed something already."""
        progress.sending()
        try:
            shell.begin_invoke()
        except Exception as error:
            progress.sent = changing or not _proves_not_started(error)
            raise
        while shell.state == PSInvocationState.RUNNING:
            remaining = ends - time.monotonic()
            if remaining <= 0:
                shell.stop()
                raise TimeoutError
            shell.poll_invoke(timeout=max(1, min(_POLL, int(remaining) + 1)))
        if shell.state == PSInvocationState.STOPPED:
            raise TimeoutError

    def _end(self) -> None:
        pool, worker = self._pool, self._worker
        if pool is not None and worker is not None:
            with contextlib.suppress(Exception):
                worker.run(pool.close, GRACE)
        self._drop()

    def _drop(self) -> None:
        """Forget the session: the sockets are shut, so a thread still waiting on one wakes up and ends."""
        wsman, worker = self._wsman, self._worker
        self._pool = self._wsman = self._worker = None
        if wsman is not None:
            with contextlib.suppress(Exception):
                wsman.close()
        if worker is not None:
            worker.end()

    # -- what an exception means -------------------------------------------------------------------------------

    def _explained(self, error: Exception, progress: _Progress, name: str) -> Exception:
        where = self._where
        if isinstance(error, EasopsError) and not progress.sent:
            return error
        if progress.sent:
            kind = Abandoned if isinstance(error, _TIMEOUTS) else OutcomeUnknown
            no_answer = "no good answer" if isinstance(error, DoubtfulAnswer) else "no answer"
            return kind(
                f"{where}: {name} was sent, and {no_answer} came",
                _reason(error),
                "it may have happened: read before it is sent again",
            )
        refused = self._refusal(error, where)
        if refused is not None:
            return refused
        return UnreachableHost(
            f"{where} cannot be reached",
            _reason(error),
            "check the name, the port and the firewall; nothing was sent",
        )

    @property
    def _user(self) -> str:
        return self._username or CURRENT_USER

    def _logon_advice(self) -> str:
        if self._username is None:
            return (
                "get a ticket (kinit; klist shows it) or name a credential: at the endpoint; "
                "Kerberos needs the server's full name in the url"
            )
        correct = "correct the user name or the password that the inventory refers to"
        if self._way_in.auth == "kerberos":
            return f"{correct}; Kerberos takes user@DOMAIN.EXAMPLE, and the server's full name in the url"
        if self._way_in.auth != "basic":
            return f"{correct}; the name is written DOMAIN\\user or user@domain"
        if self.endpoint == "exchange":
            enable = "Set-PowerShellVirtualDirectory -BasicAuthentication $true"
            return f"{correct}; an Exchange endpoint takes Basic only after {enable}"
        enable = "Set-Item WSMan:\\localhost\\Service\\Auth\\Basic $true"
        return f"{correct}; WinRM takes Basic for local accounts alone, after {enable}"

    def _refusal(self, error: Exception, where: str) -> AccessRefused | None:
        if (offered := not_offered(error)) is not None:
            return AccessRefused(
                f"{where}: the server does not take {self._way_in.auth}",
                f"it offers {offered or 'nothing'}; no password was sent",
                "write auth: and one that it offers, or enable this one on the server",
                reason="endpoint",
            )
        if isinstance(error, AuthenticationError):
            return AccessRefused(
                f"{where}: the logon of {self._user} was refused",
                "HTTP 401; it is not tried again, here or on another host, so as not to lock the account",
                self._logon_advice(),
                reason="logon",
            )
        if no_logon_made(error):
            return AccessRefused(
                f"{where}: no logon for {self._user} could be made",
                reason_of_no_logon(error),
                self._logon_advice(),
                reason="logon",
            )
        if isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
            return AccessRefused(
                f"{where}: the server's certificate is not trusted",
                _certificate_reason(str(error)),
                "renew the certificate, or name its authority's PEM file with ca: at the endpoint",
                reason="certificate",
            )
        status = _http_status(error)
        if status == 403:
            return AccessRefused(
                f"{where}: access is forbidden",
                "HTTP 403",
                "ask for remote PowerShell for this account: Set-User -RemotePowerShellEnabled $true",
                reason="forbidden",
            )
        if status == 404:
            return AccessRefused(
                f"{where}: there is no PowerShell endpoint at this address",
                "HTTP 404",
                "correct the endpoint's url: https://fqdn/PowerShell for exchange, https://fqdn:5986/wsman for windows",
                reason="endpoint",
            )
        if isinstance(error, WSManFaultError):
            text = str(error.reason or error.provider_fault or "")
            if str(error.code) == _RESOURCE_NOT_FOUND:
                return AccessRefused(
                    f"{where}: the endpoint has no configuration {_CONFIGURATIONS[self.endpoint]}",
                    text or f"WSMan fault {error.code}",
                    "exchange and windows may be swapped in the inventory",
                    reason="endpoint",
                )
            if "AuthZ-CmdletAccessDenied" in text or "management role" in text or str(error.code) == _ACCESS_DENIED:
                return AccessRefused(
                    f"{where}: {self._user} has no role here",
                    text or "access is denied",
                    "give the account an Exchange management role, or membership of Remote Management Users",
                    reason="role",
                )
        return None


def _batches(todo: Pipeline, protocol: str) -> list[tuple[tuple[Command | Script, ...], ...]]:
    """The statements of a call as they go out together: all at once, or one by one to a server of protocol 2.1.

    PowerShell 2.0 reads the first statement and passes over the others without a word, so an "Import-Module; recycle"
    would succeed and recycle nothing; .NET's client sends several from protocol 2.2 on only. The session keeps one
    runspace, so what a statement imports is there for the next.
    """
    version = tuple(int(part) for part in protocol.split(".") if part.isdigit())
    return [todo.statements] if version >= (2, 2) else [(pipe,) for pipe in todo.statements]


def _add(shell: PowerShell, command: Command | Script) -> None:
    if isinstance(command, Script):
        shell.add_script(command.text)
    else:
        shell.add_cmdlet(command.name)
    for name, value in command.parameters.items():
        shell.add_parameter(name, _wire(value))


def _wire(value: Any) -> Any:
    """A parameter value as pypsrp is to send it: an integer beyond 32 bits needs its tag, a float is a double."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if -(2**31) <= value < 2**31 else TaggedValue("I64", value)
    if isinstance(value, float):
        return TaggedValue("Db", value)
    if isinstance(value, tuple | list):
        return [_wire(item) for item in value]
    if isinstance(value, dict):
        return {name: _wire(item) for name, item in value.items()}
    return value


def _record(error: WireErrorRecord, *, terminating: bool) -> ErrorRecord:
    exception = error.exception
    message = str(error.details_message or "")
    kind = str(error.reason or "")
    if isinstance(exception, GenericComplexObject):
        both = {**exception.adapted_properties, **exception.extended_properties}
        message = message or str(both.get("Message") or exception.to_string or "")
        kind = kind or next(iter(exception.types), "").rpartition(".")[2]
    category = error.category
    return ErrorRecord(
        message=message or str(error.message or error.fq_error or "no message"),
        category=_CATEGORIES[category] if isinstance(category, int) and 0 <= category < len(_CATEGORIES) else "",
        fqid=str(error.fq_error or ""),
        exception=kind,
        command=str(error.activity or ""),
        terminating=terminating,
    )


def _failed(host: str, todo: Pipeline, records: tuple[ErrorRecord, ...]) -> CommandFailed:
    ordered = tuple(sorted(records, key=lambda record: not record.terminating))
    first = ordered[0] if ordered else ErrorRecord("the pipeline failed and gave no error record")
    detail = f"{first.exception or 'error'}: {first.message}"
    return CommandFailed(
        f"{host}: {first.command or todo.name} was refused",
        detail,
        "the server's own words tell what it wants" if first.message else "",
        records=ordered,
    )


def _never_connected(error: BaseException) -> bool:
    """Whether no connection came about, so that nothing can have been sent."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError):
            return True
        reason = getattr(seen, "reason", None)
        first = seen.args[0] if seen.args else None
        if isinstance(reason, BaseException):
            seen = reason
        elif isinstance(first, BaseException):
            seen = first
        else:
            return isinstance(seen, ConnectionRefusedError)
    return False


def _proves_not_started(error: Exception) -> bool:
    """Whether an exception of sending a command says that it never started: refused at the door, no connection, or a
    WSMan fault in answer to it. A late reply's time-out does not."""
    if isinstance(error, WSManFaultError):
        return str(error.code) in _NOT_STARTED or "WSMan-InvalidShellID" in str(error.reason or "")
    if isinstance(error, AuthenticationError | requests.exceptions.ConnectTimeout) or no_logon_made(error):
        return True
    return isinstance(error, requests.exceptions.ConnectionError) and _never_connected(error)


def _http_status(error: Exception) -> int | None:
    """The HTTP status behind an error that is no WSMan fault.

    pypsrp takes any XML body, an XHTML page too, for a fault, which then has no code; the status is in the exception
    that it was handling.
    """
    if isinstance(error, WSManFaultError) and error.code is None and isinstance(error.__context__, WinRMTransportError):
        return int(error.__context__.code)
    return int(error.code) if isinstance(error, WinRMTransportError) else None


_TIMEOUTS: Final = (TimeoutError, requests.exceptions.Timeout)


def _reason(error: Exception) -> str:
    if isinstance(error, _TIMEOUTS):
        return "no answer within the deadline"
    if isinstance(error, DoubtfulAnswer):
        return str(error)
    status = _http_status(error)
    if status is not None:
        return f"HTTP {status}"
    if isinstance(error, WSManFaultError):
        return str(error.reason or error.provider_fault or f"WSMan fault {error.code}")
    if isinstance(error, requests.exceptions.ConnectionError | OSError):
        text = str(error)
        for sign, words in _CONNECTION_WORDS.items():
            if sign in text:
                return words
        return "the connection failed"
    return f"{type(error).__name__}: {error}"


_CONNECTION_WORDS: Final = {
    "Connection refused": "the connection was refused: nothing listens there",
    "Name or service not known": "the name is not known",
    "getaddrinfo failed": "the name is not known",
    "nodename nor servname": "the name is not known",
    "Temporary failure in name resolution": "the name is not known",
    "No route to host": "there is no route to the host",
    "timed out": "no connection within 10 s",
    "RemoteDisconnected": "the server closed the connection",
    "Connection aborted": "the connection was lost",
    "Connection reset": "the connection was reset",
    "SSL": "the TLS handshake failed",
}


def _certificate_reason(text: str) -> str:
    _, found, rest = text.partition("certificate verify failed: ")
    return rest.partition(" (_ssl")[0] if found else "certificate verify failed"
