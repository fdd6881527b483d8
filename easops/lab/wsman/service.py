"""The WS-Management service of one server: what each message does to its shells and commands (MS-WSMV, MS-PSRP).

It knows nothing of HTTP, and of PSRP only that the first fragment of a message names its pipeline.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from xml.etree import ElementTree

from easops.lab.call import Endpoint
from easops.lab.faults import ConnectionDropped, Faults, Reply
from easops.lab.psrp.backend import Backend, Session
from easops.lab.psrp.clixml import escape
from easops.lab.psrp.fragment import FRAGMENT, pipeline_of
from easops.lab.psrp.pipeline import Pipeline
from easops.lab.signatures.table import SignatureTable
from easops.lab.wsman.account import ADMINISTRATORS, User
from easops.lab.wsman.output_queue import OutputQueue
from easops.lab.wsman.shell import Command, Shell, Shells
from easops.lab.wsman.soap import NS, POWERSHELL, Fault, Malformed, Request, answer, fault, read_request, seconds

log: logging.Logger = logging.getLogger(__name__)

CONFIGURATIONS: Mapping[Endpoint, str] = {"exchange": "Microsoft.Exchange", "windows": "Microsoft.PowerShell"}
_ENVELOPES = {"2.0": 153600, "5.1": 512000}  # MaxEnvelopeSizekb: 150, and 500 since Windows Server 2012
_OVERHEAD = 4096  # bytes of an answer's envelope around its payload


_PROCESS = 6424
"""The process id of the host process of every shell."""


class OtherAnswer(Exception):
    """Answer with *reply* in place of what the service says."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply)
        self.reply = reply


class Service:
    """The WS-Management service of one server."""

    def __init__(
        self,
        server: str,
        signatures: SignatureTable,
        backend: Backend,
        faults: Faults,
        fqdns: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """*fqdns* are the full names of the lab's servers."""
        self.server = server
        self._fqdns = fqdns
        self._signatures = signatures
        self._envelope = _ENVELOPES[signatures.powershell]
        self._backend = backend
        self._faults = faults
        self._shells = Shells(server, faults)

    async def handle(self, endpoint: Endpoint, name: str, user: User, data: bytes) -> tuple[int, bytes]:
        """HTTP status and body of the answer to one request of the authenticated user *name*.

        Raises:
            ConnectionDropped: a planned fault; close the connection without an answer.
            OtherAnswer: a planned fault; answer so.
        """
        try:
            request = read_request(data)
        except (Malformed, ValueError) as error:
            return 500, fault(_malformed(str(error)), "", self.server)
        try:
            await self._break(request, effect=False)
            answered = await self._answer(endpoint, name, user, request)
            await self._break(request, effect=True)
            return 200, answered
        except OtherAnswer:
            raise
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

    async def _break(self, request: Request, *, effect: bool) -> None:
        what = self._faults.broken(self.server, request.verb, effect=effect)
        match what:
            case None:
                return
            case Reply(code=None):
                raise OtherAnswer(what)
            case Reply():
                raise Fault("w:InternalError", what.code or 0, what.text)
            case "close" | "reset":
                raise ConnectionDropped(request.verb, reset=what == "reset")
            case _:
                await asyncio.sleep(what)

    def headers(self, endpoint: Endpoint, *, routed: bool) -> dict[str, str]:
        """The headers of an answer that name servers. A front end (2013 and later) names itself on every answer, and
        the back end once it has *routed* the request."""
        if endpoint != "exchange" or self._signatures.version == "2010":
            return {}
        named = {"X-FEServer": self.server}
        executor = self._faults.executor(self.server)
        if routed:
            named["X-CalculatedBETarget"] = self._fqdns.get(executor, executor).lower()
        return named

    def open_shells(self) -> int:
        """How many shells are open on this server."""
        return self._shells.count()

    async def is_down(self) -> bool:
        """Whether the server is down. Its shells are lost then."""
        down = await asyncio.to_thread(self._backend.is_down, self.server)
        if down:
            self._shells.close_all()
        return down

    def close(self) -> None:
        self._shells.close_all()

    async def _answer(self, endpoint: Endpoint, name: str, user: User, request: Request) -> bytes:
        def shell() -> Shell:
            return self._shells.find(request.shell_id, name, endpoint)

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
                return answer(request, _describe(shell()))
            case "Command":
                return await self._command(shell(), request)
            case "Send":
                return await self._send(shell(), request)
            case "Receive":
                return await self._receive(shell(), request)
            case "Signal":
                return await self._signal(shell(), request)
            case "Delete":
                self._shells.close(shell())
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
        _check_roles(endpoint, name, user)
        self._shells.check_quota(endpoint, name)
        body = request.body.find("rsp:Shell", NS)
        creation = None if body is None else next((el for el in body if el.tag.endswith("}creationXml")), None)
        if body is None or creation is None:
            raise Malformed("a Shell with creationXml is needed")
        # PowerShell 2.0 (protocol 2.1) does not know the attribute, chooses the id itself, and describes no shell.
        old = self._signatures.powershell == "2.0"
        shell_id = ((None if old else body.get("ShellId")) or str(uuid.uuid4())).upper()
        executor = self._faults.executor(self.server) if endpoint == "exchange" else self.server
        session = Session(executor, endpoint, name, self._signatures)
        idle = body.findtext("rsp:IdleTimeOut", namespaces=NS)
        shell = self._shells.open(
            shell_id, session, self._backend, _decoded([creation]), idle=None if idle is None else seconds(idle)
        )
        created = (
            f"<x:ResourceCreated><a:Address>{NS['a']}/role/anonymous</a:Address><a:ReferenceParameters>"
            f"<w:ResourceURI>{escape(request.resource_uri)}</w:ResourceURI><w:SelectorSet>"
            f'<w:Selector Name="ShellId">{escape(shell_id)}</w:Selector></w:SelectorSet></a:ReferenceParameters>'
            "</x:ResourceCreated>"
        )
        return answer(request, created if old else created + _describe(shell))

    async def _command(self, shell: Shell, request: Request) -> bytes:
        line = request.body.find("rsp:CommandLine", NS)
        if line is None:
            raise Malformed("a CommandLine is needed")
        data = _decoded(line.iterfind("rsp:Arguments", NS))
        old = self._signatures.powershell == "2.0"
        command_id = ((None if old else line.get("CommandId")) or str(uuid.uuid4())).upper()
        pipeline = pipeline_of(data)
        if pipeline is None:
            raise Malformed("the message of a Command has to name a pipeline")
        shell.add(Command(command_id, OutputQueue(shell.loop), pipeline))
        await self._feed(shell, data)
        return answer(
            request, f"<rsp:CommandResponse><rsp:CommandId>{command_id}</rsp:CommandId></rsp:CommandResponse>"
        )

    async def _send(self, shell: Shell, request: Request) -> bytes:
        await self._feed(shell, _decoded(request.body.iterfind("rsp:Send/rsp:Stream", NS)))
        return answer(request, "<rsp:SendResponse/>")

    async def _feed(self, shell: Shell, data: bytes) -> None:
        """Give fragments to the runspace pool, and start the pipelines that they complete."""
        pipelines = shell.pool.receive(data)
        for pipeline in pipelines:
            _note_cmdlets(shell, pipeline)
            await self._faults.at("command", pipeline.cmdlets)
            pipeline.start()
        for pipeline in pipelines:
            await self._faults.at("acknowledgement", pipeline.cmdlets)

    async def _receive(self, shell: Shell, request: Request) -> bytes:
        if (kept := shell.answers.get(request.message_id)) is not None:
            return kept  # the client did not get the answer, and sends the same request again
        stream = request.body.find("rsp:Receive/rsp:DesiredStream", NS)
        command_id = None if stream is None else stream.get("CommandId")
        command = None if command_id is None else _command_of(shell, command_id)
        output = shell.output if command is None else command.output
        limit = max(FRAGMENT, (min(request.envelope, self._envelope) - _OVERHEAD) // 4 * 3)
        taken = await output.take(limit, request.timeout)
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
            shell.remove(command)
        data = answer(request, f"<rsp:ReceiveResponse>{body}</rsp:ReceiveResponse>")
        shell.keep_answer(request.message_id, data)
        if command is not None and complete:
            await self._faults.at("result", command.cmdlets)
        return data

    async def _signal(self, shell: Shell, request: Request) -> bytes:
        """Stop a pipeline, and answer when it has stopped. It is no error if the command is gone: it has ended."""
        signal = request.body.find("rsp:Signal", NS)
        command = shell.commands.get((signal.get("CommandId") or "").upper()) if signal is not None else None
        if command is not None:
            command.output.remove_limit()
            ended = shell.pool.stop(command.pipeline)
            end = shell.loop.time() + request.timeout
            while ended is not None and not ended.is_set():
                if shell.loop.time() > end:
                    raise _timed_out()
                await asyncio.sleep(0.01)
        return answer(request, "<rsp:SignalResponse/>")


def _check_roles(endpoint: Endpoint, name: str, user: User) -> None:
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


def _describe(shell: Shell) -> str:
    return (
        f"<rsp:Shell><rsp:ShellId>{escape(shell.id)}</rsp:ShellId><rsp:Name>Runspace1</rsp:Name>"
        f"<rsp:ResourceUri>{POWERSHELL}{CONFIGURATIONS[shell.session.endpoint]}</rsp:ResourceUri>"
        f"<rsp:Owner>{escape(shell.session.user)}</rsp:Owner><rsp:ClientIP>127.0.0.1</rsp:ClientIP>"
        f"<rsp:ProcessId>{_PROCESS}</rsp:ProcessId>"
        f"<rsp:IdleTimeOut>PT{shell.idle:.3f}S</rsp:IdleTimeOut><rsp:InputStreams>stdin pr</rsp:InputStreams>"
        "<rsp:OutputStreams>stdout</rsp:OutputStreams><rsp:MaxIdleTimeOut>PT2147483.647S</rsp:MaxIdleTimeOut>"
        "<rsp:Locale>en-US</rsp:Locale><rsp:DataLocale>en-US</rsp:DataLocale>"
        "<rsp:CompressionMode>NoCompression</rsp:CompressionMode><rsp:ProfileLoaded>Yes</rsp:ProfileLoaded>"
        "<rsp:Encoding>UTF8</rsp:Encoding><rsp:BufferMode>Block</rsp:BufferMode><rsp:State>Connected</rsp:State>"
        f"<rsp:ShellRunTime>{_duration(time.monotonic() - shell.opened)}</rsp:ShellRunTime>"
        f"<rsp:ShellInactivity>{_duration(time.monotonic() - shell.used)}</rsp:ShellInactivity></rsp:Shell>"
    )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"P{days}DT{hours}H{minutes}M{rest}S"


def _note_cmdlets(shell: Shell, pipeline: Pipeline) -> None:
    """A command knows its cmdlets once its pipeline is complete; a planned fault may be for one of them."""
    for command in shell.commands.values():
        if command.pipeline == pipeline.id:
            command.cmdlets = pipeline.cmdlets


def _command_of(shell: Shell, command_id: str) -> Command:
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


def _timed_out() -> Fault:
    return Fault(
        "w:TimedOut",
        2150858793,
        "The WS-Management service cannot complete the operation within the time specified in OperationTimeout.",
    )


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
