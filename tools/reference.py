"""Writes the reference pages that are made from tables of the code: python tools/reference.py"""

from __future__ import annotations

import runpy
from collections.abc import Callable, Mapping
from pathlib import Path

from easops.actions import ACTIONS
from easops.detectors import DETECTORS
from easops.parameter import Parameter, format_duration
from easops.readings import READINGS
from easops.status import EXIT_CODES

FOLDER = Path(__file__).parent.parent / "docs" / "reference"


def exit_codes() -> str:
    lines = [
        "# Statuses and exit codes",
        "",
        "A run's status is its worst step's: the highest exit code, and within a code the later row.",
        "",
        "| status of a step, an item or a run | exit code |",
        "| --- | --- |",
        *(f"| {status} | {code} |" for status, code in EXIT_CODES.items()),
        "",
        "| other codes | meaning |",
        "| --- | --- |",
        "| 1 | usage, a bad file, no such host |",
        "| 2 | with `--detailed-exitcode`: changes are pending under `--check`, or `detect` found something |",
        "| 5 | also: the database of the records cannot be reached |",
        "| 70 | a bug in easops |",
        "| 130 | stopped by Ctrl-C; the run can be resumed |",
        "| 143 | stopped by SIGTERM; the run can be resumed |",
    ]
    return "\n".join(lines) + "\n"


def _parameters(parameters: tuple[Parameter, ...]) -> list[str]:
    if not parameters:
        return ["It takes no parameters.", ""]
    rows = []
    for parameter in parameters:
        default = parameter.default
        shown = "required" if parameter.required else "" if default is None else str(default)
        if parameter.kind == "duration" and not parameter.required and default is not None:
            shown = format_duration(parameter.check(default))
        kind = " or ".join(parameter.choices) if parameter.choices else parameter.kind
        rows.append(f"| `{parameter.name}` | {kind} | {shown} | {parameter.help} |")
    return ["| parameter | kind | default | |", "| --- | --- | --- | --- |", *rows, ""]


def actions() -> str:
    lines = ["# Actions", "", "`do: ACTION` in a playbook, `easops do ACTION` by hand.", ""]
    for name, action in ACTIONS.items():
        where = "once, through an exchange endpoint" if action.scope == "organisation" else "on each host of `on:`"
        pulse = " It cannot be undone, and needs a reason (`because:`)." if action.pulse else ""
        lines += [f"## {name}", "", f"{action.summary}. It acts {where}.{pulse}", "", *_parameters(action.parameters)]
    return "\n".join(lines).rstrip() + "\n"


def detectors() -> str:
    lines = ["# Detectors", "", "`detect:` and `verify:` in a playbook, `easops detect DETECTOR` by hand.", ""]
    for name, detector in DETECTORS.items():
        lines += [f"## {name}", "", f"{detector.summary}.", "", *_parameters(detector.parameters)]
    return "\n".join(lines).rstrip() + "\n"


def readings() -> str:
    lines = ["# Readings", "", "`easops show READING`.", ""]
    for name, reading in READINGS.items():
        where = "the organisation" if reading.scope == "organisation" else "each host"
        shown = ", ".join(f"`{column}`" for column in reading.columns)
        lines += [f"## {name}", "", f"{reading.summary}, of {where}: {shown}.", "", *_parameters(reading.parameters)]
    return "\n".join(lines).rstrip() + "\n"


PAGES: Mapping[str, Callable[[], str]] = {
    "exit-codes.md": exit_codes,
    "actions.md": actions,
    "detectors.md": detectors,
    "readings.md": readings,
    **runpy.run_path(str(Path(__file__).with_name("reference_api.py")))["PAGES"],
}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")
