"""``easops schema``."""

from __future__ import annotations

import enum
from typing import Annotated, Any

import typer

from easops.cli.console import Console


class Kind(enum.StrEnum):
    """The kinds of files that easops reads, and the documents that it prints."""

    PLAYBOOK = "playbook"
    INVENTORY = "inventory"
    NOTIFICATIONS = "notifications"
    REPORT = "report"


def schema(
    kind: Annotated[
        Kind, typer.Argument(metavar="KIND", help="playbook (default), inventory, notifications or report.")
    ] = Kind.PLAYBOOK,
) -> None:
    """Print a JSON Schema: of playbooks, inventories or notifications, for an editor that completes and checks them, or
    of the reports that --json prints."""
    from easops.report.document.json import dumped

    Console().result(dumped(_schema(kind)))


def _schema(kind: Kind) -> dict[str, Any]:
    from easops.actions import ACTIONS
    from easops.detectors import DETECTORS
    from easops.inventory.schema import inventory_schema
    from easops.notify.schema import notifications_schema
    from easops.playbook.language.json_schema import playbook_schema
    from easops.readings import READINGS
    from easops.report.document.json_schema import report_schema

    if kind is Kind.INVENTORY:
        return inventory_schema()
    if kind is Kind.NOTIFICATIONS:
        return notifications_schema()
    if kind is Kind.REPORT:
        return report_schema(READINGS)
    return playbook_schema(actions=ACTIONS, detectors=DETECTORS)
