"""appcmd.exe, for servers without the WebAdministration module.

The script ``appcmd.ps1``, next to this module, passes each argument on as one argument, so no name becomes command
text.
Source: the help of appcmd.exe (IIS 7 and later), ``/xml`` and ``/text``.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Final

from easops.errors import BadInput, CommandFailed, ErrorRecord, OutcomeUnknown, UnexpectedAnswer
from easops.remoting.script import load_script
from easops.remoting.session import Session

_LISTED: Final = (0, 1)
"""The exit codes of a list: an empty list may end with 1. After any other code the output is not a list."""


def run_appcmd(session: Session, *arguments: str, reads: bool) -> tuple[str, ...]:
    """The lines that appcmd.exe wrote, without empty ones.

    Raises:
        BadInput: Windows could not pass on one of the arguments unchanged.
        CommandFailed: there is no appcmd.exe, or its exit code is not 0; what it wrote is in the record.
        UnreachableHost, OutcomeUnknown: as any call.
    """
    lines, code = _run(session, arguments, reads=reads)
    is_empty_list = reads and not lines and code in _LISTED
    if code != 0 and not is_empty_list:
        raise _failed(session, arguments, " ".join(lines), code)
    return lines


def _run(session: Session, arguments: tuple[str, ...], *, reads: bool) -> tuple[tuple[str, ...], int]:
    """The lines that appcmd.exe wrote, without empty ones, and its exit code."""
    for argument in arguments:
        if '"' in argument or argument.endswith("\\"):
            raise BadInput(
                f"{argument!r} cannot be passed to appcmd.exe",
                "Windows would change an argument with a quotation mark in it, or a backslash at its end",
                "no name in IIS has either; correct the name",
            )
    call = load_script("easops.iis", "appcmd.ps1", {"Arguments": list(arguments)}, reads=reads)
    *lines, last = session.invoke(call).output or (None,)
    code = last.get("ExitCode") if isinstance(last, Mapping) else None
    if not isinstance(code, int) or not all(isinstance(line, str) for line in lines):
        what = f"{session.host}: appcmd {' '.join(arguments)} returned no exit code"
        why = f"the answer ends with {str(last)[:80]!r}"
        if reads:
            raise UnexpectedAnswer(what, why)
        raise OutcomeUnknown(what, why, "it may have run: read the current state before you send it again")
    return tuple(line.strip() for line in lines if line.strip()), code


def _failed(session: Session, arguments: tuple[str, ...], text: str, code: int) -> CommandFailed:
    if text:
        what, why, next_step = "was refused", text, "the text of the server says what it needs"
    else:
        # Hexadecimal, too: that is how documentation and the event log show it.
        what, why = "failed", f"exit code {code} (0x{code & 0xFFFFFFFF:08X})"
        next_step = "look in the server's Application event log: appcmd may have crashed, or been ended"
    return CommandFailed(
        f"{session.host}: appcmd {' '.join(arguments)} {what}",
        why,
        next_step,
        records=(ErrorRecord(why, command="appcmd.exe", terminating=True),),
    )


def list_elements(session: Session, *arguments: str) -> tuple[Mapping[str, str], ...]:
    """The objects that ``appcmd list … /xml`` prints, each as its attributes: ``APPPOOL.NAME``, ``state``.

    Raises as ``run_appcmd``, and UnexpectedAnswer if the answer is not XML of this form.
    """
    command = ("list", *arguments, "/xml")
    lines, code = _run(session, command, reads=True)
    text = "\n".join(lines)
    if not text and code in _LISTED:
        return ()
    try:
        if "<!DOCTYPE" in text:
            # Refused before it is parsed: appcmd never writes one, and an entity in it could expand without end.
            raise ET.ParseError("it has a document type")
        root = ET.fromstring(text)
    except (ET.ParseError, ValueError) as error:  # ValueError: half a character, which XML cannot be made of
        if code != 0:
            raise _failed(session, command, " ".join(lines), code) from None
        raise _unexpected(session, arguments, f"{error}; it begins with {text[:80]!r}") from None
    if root.tag != "appcmd":
        raise _unexpected(session, arguments, f"its root is <{root.tag}>")
    for element in root:
        if element.tag == "ERROR":
            raise _failed(session, command, element.get("message", "ERROR"), code)
    if code not in _LISTED:
        raise _failed(session, command, "", code)
    return tuple(dict(element.attrib) for element in root)


def _unexpected(session: Session, arguments: tuple[str, ...], why: str) -> UnexpectedAnswer:
    return UnexpectedAnswer(f"{session.host}: appcmd list {' '.join(arguments)} returned no list of objects", why)
