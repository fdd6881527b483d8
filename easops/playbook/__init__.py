"""Playbooks, and what a run of one reports. The functions that run them are those of ``easops``: run, do, resume, undo.

Importing this module does not import the engine: each name is imported when it is first used.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from easops.playbook.assessment.assessment import Assessment
    from easops.playbook.assessment.next_command import NextCommand, Repeat
    from easops.playbook.assessment.point import Point
    from easops.playbook.assessment.run_facts import OpenRun
    from easops.playbook.assessment.verdict import Verdict
    from easops.playbook.execution.interrupted import Interrupted
    from easops.playbook.language.model import Playbook
    from easops.playbook.record.notice import Notice
    from easops.playbook.run import submit
    from easops.playbook.steps.effects import Preview
    from easops.playbook.steps.step_result import StepResult
else:
    from easops.lazy import lazy_names

    __getattr__ = lazy_names(
        __name__,
        {
            "Assessment": "easops.playbook.assessment.assessment",
            "Interrupted": "easops.playbook.execution.interrupted",
            "NextCommand": "easops.playbook.assessment.next_command",
            "Notice": "easops.playbook.record.notice",
            "OpenRun": "easops.playbook.assessment.run_facts",
            "Playbook": "easops.playbook.language.model",
            "Point": "easops.playbook.assessment.point",
            "Preview": "easops.playbook.steps.effects",
            "Repeat": "easops.playbook.assessment.next_command",
            "StepResult": "easops.playbook.steps.step_result",
            "Verdict": "easops.playbook.assessment.verdict",
            "submit": "easops.playbook.run",
        },
    )

__all__ = [
    "Assessment",
    "Interrupted",
    "NextCommand",
    "Notice",
    "OpenRun",
    "Playbook",
    "Point",
    "Preview",
    "Repeat",
    "StepResult",
    "Verdict",
    "submit",
]
