"""appcmd.exe, for servers without the WebAdministration module.

The script ``appcmd.ps1`` lies beside this module: it hands each argument on as one, so no name becomes command text.
Source: appcmd.exe's own help (IIS 7 and later), ``/xml`` and ``/text``.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Final

from easops.errors import BadInput, CommandFailed, ErrorRecord, OutcomeUnknown, UnexpectedAnswer
from easops.remoting.script import load_script
from easops.remoting.session import Session

_NOT_TO_QUOTE: Final = '"'

_LISTED: Final = (0, 1)
"""The exit codes of a list: a list of nothing may end with 1. Any other is no list, whatever was written before."""


def run_appcmd(session: Session, *arguments: str, reads: bool) -> tuple[str, ...]:
    """The lines that appcmd.exe wrote, without its empty ones.

    Raises:
        BadInput: an argument that Windows could not hand on as it is.
        CommandFailed: appcmd.exe is not there, or ended with a code other than 0; its words are in the record.
        UnreachableHost, OutcomeUnknown: as any call.
    """
    written, code = _ran(session, arguments, reads=reads)
    nothing = reads and not written and code in _LISTED
    if code != 0 and not nothing:
        raise _failed(session, arguments, " ".join(written), code)
    return written


def _ran(session: Session, arguments: tuple[str, ...], *, reads: bool) -> tuple[tuple[str, ...], int]:
    """The lines written, without the empty ones, and the exit code."""
    for argument in arguments:
        if _NOT_TO_QUOTE in argument or argument.endswith("\\"):
            raise BadInput(
                f"{argument!r} cannot be given to appcmd.exe",
                "a quotation mark in it, or a backslash at its end, would change what Windows hands on",
                "no name in IIS has either; correct the name",
            )
    call = load_script("easops.iis", "appcmd.ps1", {"Arguments": list(arguments)}, reads=reads)
    *lines, last = session.invoke(call).output or (None,)
    code = last.get("ExitCode") if isinstance(last, Mapping) else None
    told = f"appcmd {' '.join(arguments)}"
    if not isinstance(code, int) or not all(isinstance(line, str) for line in lines):
        what, why = f"{session.host}: {told} gave no exit code", f"the answer ends with {str(last)[:80]!r}"
        if reads:
            raise UnexpectedAnswer(what, why, "report it with this text; nothing was concluded from the answer")
        raise OutcomeUnknown(what, why, "it may have happened: read before it is sent again")
    return tuple(line.strip() for line in lines if line.strip()), code


def _failed(session: Session, arguments: tuple[str, ...], words: str, code: int) -> CommandFailed:
    if words:
        what, why, next_step = "was refused", words, "the server's own words tell what it wants"
    else:
        what, why = "failed", f"exit code {code} (0x{code & 0xFFFFFFFF:08X})"  # pages and events have it so
        next_step = "look into the server's Application event log: it may have crashed, or have been ended"
    return CommandFailed(
        f"{session.host}: appcmd {' '.join(arguments)} {what}",
        why,
        next_step,
        records=(ErrorRecord(why, command="appcmd.exe", terminating=True),),
    )


def list_elements(session: Session, *arguments: str) -> tuple[Mapping[str, str], ...]:
    """The objects that ``appcmd list … /xml`` gives, each by its attributes: ``APPPOOL.NAME``, ``state``.

    Raises as ``run_appcmd``, and UnexpectedAnswer where the answer is no such XML.
    """
    asked = ("list", *arguments, "/xml")
    written, code = _ran(session, asked, reads=True)
    text = "\n".join(written)
    if not text and code in _LISTED:
        return ()
    try:
        if "<!DOCTYPE" in text:
            raise ET.ParseError("a document type, which appcmd never writes")
        root = ET.fromstring(text)
    except ET.ParseError as error:
        if code != 0:
            raise _failed(session, asked, " ".join(written), code) from None
        raise _unexpected(session, arguments, f"{error}; it begins {text[:80]!r}") from None
    if root.tag != "appcmd":
        raise _unexpected(session, arguments, f"its root is <{root.tag}>")
    for element in root:
        if element.tag == "ERROR":
            raise _failed(session, asked, element.get("message", "ERROR"), code)
    if code not in _LISTED:
        raise _failed(session, asked, "", code)
    return tuple(dict(element.attrib) for element in root)


def _unexpected(session: Session, arguments: tuple[str, ...], why: str) -> UnexpectedAnswer:
    return UnexpectedAnswer(
        f"{session.host}: appcmd list {' '.join(arguments)} gave no list of objects",
        why,
        "report it with this text; nothing was concluded from the answer",
    )
