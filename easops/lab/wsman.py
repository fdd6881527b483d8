"""One server's WS-Management service: shells, their commands, and what each message does to them (MS-WSMV, MS-PSRP).

It knows nothing of HTTP, and of PowerShell only that a message's first fragment names its pipeline.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import time
import uuid
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from xml.etree import ElementTree

import attrs

from easops.lab.call import Endpoint
from easops.lab.channel import Channel
from easops.lab.clixml import escape
from easops.lab.engine import Backend, Pipeline, PythonShell, Session
from easops.lab.faults import ConnectionDropped, Faults
from easops.lab.framing import FRAGMENT, pipeline_of
from easops.lab.law import Law
from easops.lab.soap import NS, POWERSHELL, Fault, Malformed, Request, answer, fault, read_request

log = logging.getLogger(__name__)

CONFIGURATIONS: Mapping[Endpoint, str] = {"exchange": "Microsoft.Exchange", "windows": "Microsoft.PowerShell"}
ADMINISTRATORS = "Administrators"
_ENVELOPES = {"2.0": 153600, "5.1": 512000}  # MaxEnvelopeSizekb: 150, and 500 since Windows Server 2012
_OVERHEAD = 4096  # what an answer's envelope takes beside its payload
_REMEMBERED = 8  # answers to Receive a shell keeps, for a client that asks the same again
# PowerShellMaxConcurrency and MaxShellsPerUser; idle times in seconds (MaxShellIdleTimeoutMinutes 15; two hours).
_MOST_SHELLS: Mapping[Endpoint, int] = {"exchange": 18, "windows": 30}
_IDLE: Mapping[Endpoint, float] = {"exchange": 900.0, "windows": 7200.0}


def _timed_out() -> Fault:
    return Fault(
        "w:TimedOut",
        2150858793,
        "The WS-Management service cannot complete the operation within the time specified in OperationTimeout.",
    )


@attrs.frozen
class User:
    """An account of the organisation. *roles* are management roles or role groups, and ``Administrators`` for the
    Windows endpoint: without any other role Exchange refuses it, without that one Windows does."""

    password: str = attrs.field(repr=False)
    roles: frozenset[str] = frozenset({"Organization Management", ADMINISTRATORS})


@attrs.define(eq=False)
class _Command:
    id: str
    channel: Channel
    pipeline: uuid.UUID
    cmdlets: tuple[str, ...] = ()


class _Shell:
    """One open shell: its engine, and the channels of its pool and commands. It is the engine's Outlet."""

    def __init__(self, id_: str, session: Session, backend: Backend, idle: float, age: int) -> None:
        self.id = id_
        self.session = session
        self.idle = idle
        self.age = age
        self.used = time.monotonic()
        self.loop = asyncio.get_running_loop()
        self.channel = Channel(self.loop)
        self.commands: dict[str, _Command] = {}
        self.answers: OrderedDict[str, bytes] = OrderedDict()
        self._by_pipeline: dict[uuid.UUID, _Command] = {}
        self.engine = PythonShell(session, backend, self)

    def send(self, pipeline: uuid.UUID | None, fragments: Sequence[bytes]) -> None:
        if pipeline is None:
            self.channel.put(fragments)
        elif command := self._by_pipeline.get(pipeline):
            command.channel.put(fragments)

    def done(self, pipeline: uuid.UUID) -> None:
        if command := self._by_pipeline.get(pipeline):
            command.channel.finish()

    def add(self, command: _Command) -> None:
        self.commands[command.id] = command
        self._by_pipeline[command.pipeline] = command

    def drop(self, command: _Command) -> None:
        self.commands.pop(command.id, None)
        self._by_pipeline.pop(command.pipeline, None)
        command.channel.close()

    def remember(self, message_id: str, data: bytes) -> None:
        self.answers[message_id] = data
        while len(self.answers) > _REMEMBERED:
            self.answers.popitem(last=False)

    def close(self) -> None:
        self.engine.close()
        self.channel.close()
        for command in list(self.commands.values()):
            self.drop(command)


class Service:
    """The WS-Management service of one server."""

    def __init__(self, server: str, law: Law, backend: Backend, faults: Faults) -> None:
        self.server = server
        self._law = law
        self._envelope = _ENVELOPES[law.powershell]
        self._backend = backend
        self._faults = faults
        self._shells: dict[str, _Shell] = {}

    async def handle(self, endpoint: Endpoint, name: str, user: User, data: bytes) -> tuple[int, bytes]:
        """HTTP status and body of the answer to one request of the authenticated user *name*.

        Raises:
            ConnectionDropped: a planned fault; the connection is to be closed without an answer.
        """
        try:
            request = read_request(data)
        except (Malformed, ValueError) as error:
            return 500, fault(_malformed(str(error)), "", self.server)
        try:
            return 200, await self._answer(endpoint, name, user, request)
        except Fault as refused:
            return 500, fault(refused, request.message_id, self.server)
        except ConnectionDropped:
            raise
        except (ValueError, binascii.Error) as error:
            return 500, fault(_malformed(str(error)), request.message_id, self.server)
        except Exception as error:
            log.exception("the lab's answer to %s failed", request.verb)
            failed = Fault("w:InternalError", 2150858770, f"The lab itself failed: {type(error).__name__}: {error}")
            return 500, fault(failed, request.message_id, self.server)

    def close(self) -> None:
        for shell in self._shells.values():
            shell.close()
        self._shells.clear()

    async def _answer(self, endpoint: Endpoint, name: str, user: User, request: Request) -> bytes:
        match request.verb:
            case "Create":
                return self._create(endpoint, name, user, request)
            case "Get" if request.resource_uri.startswith(NS["cfg"]):
                return answer(
                    request,
                    f"<cfg:Config><cfg:MaxEnvelopeSizekb>{self._envelope // 1024}</cfg:MaxEnvelopeSizekb>"
                    "<cfg:MaxTimeoutms>1800000</cfg:MaxTimeoutms></cfg:Config>",
                )
            case "Get":
                return answer(request, self._describe(self._shell(request, name, endpoint)))
            case "Command":
                return await self._command(self._shell(request, name, endpoint), request)
            case "Send":
                return await self._send(self._shell(request, name, endpoint), request)
            case "Receive":
                return await self._receive(self._shell(request, name, endpoint), request)
            case "Signal":
                return await self._signal(self._shell(request, name, endpoint), request)
            case "Delete":
                self._shells.pop(self._shell(request, name, endpoint).id).close()
                return answer(request, "")
        raise Fault(
            "a:ActionNotSupported",
            2150858754,
            f"The action {request.action} is not supported by the service.",
            "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/ActionMismatch",
        )

    def _create(self, endpoint: Endpoint, name: str, user: User, request: Request) -> bytes:
        if request.resource_uri != POWERSHELL + CONFIGURATIONS[endpoint]:
            raise Fault(
                "w:InvalidResourceURI" if not request.resource_uri else "a:DestinationUnreachable",
                2150858811,
                "The WS-Management service cannot process the request. The resource URI "
                f"({request.resource_uri}) was not found in the WS-Management catalog. The catalog contains the "
                "metadata that describes resources, or logical endpoints.",
                "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/InvalidResourceURI",
            )
        self._check_roles(endpoint, name, user)
        self._check_quota(endpoint, name)
        body = request.body.find("rsp:Shell", NS)
        creation = None if body is None else next((el for el in body if el.tag.endswith("}creationXml")), None)
        if body is None or creation is None:
            raise Malformed("a Shell with creationXml is needed")
        session = Session(self.server, endpoint, name, self._law)
        shell_id = (body.get("ShellId") or str(uuid.uuid4())).upper()
        if shell_id in self._shells:
            raise Fault("w:AlreadyExists", 183, "Cannot create a file when that file already exists.")
        shell = _Shell(shell_id, session, self._backend, _IDLE[endpoint], self._faults.age(self.server))
        shell.engine.receive(_decoded([creation]))
        self._shells[shell_id] = shell
        created = (
            f"<x:ResourceCreated><a:Address>{NS['a']}/role/anonymous</a:Address><a:ReferenceParameters>"
            f"<w:ResourceURI>{escape(request.resource_uri)}</w:ResourceURI><w:SelectorSet>"
            f'<w:Selector Name="ShellId">{escape(shell_id)}</w:Selector></w:SelectorSet></a:ReferenceParameters>'
            "</x:ResourceCreated>"
        )
        return answer(request, created + self._describe(shell))

    def _check_roles(self, endpoint: Endpoint, name: str, user: User) -> None:
        if endpoint == "exchange" and not user.roles - {ADMINISTRATORS}:
            # The text as reported from servers; the number is the one that such refusals carry there (0x80338043).
            raise Fault(
                "w:InternalError",
                2150858819,
                f"[AuthZRequestId={uuid.uuid4()}][FailureCategory=AuthZ-CmdletAccessDeniedException] "
                f'The user "{name}" isn\'t assigned to any management roles.',
            )
        if endpoint == "windows" and ADMINISTRATORS not in user.roles:
            raise Fault("w:AccessDenied", 5, "Access is denied. ")

    def _check_quota(self, endpoint: Endpoint, name: str) -> None:
        now = time.monotonic()
        for shell in [shell for shell in self._shells.values() if self._lost(shell, now)]:
            self._shells.pop(shell.id).close()
        most = _MOST_SHELLS[endpoint]
        held = [s for s in self._shells.values() if s.session.user == name and s.session.endpoint == endpoint]
        if len(held) >= most or self._faults.refuses_shell(self.server):
            raise Fault(
                "w:QuotaLimit",
                2150859173,
                "The WS-Management service cannot process the request. This user is allowed a maximum number of "
                f"{most} concurrent shells, which has been exceeded. Close existing shells or raise the quota for "
                "this user.",
            )

    def _lost(self, shell: _Shell, now: float) -> bool:
        return shell.age != self._faults.age(self.server) or now - shell.used > shell.idle

    def _shell(self, request: Request, name: str, endpoint: Endpoint) -> _Shell:
        """The shell of the request, if it is this user's and still there."""
        shell = self._shells.get(request.shell_id)
        now = time.monotonic()
        if shell is not None and self._lost(shell, now):
            self._shells.pop(shell.id).close()
            shell = None
        if shell is None or shell.session.user != name or shell.session.endpoint != endpoint:
            raise Fault(
                "w:InvalidSelectors",
                2150858843,
                f"The request for the Windows Remote Shell with ShellId {request.shell_id} failed because the shell "
                "was not found on the server. Possible causes are: the specified ShellId is incorrect or the shell no "
                "longer exists on the server. Provide the correct ShellId or create a new shell and retry the "
                "operation.",
                "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/UnexpectedSelectors",
            )
        shell.used = now
        return shell

    def _describe(self, shell: _Shell) -> str:
        idle = f"PT{shell.idle:.3f}S"
        return (
            f"<rsp:Shell><rsp:ShellId>{escape(shell.id)}</rsp:ShellId>"
            f"<rsp:ResourceUri>{POWERSHELL}{CONFIGURATIONS[shell.session.endpoint]}</rsp:ResourceUri>"
            f"<rsp:Owner>{escape(shell.session.user)}</rsp:Owner><rsp:ClientIP>127.0.0.1</rsp:ClientIP>"
            f"<rsp:IdleTimeOut>{idle}</rsp:IdleTimeOut><rsp:InputStreams>stdin pr</rsp:InputStreams>"
            "<rsp:OutputStreams>stdout</rsp:OutputStreams><rsp:State>Connected</rsp:State></rsp:Shell>"
        )

    async def _command(self, shell: _Shell, request: Request) -> bytes:
        line = request.body.find("rsp:CommandLine", NS)
        if line is None:
            raise Malformed("a CommandLine is needed")
        data = _decoded(line.iterfind("rsp:Arguments", NS))
        command_id = (line.get("CommandId") or str(uuid.uuid4())).upper()
        pipeline = pipeline_of(data)
        if pipeline is None:
            raise Malformed("the message of a Command names a pipeline")
        shell.add(_Command(command_id, Channel(shell.loop), pipeline))
        await self._feed(shell, data)
        return answer(
            request, f"<rsp:CommandResponse><rsp:CommandId>{command_id}</rsp:CommandId></rsp:CommandResponse>"
        )

    async def _send(self, shell: _Shell, request: Request) -> bytes:
        await self._feed(shell, _decoded(request.body.iterfind("rsp:Send/rsp:Stream", NS)))
        return answer(request, "<rsp:SendResponse/>")

    async def _feed(self, shell: _Shell, data: bytes) -> None:
        """Hand fragments to the engine, and start what they complete."""
        pipelines = shell.engine.receive(data)
        for pipeline in pipelines:
            self._name(shell, pipeline)
            await self._faults.at("command", pipeline.cmdlets)
            pipeline.start()
        for pipeline in pipelines:
            await self._faults.at("acknowledgement", pipeline.cmdlets)

    @staticmethod
    def _name(shell: _Shell, pipeline: Pipeline) -> None:
        for command in shell.commands.values():
            if command.pipeline == pipeline.id:
                command.cmdlets = pipeline.cmdlets

    async def _receive(self, shell: _Shell, request: Request) -> bytes:
        if (known := shell.answers.get(request.message_id)) is not None:
            return known  # the client did not get it, and asks the same again
        stream = request.body.find("rsp:Receive/rsp:DesiredStream", NS)
        command_id = None if stream is None else stream.get("CommandId")
        command = None if command_id is None else self._command_of(shell, command_id)
        channel = shell.channel if command is None else command.channel
        limit = max(FRAGMENT, (min(request.envelope, self._envelope) - _OVERHEAD) // 4 * 3)
        taken = await channel.take(limit, request.timeout)
        shell.used = time.monotonic()
        if taken is None:
            raise _timed_out()
        fragments, complete = taken
        body = "".join(_streams(fragments, command.id if command else None))
        if command is not None and complete:
            body += (
                f'<rsp:CommandState CommandId="{command.id}" State="{NS["rsp"]}/CommandState/Done">'
                "<rsp:ExitCode>0</rsp:ExitCode></rsp:CommandState>"
            )
            shell.drop(command)
        data = answer(request, f"<rsp:ReceiveResponse>{body}</rsp:ReceiveResponse>")
        shell.remember(request.message_id, data)
        if command is not None and complete:
            await self._faults.at("result", command.cmdlets)
        return data

    async def _signal(self, shell: _Shell, request: Request) -> bytes:
        """Stop a pipeline; answered when it has stopped. A command that is gone is no error: it has ended."""
        signal = request.body.find("rsp:Signal", NS)
        command = shell.commands.get((signal.get("CommandId") or "").upper()) if signal is not None else None
        if command is not None:
            command.channel.unbound()
            ended = shell.engine.stop(command.pipeline)
            end = shell.loop.time() + request.timeout
            while ended is not None and not ended.is_set():
                if shell.loop.time() > end:
                    raise _timed_out()
                await asyncio.sleep(0.01)
        return answer(request, "<rsp:SignalResponse/>")

    @staticmethod
    def _command_of(shell: _Shell, command_id: str) -> _Command:
        command = shell.commands.get(command_id.upper())
        if command is None:
            raise Fault(
                "w:InvalidSelectors",
                2150858843,
                f"The Windows Remote Shell received a request to perform an operation on a command identifier "
                f"({command_id}) that does not exist. Either the command has completed execution or the client "
                "specified an invalid command identifier.",
            )
        return command


def _malformed(why: str) -> Fault:
    return Fault("w:SchemaValidationError", 2150858817, f"The XML is not a request that the service knows: {why}")


def _decoded(elements: Iterable[ElementTree.Element]) -> bytes:
    """The base64 payloads of *elements*, one after the other. Raises binascii.Error, a ValueError."""
    return b"".join(base64.b64decode((element.text or "").strip(), validate=True) for element in elements)


def _streams(fragments: Iterable[bytes], command_id: str | None) -> Iterable[str]:
    """Stream elements of about ``FRAGMENT`` bytes each."""
    attribute = "" if command_id is None else f' CommandId="{command_id}"'
    group: list[bytes] = []
    for fragment in fragments:
        if group and sum(map(len, group)) + len(fragment) > FRAGMENT:
            yield _stream(group, attribute)
            group = []
        group.append(fragment)
    if group:
        yield _stream(group, attribute)


def _stream(group: Sequence[bytes], attribute: str) -> str:
    return f'<rsp:Stream Name="stdout"{attribute}>{base64.b64encode(b"".join(group)).decode("ascii")}</rsp:Stream>'
