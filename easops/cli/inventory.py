"""``easops inventory``: converting other inventories."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from easops.cli.console import Console

app: typer.Typer = typer.Typer(
    name="inventory", help="Convert another inventory.", no_args_is_help=True, rich_markup_mode=None
)


@app.callback()
def _inventory() -> None: ...  # with a single command, typer would leave its name out


@app.command("from-ansible")
def from_ansible(
    source: Annotated[
        Path, typer.Argument(metavar="[FILE]", help="Output of ansible-inventory --list (default: standard input).")
    ] = Path("-"),
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file instead of stdout.")
    ] = None,
) -> None:
    """Convert an Ansible inventory: ansible-inventory --list | easops inventory from-ansible > hosts.yml"""
    from easops.errors import BadInput
    from easops.inventory.ansible import from_ansible as convert
    from easops.yaml_reader import read_text

    if source == Path("-"):
        converted = convert(sys.stdin.buffer.read().decode("utf-8", "replace"), "stdin")
    else:
        converted = convert(read_text(source), str(source))
    console = Console()
    for note in converted.notes:
        console.note(f"easops: {note}")
    if output is None:
        console.result(converted.text.rstrip("\n"))
        return
    try:
        output.write_text(converted.text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{output} cannot be written", error.strerror or str(error), "name another --output") from None
