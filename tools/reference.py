"""Write the reference pages that are generated from the code: python tools/reference.py"""

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
    Status.SKIPPED: "not needed, or left out; the report says why",
    Status.OK: "read, or already as wanted",
    Status.CHANGED: "written and read back, and proved if that is possible",
    Status.UNDONE: "what was there before is restored",
    Status.WOULD_CHANGE: "only under `--check`: it would be changed",
    Status.NOT_STARTED: "an earlier step or item stopped what follows",
    Status.AWAITING_APPROVAL: "the run ends here until somebody approves the planned changes",
    Status.REFUSED: "a rule forbids it; nothing was sent",
    Status.FAILED: "tried, and proven not done",
    Status.UNDO_FAILED: "an undo was tried, and proven not done",
    Status.UNREACHABLE: "nothing was sent: no connection, or no access",
    Status.UNDETERMINED: "a host or user that should be judged could not be judged",
    Status.VERIFY_FAILED: "the fault is still there when the time for the verify is over",
    Status.UNKNOWN: "it was sent, and it is not known yet whether it was done",
}
"""What each status means, in the order of the table."""

STATES = {
    "running": "a process is executing it",
    "waiting": "submitted; `easops worker RUN` executes it",
    "died": "its process ended unexpectedly; continue with `runs resume`, `undo`, `runs reconcile` or `runs abandon`",
    "stopped": "somebody stopped it, with Ctrl-C or SIGTERM; continue with one of the same four commands",
    "STATUS": "it ended with this status",
    "STATUS, unfinished": "it ended with unfinished steps: `runs resume` continues with them",
    "undone by RUN": "everything that can be put back was put back",
    "abandoned": "reconciled, then closed",
}
"""The states of a run in runs list and runs show."""


def exit_codes() -> str:
    lines = [
        "# Statuses and exit codes",
        "",
        "A run has the status of its worst step: the highest exit code, and within one code the lower row.",
        "",
        "| status of a step, an item or a run | exit code | meaning |",
        "| --- | --- | --- |",
        *(f"| {status} | {code} | {MEANINGS[status]} |" for status, code in EXIT_CODES.items()),
        "",
        "| other codes | meaning |",
        "| --- | --- |",
        "| 1 | wrong usage, a bad file, no such host |",
        "| 2 | with `--detailed-exitcode`: something was found and not treated, or `--check` would change something |",
        "| 5 | also: the database of the records cannot be reached |",
        "| 70 | a bug in easops |",
        "| 130 | stopped by Ctrl-C; the run can be resumed |",
        "| 143 | stopped by SIGTERM; the run can be resumed |",
        "",
        "## States of a recorded run",
        "",
        "What `easops runs list` and `easops runs show` say about a run:",
        "",
        "| state | meaning |",
        "| --- | --- |",
        *(f"| {state} | {meaning} |" for state, meaning in STATES.items()),
    ]
    return "\n".join(lines) + "\n"


def command_line() -> str:
    lines = ["# Command line", "", "The `--help` of every command.", ""]
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
        "[The lab](../explanation/lab.md) says what is simulated, and what is assumed.",
        "",
        "| scenario | servers | what is wrong |",
        "| --- | --- | --- |",
    ]
    for name in scenario_names():
        scenario = build_scenario(name, read_scenario(name))
        servers = ", ".join(f"{server.name} ({server.version})" for server in scenario.servers)
        lines.append(f"| `{name}` | {servers} | {scenario.description} |")
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
    "site=AMS and role=client_access": "both conditions",
    "version=2010 or version=2013": "either condition; `and` binds more tightly than `or`",
    "not name=EX09": "all but one; `name!=EX09` says the same",
    "name=EX0? and not (site=LON or site=PAR)": "with wildcards and parentheses",
}
"""Examples of selectors; each is parsed when the page is written."""


def selectors() -> str:
    grammar = str(sys.modules[parse_selector.__module__].__doc__).partition("```text\n")[2].partition("\n```")
    for one in SELECTORS:
        parse_selector(one)
    lines = [
        "# Selectors",
        "",
        "`hosts:` and `on:` of a playbook, `--limit` and `--on` of the command line select hosts of the inventory by",
        "what it says about them. Hosts may also be named, separated by commas: `EX01,EX02`.",
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
    "EASOPS_INVENTORY": "the inventory, if there is no `--inventory`",
    "EASOPS_NOTIFY": "the notifications, if there is no `--notify`",
    "EASOPS_STATE": "the state folder, instead of the user's own",
    "EASOPS_DATABASE_URL": "a PostgreSQL database for the records and the engine, instead of a file",
    "EASOPS_PASSWORD": "only a convention: the variable that `inventory from-ansible` names in place of a password",
    "NO_COLOR": "no colour on a terminal",
    "FORCE_COLOR": "colour in a pipe too",
    "TERM": "`dumb`: no colour, and progress in plain lines",
    "GITHUB_ACTIONS": "`true`: annotations on stderr",
    "GITHUB_WORKSPACE": "the clone; file names in annotations are relative to it",
    "GITHUB_STEP_SUMMARY": "a file to which the run's summary is appended",
    "GITHUB_ACTOR": "who asks for an approval or gives it, in a job",
    "GITLAB_USER_LOGIN": "the same",
    "REQUESTS_CA_BUNDLE": "a PEM file with the authorities to trust where there is no `ca:` (servers, webhooks, mail)",
    "SSL_CERT_FILE": "the same, if `REQUESTS_CA_BUNDLE` is not set",
}
"""The environment variables that easops reads, without those of its libraries (proxies, ticket cache, libpq)."""


def environment() -> str:
    lines = [
        "# Environment and files",
        "",
        "| variable | meaning |",
        "| --- | --- |",
        *(f"| `{name}` | {meaning} |" for name, meaning in VARIABLES.items()),
        "",
        "A password may be in any variable that the inventory names: `password: {env: NAME}`.",
        "",
        "## The state folder",
        "",
        "`EASOPS_STATE`, or the user's own: `~/.local/state/easops` on Linux, `~/Library/Application Support/easops`",
        "on macOS, `%LOCALAPPDATA%\\easops` on Windows. Only its user may read it. It contains",
        "",
        "- `easops.sqlite`, the records and the engine's tables, unless `EASOPS_DATABASE_URL` names a database;",
        "- `easops.sqlite-wal` and `easops.sqlite-shm` beside it while a run lives, which hold its newest changes;",
        "- `locks/`, which say which runs are alive;",
        "- `labs/`, the simulated organisations of `--lab` runs.",
        "",
        f"Records are kept {KEPT.days} days, the organisations of lab runs 7. Apart from that, easops writes only the",
        "files that you name.",
        "",
        "To back up the records, copy `easops.sqlite` while no run is alive, or use SQLite's own backup, which needs",
        "no pause: `sqlite3 easops.sqlite \".backup 'records.sqlite'\"`. A plain copy of `easops.sqlite` alone, taken",
        "while a run is alive, lacks what is in the other two files.",
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
