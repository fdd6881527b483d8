"""What can go wrong, in classes by what the caller does next.

Every error says *what* failed, *why*, and the *next step*. None of them prints, logs or exits.

====================  ===================================  ==============================================
class                 what happened                        what the caller does
====================  ===================================  ==============================================
``BadInput``          a file, a name or a value is wrong   corrects it; nothing was sent
``Refused``           a rule of easops forbids it          looks at the rule; nothing was sent
``UnreachableHost``   nothing was sent                     may send it again
``AccessRefused``     401, 403, certificate, role          corrects it; sending again does not help
``CommandFailed``     the server refused it                reads the error record
``OutcomeUnknown``    sent, but no answer came back        reads the current state before sending again
====================  ===================================  ==============================================
"""

from __future__ import annotations

import attrs

__all__ = [
    "Abandoned",
    "AccessRefused",
    "BadInput",
    "CommandFailed",
    "EasopsError",
    "ErrorRecord",
    "LogFormatError",
    "OutcomeUnknown",
    "Refused",
    "UnexpectedAnswer",
    "UnreachableHost",
]


class EasopsError(Exception):
    """The base class of all errors of easops: *what* failed, *why*, and the *next_step*, each a text for a person.

    *why* and *next_step* may be empty; if there are several possible next steps, each has its own line. None of the
    texts contains a secret. ``str(error)`` is *what* and *why*.
    """

    def __init__(self, what: str, why: str = "", next_step: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.next_step = next_step

    def __str__(self) -> str:
        return self.what if not self.why else f"{self.what}: {self.why}"

    @property
    def with_next_step(self) -> str:
        """``str(error)`` and the next step, in one line: ``EX1: access is forbidden: HTTP 403; next: allow …``."""
        steps = "; ".join(line.strip() for line in self.next_step.splitlines() if line.strip())
        return f"{self}; next: {steps}" if steps else str(self)


class BadInput(EasopsError):
    """A file, a name or a value that the caller passed is wrong. Nothing was sent."""


class LogFormatError(BadInput):
    """A file is not a log of the expected kind."""


class Refused(EasopsError):
    """A rule of easops forbids it. Nothing was sent. *rule* is the name of the rule."""

    def __init__(self, what: str, why: str = "", next_step: str = "", *, rule: str) -> None:
        super().__init__(what, why, next_step)
        self.rule = rule


class UnexpectedAnswer(EasopsError):
    """The server's answer has a shape that easops does not know. The error shows the answer; nothing was guessed from
    it."""

    def __init__(self, what: str, why: str = "", next_step: str = "report it with this text") -> None:
        super().__init__(what, why, next_step)


class UnreachableHost(EasopsError):
    """Nothing was sent, so it is safe to send it again. If it is an AccessRefused, that will not help.

    *wait* is for how many seconds the server accepts no further request, as it says; 0 if it does not say so.
    """

    def __init__(self, what: str, why: str = "", next_step: str = "", *, wait: float = 0.0) -> None:
        super().__init__(what, why, next_step)
        self.wait = wait


class AccessRefused(UnreachableHost):
    """The server did not let us in, and easops does not try again by itself.

    *reason* is ``logon`` (the user name or password), ``ticket`` (its Kerberos ticket is too large), ``forbidden``
    (HTTP 403), ``certificate`` (the server's is not trusted), ``role`` (the account has none here) or ``endpoint``
    (there is no such endpoint, or it does not accept this authentication).
    """

    def __init__(self, what: str, why: str = "", next_step: str = "", *, reason: str) -> None:
        super().__init__(what, why, next_step)
        self.reason = reason


@attrs.frozen
class ErrorRecord:
    """One PowerShell error record.

    *message* is its text, *category* for instance ``InvalidArgument``, *fqid* the FullyQualifiedErrorId, *command* the
    cmdlet that reported it. *exception* is the short name of the exception's type, such as
    ``ManagementObjectNotFoundException``: it identifies an error of Exchange, while the hexadecimal part of *fqid*
    differs between cmdlets. *terminating* says that the pipeline ended with it.
    """

    message: str
    category: str = ""
    fqid: str = ""
    exception: str = ""
    command: str = ""
    terminating: bool = False


class CommandFailed(EasopsError):
    """The server refused the command. *records* are the error records; the one that ended the pipeline comes first.
    *served_by* names the servers that took part, where they say so (``easops.remoting.served_by``)."""

    def __init__(
        self,
        what: str,
        why: str = "",
        next_step: str = "",
        *,
        records: tuple[ErrorRecord, ...] = (),
        served_by: str = "",
    ) -> None:
        super().__init__(what, why, next_step)
        self.records = records
        self.served_by = served_by

    def has_exception(self, name: str) -> bool:
        """Whether the exception of any record is *name*, for instance ``ManagementObjectNotFoundException``."""
        return any(record.exception == name for record in self.records)

    def lacks(self, command: str) -> bool:
        """Whether it failed because the server has no cmdlet *command*: it is too old, or the account has no role for
        it."""
        lower = command.lower()
        unknown = (record for record in self.records if record.exception == "CommandNotFoundException")
        return any(lower in record.message.lower() for record in unknown)


class OutcomeUnknown(EasopsError):
    """It was sent, but no answer came back: it may have run. Read the current state before you send it again."""


class Abandoned(OutcomeUnknown):
    """There was no answer within the deadline. The server may still be running it, or run it later, so a read that
    finds no effect proves nothing yet."""
