"""The options that run, do, undo and runs resume share, as one value."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable
from typing import Any, get_type_hints

from easops.cli import options


@dataclasses.dataclass(frozen=True)
class RunOptions:
    """What was typed of the shared options; ``takes_run_options`` declares them on a command."""

    diff: options.Diff = False
    yes: options.Yes = False
    wait: options.Wait = None
    html: options.Html = None
    notify: options.Notify = None
    as_json: options.Json = False
    quiet: options.Quiet = False
    verbose: options.Verbose = False


def takes_run_options(command: Callable[..., None]) -> Callable[..., None]:
    """*command*, whose last parameter ``shared`` is a RunOptions, with each of its fields as an option of its own.

    typer reads a command's options from its signature and knows no groups of them, so the signature says them one by
    one, and the values are put together again here.
    """
    hints = get_type_hints(RunOptions, include_extras=True)
    fields = [
        inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name]
        )
        for field in dataclasses.fields(RunOptions)
    ]
    signature = inspect.signature(command, eval_str=True)
    own = [parameter for parameter in signature.parameters.values() if parameter.name != "shared"]

    @functools.wraps(command)
    def taking(**values: Any) -> None:
        shared = RunOptions(**{field.name: values.pop(field.name) for field in fields})
        command(**values, shared=shared)

    taking.__signature__ = signature.replace(parameters=[*own, *fields])  # type: ignore[attr-defined]
    return taking
