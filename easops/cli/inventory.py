"""``easops inventory``: inventories that are kept elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from easops.cli.console import Console

app = typer.Typer(
    name="inventory", help="Take hosts over from another inventory.", no_args_is_help=True, rich_markup_mode=None
)


@app.callback()
def _inventory() -> None: ...  # with one command alone, typer would leave its name out


@app.command("from-ansible")
def from_ansible(
    source: Annotated[
        Path, typer.Argument(metavar="[FILE]", help="What ansible-inventory --list printed; without it, stdin.")
    ] = Path("-"),
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it to a file instead of stdout.")
    ] = None,
) -> None:
    """Take hosts over from Ansible: ansible-inventory --list | easops inventory from-ansible > hosts.yml"""
    from easops.errors import BadInput
    from easops.inventory.ansible import from_ansible as taken_over
    from easops.yaml_reader import read_text

    if source == Path("-"):
        taken = taken_over(sys.stdin.buffer.read().decode("utf-8", "replace"), "stdin")
    else:
        taken = taken_over(read_text(source), str(source))
    console = Console()
    for note in taken.notes:
        console.note(f"easops: {note}")
    if output is None:
        console.result(taken.text.rstrip("\n"))
        return
    try:
        output.write_text(taken.text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{output} cannot be written", error.strerror or str(error), "name another --output") from None
