"""What a format of files is: a run in, the text of one file out, no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import attrs

from easops.errors import EasopsError
from easops.playbook.steps.report import RunReport

if TYPE_CHECKING:
    from easops.playbook.record.run_view import RunView


@attrs.frozen
class Account:
    """All that is known of a run when its file is written.

    *view* is the run as the record has it: who ran it, with what, and its changes; None of a run that left no record
    (``--check``). *stopped* says that it was stopped in its middle, by this process; *problem* is what ended it where
    no step could tell it.
    """

    report: RunReport
    view: RunView | None = None
    stopped: bool = False
    problem: EasopsError | None = None

    @property
    def status(self) -> str:
        """How it stands in a word or a few: a status; ``stopped``, ``died``, ``running``, ``waiting``; or how it was
        closed, ``abandoned`` or ``undone by R``."""
        if self.stopped:
            return "stopped"
        return str(self.report.status) if self.view is None else self.view.status


class FileFormat(Protocol):
    """One kind of file that a run can be written to. Its ``name`` is its option's: ``--html`` of ``html``."""

    @property
    def name(self) -> str:
        """The name of its option, without the dashes."""
        ...

    def render(self, account: Account) -> str:
        """The text of the file."""
        ...
