"""What can go wrong, split by what the caller does next.

Every error says *what* failed, *why*, and the *next step*; none of them prints, logs or exits.

====================  ===================================  =======================================
class                 what happened                        what the caller does
====================  ===================================  =======================================
``BadInput``          a file, a name or a value is wrong   corrects it; nothing was sent
``Refused``           a rule of easops forbids it          looks at the rule; nothing was sent
``UnreachableHost``   nothing was sent                     may send again
``AccessRefused``     401, 403, certificate, role          never sends again by itself
``CommandFailed``     it ran and the server refused        reads the error record
``OutcomeUnknown``    sent, and no answer came             reads before writing again
====================  ===================================  =======================================
"""

from __future__ import annotations

import attrs


class EasopsError(Exception):
    """The root of what can go wrong: *what* failed, *why*, and the *next_step*, each a text for a person. No secret is
    in any of them; *why* and *next_step* may be empty, and a *next_step* of several ways has a line for each. ``str()``
    of it is the first two."""

    def __init__(self, what: str, why: str = "", next_step: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.next_step = next_step

    def __str__(self) -> str:
        return self.what if not self.why else f"{self.what}: {self.why}"


class BadInput(EasopsError):
    """A file, a name or a value that easops was given is wrong; nothing was sent."""


class LogFormatError(BadInput):
    """A file is not a log of the expected kind."""


class Refused(EasopsError):
    """A rule of easops forbids it; nothing was sent. *rule* names the rule."""

    def __init__(self, what: str, why: str = "", next_step: str = "", *, rule: str) -> None:
        super().__init__(what, why, next_step)
        self.rule = rule


class UnexpectedAnswer(EasopsError):
    """The server answered in a shape that easops does not know; carries the evidence, guesses nothing."""


class UnreachableHost(EasopsError):
    """Nothing was sent: sending it again is safe (unless it is an AccessRefused)."""


class AccessRefused(UnreachableHost):
    """The door stayed shut: logon, role, certificate or endpoint. *reason* is one of
    ``logon``, ``forbidden``, ``certificate``, ``role``, ``endpoint``. Never retried."""

    def __init__(self, what: str, why: str = "", next_step: str = "", *, reason: str) -> None:
        super().__init__(what, why, next_step)
        self.reason = reason


@attrs.frozen
class ErrorRecord:
    """One PowerShell error record.

    *exception* is the short type name (``ManagementObjectNotFoundException``): on Exchange it, and not the
    hexadecimal part of *fqid*, tells which error it is. *category* is e.g. ``InvalidArgument``.
    """

    message: str
    category: str = ""
    fqid: str = ""
    exception: str = ""
    command: str = ""
    terminating: bool = False


class CommandFailed(EasopsError):
    """It ran and was refused: *records* are the error records, first the one that ended it."""

    def __init__(self, what: str, why: str = "", next_step: str = "", *, records: tuple[ErrorRecord, ...] = ()) -> None:
        super().__init__(what, why, next_step)
        self.records = records

    def has_exception(self, name: str) -> bool:
        """Whether any record's exception is *name*, e.g. ``ManagementObjectNotFoundException``."""
        return any(record.exception == name for record in self.records)

    def lacks(self, command: str) -> bool:
        """Whether it failed because the server knows no *command*: it is too old, or the account has no role for it."""
        named = command.lower()
        unknown = (record for record in self.records if record.exception == "CommandNotFoundException")
        return any(named in record.message.lower() for record in unknown)


class OutcomeUnknown(EasopsError):
    """Sent, and no answer came: it may have happened. Read before writing again."""


class Abandoned(OutcomeUnknown):
    """No answer came by the deadline: the server may still be at it, or get to it later, so that a read which finds
    nothing proves nothing."""
