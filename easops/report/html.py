"""A run as one page for a browser: nothing is fetched, nothing is executed."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from easops.report.file import Account
from easops.report.step import step_lines

_PAGES: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,  # a user agent is what a client sent: all text is hostile
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class _Html:
    name = "html"

    def render(self, account: Account) -> str:
        report = account.report
        steps = ["\n".join(step_lines(step, report.steps[:at])) for at, step in enumerate(report.steps)]
        return _PAGES.get_template("html.jinja").render(account=account, report=report, steps=steps)


HTML = _Html()
