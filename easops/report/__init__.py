"""Reports: values as text for a person, or as one JSON document. To add a format, write its file and its word here."""

from collections.abc import Mapping

from easops.registry import table
from easops.report.format import Format
from easops.report.json import JSON
from easops.report.text import TEXT

FORMATS: Mapping[str, Format] = table(TEXT, JSON)

__all__ = ["FORMATS", "Format"]
