"""Reports: values as text for a person, as one JSON document, or as a file of a run. To add a format, write its file
and its word here."""

from collections.abc import Callable, Mapping

from easops.errors import EasopsError
from easops.registry import table
from easops.report.ci.github import GITHUB
from easops.report.ci.junit import JUNIT, start_failure
from easops.report.ci.sarif import SARIF
from easops.report.document.json import JSON
from easops.report.file_format import FileFormat
from easops.report.format import Format
from easops.report.page.html import HTML
from easops.report.terminal.lint import LINT_TEXT, LintFormat
from easops.report.terminal.text import Text

FORMATS: Mapping[str, Format] = table(Text(), JSON)
"""The formats of output, by name."""

FILES: Mapping[str, FileFormat] = table(HTML, JUNIT)
"""The formats of a file of a run, by name."""

START_FAILURES: Mapping[str, Callable[[str, EasopsError], str]] = {JUNIT.name: start_failure}
"""The formats in which a file is also written for a run that could not begin."""

LINTS: Mapping[str, LintFormat] = table(LINT_TEXT, GITHUB, SARIF)
"""The formats of the output of lint, by name."""

__all__ = ["FILES", "FORMATS", "LINTS", "START_FAILURES", "FileFormat", "Format", "LintFormat"]
