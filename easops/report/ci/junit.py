"""A run as a JUnit file, for CI systems that show one; the evidence is in ``system-out``.

Source: the schema of the xUnit plugin of Jenkins, junit-10.xsd, which a test holds it to.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Final
from xml.etree import ElementTree

from easops.errors import EasopsError
from easops.playbook.assessment.run_report import RunReport
from easops.report.ci.test_case import Case, cases, of_problem
from easops.visible import visible_lines

_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML 1.0 document may contain, not even escaped."""


class _Junit:
    name = "junit"

    def render(self, report: RunReport) -> str:
        return _document(report.playbook, cases(report), _properties(report), report.started)


JUNIT = _Junit()


def _properties(report: RunReport) -> list[tuple[str, str | None]]:
    """What the run is and what it means; a name stands once for each of its values."""
    assessment = report.assessment
    return [
        ("run", report.run_id),
        ("status", report.state),
        ("lab", report.lab),
        ("verdict", f"{assessment.verdict.word}: {assessment.verdict.sentence}"),
        *(("proved", text) for text in assessment.proved),
        *(("searched", text) for text in assessment.searched),
        *(("open", str(point)) for point in assessment.open),
        *(("not_judged", str(point)) for point in assessment.not_judged),
        *(("repeat", f"the same command {repeat.difference}") for repeat in assessment.repeats),
        *(("next", command.command) for command in assessment.next),
    ]


def start_failure(title: str, problem: EasopsError) -> str:
    """The file of a run that could not begin."""
    return _document(title, [of_problem(problem)], [], None)


def _document(
    title: str, found: Sequence[Case], known: Sequence[tuple[str, str | None]], started: dt.datetime | None
) -> str:
    def count(outcome: str) -> str:
        return str(sum(case.outcome == outcome for case in found))

    totals = {
        "name": _clean(title),
        "tests": str(len(found)),
        "failures": count("failure"),
        "errors": count("error"),
        "time": f"{sum(case.seconds for case in found):.3f}",
    }
    root = ElementTree.Element("testsuites", totals)
    suite = ElementTree.SubElement(root, "testsuite", {**totals, "skipped": count("skipped")})
    if started is not None:
        suite.set("timestamp", started.replace(microsecond=0).isoformat())
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in known:
        if value:
            ElementTree.SubElement(properties, "property", {"name": name, "value": _clean(value)})
    for case in found:
        _add(suite, case, title)
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _add(suite: ElementTree.Element, case: Case, title: str) -> None:
    names = {"classname": _clean(title), "name": _clean(case.name), "time": f"{case.seconds:.3f}"}
    element = ElementTree.SubElement(suite, "testcase", names)
    if case.outcome != "passed":
        words = case.status.replace("_", " ")
        message = f"{words}: {case.reason}" if case.reason else words
        ElementTree.SubElement(element, case.outcome, {"type": case.status, "message": _clean(message)})
    if case.evidence:
        ElementTree.SubElement(element, "system-out").text = _clean(case.evidence)


def _clean(text: str) -> str:
    """Without what XML cannot contain, and control characters visible: a user agent is whatever a client sent."""
    return _NOT_XML.sub("\ufffd", visible_lines(text))
