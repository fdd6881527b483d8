"""``easops schema``."""

from __future__ import annotations

import enum
from typing import Annotated

import typer

from easops.cli.voice import Voice


class Kind(enum.StrEnum):
    """The files that easops reads."""

    PLAYBOOK = "playbook"
    INVENTORY = "inventory"


def schema(
    kind: Annotated[Kind, typer.Argument(metavar="KIND", help="playbook, inventory.")] = Kind.PLAYBOOK,
) -> None:
    """Show the JSON Schema of playbooks or of inventories, with which an editor completes and checks them."""
    from easops.actions import ACTIONS
    from easops.detectors import DETECTORS
    from easops.inventory.schema import inventory_schema
    from easops.playbook.schema import playbook_schema
    from easops.report.json import dumped

    described = inventory_schema() if kind is Kind.INVENTORY else playbook_schema(actions=ACTIONS, detectors=DETECTORS)
    Voice().result(dumped(described))
