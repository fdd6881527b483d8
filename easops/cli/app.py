"""The command line: words to values, one library call, values to text, exceptions to exit codes.

Nothing of easops outside ``easops.cli`` is imported at the top of these modules, so that ``--help`` stays quick
(tests/cli/test_loaded_libraries.py).
"""

from __future__ import annotations

import contextlib
import signal
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from easops.cli import (
    approve,
    completion,
    detect,
    do,
    github_actions,
    inventory,
    lab,
    lint,
    notify,
    options,
    run,
    runs,
    schema,
    show,
    undo,
    why,
    worker,
)
from easops.cli.exit_code import Terminated, exit_code, machine_refuses

app: typer.Typer = typer.Typer(
    name="easops",
    help="Find and cure Exchange ActiveSync overload: evidence first, the smallest change, proof, and undo.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command()(run.run)
app.command()(approve.approve)
app.command()(undo.undo)
app.add_typer(runs.app)
app.command(cls=options.naming("easops.readings", "READINGS"))(show.show)
app.command(cls=options.naming("easops.detectors", "DETECTORS"))(detect.detect)
app.command()(why.why)
app.command(cls=options.naming("easops.actions", "ACTIONS"))(do.do)
app.command()(lint.lint)
app.command()(schema.schema)
app.command()(worker.worker)
app.command()(notify.notify)
app.add_typer(inventory.app)
app.add_typer(lab.app)


def _version(requested: bool) -> None:
    if requested:
        from importlib.metadata import version

        typer.echo(f"easops {version('easops')}")
        raise typer.Exit


@app.callback()
def _easops(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error; may be given anywhere on the line.")
    ] = False,
) -> None:
    from easops.cli.console import escape_warnings

    escape_warnings()


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run one command and exit with its code; every exception ends here."""
    words = list(sys.argv[1:] if args is None else args)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    signal.signal(signal.SIGTERM, _terminate)
    code = _run_command(words)
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    sys.exit(code)


def _terminate(number: int, frame: object) -> NoReturn:
    raise Terminated


def _run_command(words: list[str]) -> int:
    """Run one command and return its exit code; an exception is shown and becomes one."""
    debug = "--debug" in words
    as_json = "--json" in words
    if completion.requested():
        completion.disable_rich()
    try:
        _refuse_other_than_text(words)
        returned = app(args=[word for word in words if word != "--debug"], prog_name="easops", standalone_mode=False)
    except SystemExit as ended:  # raised by typer's own options for completion
        return int(ended.code or 0)
    except BaseException as error:
        if completion.requested():
            return 1  # silently: output would appear in the middle of the line that the user is typing
        return _failed(error, as_json=as_json, debug=debug)
    # typer turns Ctrl-C into an exit code itself
    return _failed(KeyboardInterrupt(), as_json=as_json, debug=False) if returned == 130 else int(returned or 0)


def _refuse_other_than_text(words: Sequence[str]) -> None:
    """Python reads a byte that is not UTF-8 as half a character, which can be neither stored nor sent."""
    for word in words:
        if any("\ud800" <= character <= "\udfff" for character in word):
            from easops.errors import BadInput  # costs time, and is seldom needed

            what, why = f"the word {word!r} is not text", "it contains a byte that is not UTF-8"
            raise BadInput(what, why, "Write it in UTF-8, and rename a file whose name is not")


def _failed(error: BaseException, *, as_json: bool, debug: bool) -> int:
    """Show *error* in three lines on stderr, and with ``--json`` as a document on stdout. Returns its exit code."""
    from easops.cli.console import Console
    from easops.document import DocumentError
    from easops.errors import EasopsError
    from easops.report.document.json import dumped
    from easops.report.terminal.error import error_document, error_lines, problems_data, three_lines

    code, status = exit_code(error)
    if isinstance(error, EasopsError):
        what, why, next_step = error.what, error.why, error.next_step
        lines = error_lines(error)
    else:
        what, why, next_step = _words(error, status)
        lines = three_lines(what, why, next_step)
    console = Console()
    if isinstance(error, typer.TyperException) and what.startswith("Usage: "):
        # A group without a command: typer's message is the whole help text, which does not fit three lines.
        console.note(error.format_message())
        return code
    if as_json:
        document = error_document(status, what, why, next_step, code)
        if isinstance(error, DocumentError):
            document["problems"] = problems_data(error)
        console.result(dumped(document))
    console.error(lines)
    if isinstance(error, EasopsError):
        github_actions.annotate_error(console, error)
    if debug:
        console.note("".join(traceback.format_exception(error)).rstrip())
    return code


def _words(error: BaseException, status: str) -> tuple[str, str, str]:
    """What, why and next for an exception that is not an EasopsError."""
    if status == "stopped":
        return "stopped", "", ""
    if isinstance(error, typer.TyperException):
        context = getattr(error, "ctx", None)
        path, command = ("easops", None) if context is None else (context.command_path, context.command)
        argument = getattr(error, "param", None)
        missing = argument is not None and argument.param_type_name == "argument"
        why, shown = options.choices(command, argument) if missing else ("", "")
        return error.format_message().rstrip("."), why, "\n".join(part for part in (shown, f"{path} --help") if part)
    if next_step := machine_refuses(error):
        why = getattr(error, "strerror", None) or "there is not enough memory"
        name = getattr(error, "filename", None)
        return "this machine does not let easops work", why if name is None else f"{name}: {why}", next_step
    return (
        "this is a bug in easops",
        f"{type(error).__name__}: {error}",
        "run it again with --debug, and report the traceback",
    )
