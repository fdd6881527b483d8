"""The envelopes of WS-Management: requests are read, answers and faults are written (DSP0226, MS-WSMV)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from xml.etree import ElementTree

import attrs

from easops.lab.psrp.clixml import escape

NS = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "w": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
    "p": "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd",
    "x": "http://schemas.xmlsoap.org/ws/2004/09/transfer",
    "rsp": "http://schemas.microsoft.com/wbem/wsman/1/windows/shell",
    "f": "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault",
    "cfg": "http://schemas.microsoft.com/wbem/wsman/1/config",
}
TRANSFER = NS["x"]
SHELL = NS["rsp"]
FAULT_ACTION = "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"
_ADDRESSING_FAULT = "http://schemas.xmlsoap.org/ws/2004/08/addressing/fault"
ANONYMOUS = f"{NS['a']}/role/anonymous"
POWERSHELL = "http://schemas.microsoft.com/powershell/"

_OF_THE_SERVER = frozenset({"w:InternalError", "w:TimedOut", "a:EndpointUnavailable"})

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
_DECLARATIONS = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NS.items())


class Malformed(ValueError):
    """The body of the HTTP request is not a WS-Management request."""


@attrs.frozen
class Request:
    """One request. *timeout* is how long the client waits, in seconds; *envelope* is the largest answer in bytes."""

    action: str
    message_id: str
    resource_uri: str
    selectors: Mapping[str, str]
    timeout: float
    envelope: int
    body: ElementTree.Element

    @property
    def verb(self) -> str:
        """The last word of the action: Create, Command, Send, Receive, Signal, Delete, Get, ..."""
        return self.action.rpartition("/")[2]

    @property
    def shell_id(self) -> str:
        return next((value for name, value in self.selectors.items() if name.lower() == "shellid"), "").upper()


@attrs.frozen
class Fault(Exception):
    """A SOAP fault with its WSManFault: *subcode* with prefix, *code* the Win32 or WSMan number."""

    subcode: str
    code: int
    text: str
    detail: str = "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail"


def read_request(data: bytes) -> Request:
    """Read the body of an HTTP request. Raises Malformed."""
    if b"<!DOCTYPE" in data:
        raise Malformed("a document type is not accepted")
    try:
        envelope = ElementTree.fromstring(data)
    except ElementTree.ParseError as error:
        raise Malformed(str(error)) from error
    body = envelope.find("s:Body", NS)
    action = envelope.findtext("s:Header/a:Action", namespaces=NS)
    message_id = envelope.findtext("s:Header/a:MessageID", namespaces=NS)
    if body is None or not action or not message_id:
        raise Malformed("Body, Action and MessageID are needed")
    selectors = {
        selector.get("Name", ""): selector.text or ""
        for selector in envelope.iterfind("s:Header/w:SelectorSet/w:Selector", NS)
    }
    return Request(
        action=action.strip(),
        message_id=message_id.strip(),
        resource_uri=envelope.findtext("s:Header/w:ResourceURI", "", NS).strip(),
        selectors=selectors,
        timeout=seconds(envelope.findtext("s:Header/w:OperationTimeout", "PT60S", NS)),
        envelope=int(envelope.findtext("s:Header/w:MaxEnvelopeSize", "153600", NS)),
        body=body,
    )


def seconds(duration: str) -> float:
    """An ISO 8601 duration such as ``PT20S``. Raises Malformed."""
    found = _DURATION.fullmatch(duration.strip())
    if found is None:
        raise Malformed(f"{duration!r} is not a valid duration")
    days, hours, minutes, rest = (float(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + rest


def answer(request: Request, body: str) -> bytes:
    """The answer to *request*. *body* is XML, with the prefixes of ``NS``."""
    return _envelope(f"{request.action}Response", request.message_id, body)


def fault(fault: Fault, message_id: str, machine: str) -> bytes:
    """The answer with *fault* to the request with *message_id*."""
    text = escape(fault.text)
    action = _ADDRESSING_FAULT if fault.subcode.startswith("a:") else FAULT_ACTION
    return _envelope(
        action,
        message_id,
        f"<s:Fault><s:Code><s:Value>{_blamed(fault.subcode)}</s:Value>"
        f"<s:Subcode><s:Value>{fault.subcode}</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="en-US">{text}</s:Text></s:Reason>'
        f"<s:Detail><w:FaultDetail>{fault.detail}</w:FaultDetail>"
        f'<f:WSManFault Code="{fault.code}" Machine="{escape(machine)}"><f:Message>{text}</f:Message>'
        "</f:WSManFault></s:Detail></s:Fault>",
    )


def _blamed(subcode: str) -> str:
    """Whose fault it is, as DSP0226 has it for each subcode: the server's, or else that of the request."""
    return "s:Receiver" if subcode in _OF_THE_SERVER else "s:Sender"


def _envelope(action: str, relates_to: str, body: str) -> bytes:
    return (
        f'<s:Envelope xml:lang="en-US" {_DECLARATIONS}><s:Header><a:Action>{escape(action)}</a:Action>'
        f"<a:MessageID>uuid:{str(uuid.uuid4()).upper()}</a:MessageID><a:To>{ANONYMOUS}</a:To>"
        f"<a:RelatesTo>{escape(relates_to)}</a:RelatesTo></s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()
