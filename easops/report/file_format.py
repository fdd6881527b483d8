"""What a format of files is: a run in, the text of one file out, no I/O."""

from __future__ import annotations

from typing import Protocol

from easops.playbook.assessment.run_report import RunReport


class FileFormat(Protocol):
    """One kind of file that a run can be written to. Its ``name`` is its option's: ``--html`` of ``html``."""

    @property
    def name(self) -> str:
        """The name of its option, without the dashes."""
        ...

    def render(self, report: RunReport) -> str:
        """The text of the file."""
        ...
