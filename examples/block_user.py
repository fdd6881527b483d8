"""Block a user's ActiveSync, and read it back: python block_user.py hosts.yml anna@contoso.example"""

from __future__ import annotations

import sys

from easops import SessionPool, load_inventory
from easops.exchange import get_cas_mailbox, require_mailbox, set_active_sync_enabled


def main(inventory: str, user: str) -> None:
    with SessionPool() as sessions:
        session = sessions.open(load_inventory(inventory).hosts[0], "exchange")
        mailbox = require_mailbox(session, user)
        set_active_sync_enabled(session, mailbox.guid, enabled=False)
        held = get_cas_mailbox(session, mailbox.guid)
        print(f"{mailbox.primary_smtp_address}: ActiveSync is {'on' if held.active_sync_enabled else 'off'}")


if __name__ == "__main__":
    main(*sys.argv[1:3])
