"""Reports: values as text for a person, as one JSON document, or as a file of a run. To add a format, write its file
and its word here."""

from collections.abc import Mapping

from easops.registry import table
from easops.report.file import FileFormat
from easops.report.format import Format
from easops.report.html import HTML
from easops.report.json import JSON
from easops.report.text import Text

FORMATS: Mapping[str, Format] = table(Text(), JSON)
FILES: Mapping[str, FileFormat] = table(HTML)

__all__ = ["FILES", "FORMATS", "FileFormat", "Format"]
