"""What an undo has to bring back: all that can be read of an organisation and that a change may touch."""

from __future__ import annotations

from collections.abc import Sequence

from easops.inventory.host import Host
from easops.remoting.command import Command
from easops.remoting.pool import SessionPool

Reads = dict[str, dict[str, str]]
"""By cmdlet and object, all its properties as text."""

READS = (
    Command("Get-ThrottlingPolicy", {}, reads=True),
    Command("Get-Mailbox", {"ResultSize": "Unlimited"}, reads=True),
    Command("Get-CASMailbox", {"ResultSize": "Unlimited"}, reads=True),
)


def reads(hosts: Sequence[Host]) -> Reads:
    """Everything that there is to read, but the times at which an object was changed: those no undo brings back."""
    with SessionPool() as sessions:
        session = sessions.open(next(host for host in hosts if host.exchange is not None), "exchange")
        return {
            f"{command.name} {item.get('Guid')}": {
                name: str(value) for name, value in item.properties.items() if not name.startswith("When")
            }
            for command in READS
            for item in session.invoke(command).objects()
        }
