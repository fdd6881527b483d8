"""Writes the reference pages that are made from tables of the code: python tools/reference.py"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from typer.main import get_command

from easops.actions import ACTIONS
from easops.cli.app import app
from easops.detectors import DETECTORS
from easops.duration import format_duration
from easops.inventory.selector import parse_selector
from easops.lab.world.scenario import build_scenario, read_scenario, scenario_names
from easops.parameter import Parameter
from easops.playbook.record.run_store import KEPT
from easops.readings import READINGS
from easops.status import EXIT_CODES, Status

FOLDER = Path(__file__).parent.parent / "docs" / "reference"


MEANINGS = {
    Status.SKIPPED: "not needed, or passed over; the reason is told",
    Status.OK: "looked, or is as wanted already",
    Status.CHANGED: "written, read back, and where it can be proved, proved",
    Status.UNDONE: "what was there before is there again",
    Status.WOULD_CHANGE: "under `--check` alone",
    Status.NOT_STARTED: "behind a step that stops what follows",
    Status.AWAITING_APPROVAL: "ends here until somebody approves what is planned",
    Status.REFUSED: "a rule forbids it; nothing was sent",
    Status.FAILED: "tried, and proven not done",
    Status.UNDO_FAILED: "an undo was tried, and proven not done",
    Status.UNREACHABLE: "nothing was sent: no connection, or no access",
    Status.UNDETERMINED: "a host or user that was asked for could not be judged",
    Status.VERIFY_FAILED: "the fault is still there when the time for it is up",
    Status.UNKNOWN: "it was sent, and nobody knows yet whether it was done",
}
"""What each status says, in the order of the table."""

STATES = {
    "running": "a process executes it now",
    "waiting": "submitted; `easops worker RUN` executes it",
    "died": "its process ended before the run did; `runs resume`, `undo`, `runs reconcile` or `runs abandon` go on",
    "stopped": "somebody stopped it, with Ctrl-C or SIGTERM; the same four go on",
    "STATUS": "it ended with this status",
    "STATUS, unfinished": "it has ended, but has unfinished steps: `runs resume` continues it",
    "undone by RUN": "everything that can be put back is",
    "abandoned": "settled by reading, then closed",
}
"""How a run is told by runs list and runs show."""


def exit_codes() -> str:
    lines = [
        "# Statuses and exit codes",
        "",
        "A run's status is its worst step's: the highest exit code, and within a code the later row.",
        "",
        "| status of a step, an item or a run | exit code | meaning |",
        "| --- | --- | --- |",
        *(f"| {status} | {code} | {MEANINGS[status]} |" for status, code in EXIT_CODES.items()),
        "",
        "| other codes | meaning |",
        "| --- | --- |",
        "| 1 | usage, a bad file, no such host |",
        "| 2 | with `--detailed-exitcode`: changes are pending under `--check`, or `detect` found something |",
        "| 5 | also: the database of the records cannot be reached |",
        "| 70 | a bug in easops |",
        "| 130 | stopped by Ctrl-C; the run can be resumed |",
        "| 143 | stopped by SIGTERM; the run can be resumed |",
        "",
        "## States of a recorded run",
        "",
        "`easops runs list` and `easops runs show` tell of each run:",
        "",
        "| state | meaning |",
        "| --- | --- |",
        *(f"| {state} | {meaning} |" for state, meaning in STATES.items()),
    ]
    return "\n".join(lines) + "\n"


def command_line() -> str:
    lines = ["# Command line", "", "What `--help` shows, of every command.", ""]
    for path, text in _helps(get_command(app), "easops", None):
        lines += [f"## {path}", "", "```text", text, "```", ""]
    return "\n".join(lines).rstrip() + "\n"


def _helps(command: Any, name: str, parent: Any) -> Iterator[tuple[str, str]]:
    context = command.context_class(command, info_name=name, parent=parent, terminal_width=100)
    yield context.command_path, "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    for inner in command.list_commands(context) if hasattr(command, "list_commands") else ():
        yield from _helps(command.get_command(context, inner), inner, context)


def scenarios() -> str:
    lines = [
        "# Scenarios of the lab",
        "",
        "`easops run PLAYBOOK --lab --scenario NAME`, or `easops lab start --scenario NAME`.",
        "[What is simulated, and what is assumed](../explanation/lab.md) is a page of its own.",
        "",
        "| scenario | servers | what is wrong |",
        "| --- | --- | --- |",
    ]
    for name in scenario_names():
        held = build_scenario(name, read_scenario(name))
        servers = ", ".join(f"{server.name} ({server.version})" for server in held.servers)
        lines.append(f"| `{name}` | {servers} | {held.description} |")
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
        one_way = " It cannot be undone, and needs a reason (`because:`)." if action.one_way else ""
        lines += [f"## {name}", "", f"{action.summary}. It acts {where}.{one_way}", "", *_parameters(action.parameters)]
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


SELECTORS = {
    "all": "every host",
    "runs=activesync": "where ActiveSync runs: client access servers on 2007 and 2010, else mailbox servers",
    "site=AMS and role=client_access": "both",
    "version=2010 or version=2013": "either; `and` binds more closely than `or`",
    "not name=EX09": "all but one; `name!=EX09` says the same",
    "name=EX0? and not (site=LON or site=PAR)": "with a wildcard, and in brackets",
}
"""Selectors as they are typed, each of which is parsed when the page is written."""


def selectors() -> str:
    grammar = str(sys.modules[parse_selector.__module__].__doc__).partition("```text\n")[2].partition("\n```")
    for one in SELECTORS:
        parse_selector(one)
    lines = [
        "# Selectors",
        "",
        "`hosts:` and `on:` of a playbook, `--limit` and `--on` of the command line choose hosts of the inventory, by",
        "what it says of them. Hosts may also be named, with commas between: `EX01,EX02`.",
        "",
        "| selector | hosts |",
        "| --- | --- |",
        *(f"| `{one}` | {meaning} |" for one, meaning in SELECTORS.items()),
        "",
        "```text",
        grammar[0],
        "```",
        "",
        " ".join(grammar[2].split()).replace("``", "`").replace(" (`Host.runs_activesync`)", ""),
    ]
    return "\n".join(lines) + "\n"


VARIABLES = {
    "EASOPS_INVENTORY": "the inventory, where `--inventory` names none",
    "EASOPS_NOTIFY": "the notifications, where `--notify` names none",
    "EASOPS_STATE": "the state folder, in place of the user's own",
    "EASOPS_DATABASE_URL": "a PostgreSQL database for the records and the engine, in place of a file",
    "EASOPS_PASSWORD": "nothing by itself: the name that `inventory from-ansible` gives to a password it leaves out",
    "NO_COLOR": "no colour on a terminal",
    "FORCE_COLOR": "colour in a pipe, too",
    "TERM": "`dumb`: no colour, and progress in plain lines",
    "GITHUB_ACTIONS": "`true`: annotations on stderr",
    "GITHUB_WORKSPACE": "the clone; files are named from there in annotations",
    "GITHUB_STEP_SUMMARY": "a file to which the run's summary is added",
    "GITHUB_ACTOR": "who asks for an approval, or gives it, in a job",
    "GITLAB_USER_LOGIN": "likewise",
}
"""What easops reads of its environment, beside what the libraries do (a proxy, the ticket cache, libpq's own)."""


def environment() -> str:
    lines = [
        "# Environment and files",
        "",
        "| variable | what it says |",
        "| --- | --- |",
        *(f"| `{name}` | {meaning} |" for name, meaning in VARIABLES.items()),
        "",
        "Passwords may stand in any variable that the inventory names: `password: {env: NAME}`.",
        "",
        "## The state folder",
        "",
        "`EASOPS_STATE`, or the user's own: `~/.local/state/easops` on Linux, `~/Library/Application Support/easops`",
        "on macOS, `%LOCALAPPDATA%\\easops` on Windows. It is made for its user alone, and holds",
        "",
        "- `easops.sqlite`, the records and the engine's tables, unless `EASOPS_DATABASE_URL` names a database;",
        "- `locks/`, which say what runs are alive;",
        "- `labs/`, the worlds of `--lab` runs.",
        "",
        f"Records are kept {KEPT.days} days, worlds 7. Nothing else is written, but the files that you name.",
    ]
    return "\n".join(lines) + "\n"


PAGES: Mapping[str, Callable[[], str]] = {
    "exit-codes.md": exit_codes,
    "actions.md": actions,
    "detectors.md": detectors,
    "readings.md": readings,
    "scenarios.md": scenarios,
    "environment.md": environment,
    "selectors.md": selectors,
    "command-line.md": command_line,
    **runpy.run_path(str(Path(__file__).with_name("reference_schemas.py")))["PAGES"],
    **runpy.run_path(str(Path(__file__).with_name("reference_api.py")))["PAGES"],
}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")
