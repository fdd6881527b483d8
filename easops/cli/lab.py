"""``easops lab``: a simulated organisation for trying things out."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import signal
import sys
import tempfile
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from easops.cli import completion

if TYPE_CHECKING:
    from easops.lab.world import World

app: typer.Typer = typer.Typer(
    name="lab", help="Run a simulated Exchange organisation.", no_args_is_help=True, rich_markup_mode=None
)

_MISSING = """easops: the lab is not installed
  why:  it needs the libraries of the extra `lab`
  next: pip install "easops[lab]\""""


@app.command("list")
def list_() -> None:
    """List the scenarios, and what is wrong in each simulated organisation."""
    from easops.lab.world.scenario import build_scenario, read_scenario, scenario_names

    names = scenario_names()
    width = max(map(len, names))
    for name in names:
        described = build_scenario(name, read_scenario(name)).description
        under = " " * (width + 2)
        typer.echo(textwrap.fill(described, 80, initial_indent=f"{name:<{width}}  ", subsequent_indent=under))


@app.command()
def start(
    state: Annotated[Path | None, typer.Option(help="State folder; an existing lab is resumed.")] = None,
    scenario: Annotated[
        str | None,
        typer.Option(
            help="Scenario (contacts-storm); easops lab list shows them.", autocompletion=completion.scenarios
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed: which variant of the scenario (1).")] = None,
    speed: Annotated[float, typer.Option(min=0.0, max=1000.0, help="Clock speed factor (1 = real time).")] = 1.0,
    read_only: Annotated[bool, typer.Option("--read-only", help="Refuse every change.")] = False,
    port_base: Annotated[int, typer.Option(min=0, max=65000, help="Port of the first server; 0 picks free ports.")] = 0,
    auth: Annotated[
        Literal["basic", "ntlm", "negotiate"],
        typer.Option(
            help="Authentication at the windows endpoints: "
            "basic over TLS; ntlm and negotiate over HTTP, with message encryption."
        ),
    ] = "basic",
    begin: Annotated[
        str | None, typer.Option(help="Start time of a new lab, for example 2026-11-24T17:00:00Z (now).")
    ] = None,
    until_stdin_closes: Annotated[
        bool,
        typer.Option(
            "--until-stdin-closes", help="For programs: print one line of JSON, and end when standard input is closed."
        ),
    ] = False,
    clock_by_stdin: Annotated[
        bool,
        typer.Option(
            "--clock-by-stdin",
            help="For programs: as --until-stdin-closes, and the clock stands still; the line "
            '{"until": SECONDS} on standard input moves it, counted from the start.',
        ),
    ] = False,
) -> None:
    """Start a lab on this machine, print its inventory, and run until Ctrl-C."""
    began = _moment(begin)
    try:
        from easops.lab import server
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "easops":
            raise
        typer.echo(_MISSING, err=True)
        raise typer.Exit(1) from None
    end = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: end.set())
    for_program = until_stdin_closes or clock_by_stdin
    if for_program:
        # Ctrl-C reaches every process of the terminal; the program that started the lab may still need it.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    if clock_by_stdin:
        speed = 0.0
    with tempfile.TemporaryDirectory(prefix="easops-lab-") as temporary:
        folder = Path(temporary) if state is None else state.absolute()
        with server.start(
            folder,
            scenario=scenario,
            seed=seed,
            speed=speed,
            begin=began,
            read_only=read_only,
            port_base=port_base,
            auth=auth,
        ) as lab:
            name = lab.world.scenario.name
            if for_program:
                ready = {
                    "inventory": str(lab.inventory),
                    "start": lab.world.now().isoformat(),
                    "speed": speed,
                    "scenario": name,
                }
                typer.echo(json.dumps(ready))
            else:
                typer.echo(f"# {lab.inventory}")
                typer.echo(lab.inventory.read_text(encoding="utf-8"), nl=False)
                typer.echo(f"the lab {name} is running; Ctrl-C stops it", err=True)
            sys.stdout.flush()
            if for_program:
                take = _clock_of(lab.world) if clock_by_stdin else lambda line: None
                threading.Thread(target=_watch_stdin, args=(end, take), daemon=True).start()
            while not end.wait(0.5):  # in short waits: on Windows a signal does not interrupt a wait without a timeout
                pass


@app.command(hidden=True)
def start_when_told(context: typer.Context) -> None:
    """For ``easops.lab_process``: load what a lab needs, then take the arguments of ``start``, one line of JSON on
    standard input."""
    with contextlib.suppress(ModuleNotFoundError):  # start says it
        from easops.lab import server as server
    line = _first_line()
    if line:
        command = typer.main.get_command(app)
        command.main(["start", *json.loads(line)], prog_name=context.command_path, standalone_mode=False)


def _first_line() -> bytes:
    """The first line of standard input, and nothing of what follows; empty where it closes before."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(sys.stdin.fileno(), 1)
        if not byte:
            return b""
        line += byte
    return line


def _moment(text: str | None) -> dt.datetime | None:
    """*text* as a time; without an offset it is UTC. Raises BadInput."""
    if text is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        from easops.errors import BadInput

        raise BadInput(
            f"--begin: {text!r} is not a valid time",
            "a time is written as in ISO 8601",
            "for example 2026-11-24T17:00:00Z",
        ) from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)


def _watch_stdin(end: threading.Event, take: Callable[[bytes], None]) -> None:
    """Call *take* with each line of standard input, and set *end* when standard input is closed."""
    # Reads past the buffer: a daemon thread that holds its lock would abort the interpreter at exit.
    rest = b""
    while data := os.read(sys.stdin.fileno(), 4096):
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            take(line)
    end.set()


def _clock_of(world: World) -> Callable[[bytes], None]:
    """A function that moves the clock of a lab as a line of standard input says: ``{"until": 30}`` moves it on by the
    time that calls took since the last line, then to 30 s after its start, unless it is later already. The answer is
    ``{"now": 30}``."""
    start = world.clock.elapsed()

    def take(line: bytes) -> None:
        answer: dict[str, Any]
        try:
            answer = {"now": world.reach(start + float(json.loads(line)["until"])) - start}
        except (ValueError, TypeError, KeyError):
            answer = {"error": 'a line is {"until": SECONDS}'}
        typer.echo(json.dumps(answer))
        sys.stdout.flush()

    return take
