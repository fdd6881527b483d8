"""Block a user's ActiveSync: python block_user.py hosts.yml anna@contoso.com "phone floods EX01"

It prints the command that unblocks the user before anything is changed; unblock_user.py unblocks from a script.
"""

from __future__ import annotations

import sys

from easops import EasopsError, Observer, do, load_inventory


class PrintUndo(Observer):
    def started(self, run_id: str | None) -> None:
        print(f"to unblock: easops undo {run_id}", flush=True)


def main(inventory: str, user: str, because: str) -> int:
    report = do(
        "block_user",
        load_inventory(inventory).hosts,
        {"user": user},
        because=because,
        confirm=True,
        observer=PrintUndo(),
    )
    for item in report.items:
        print(f"{item.item}: {item.status}; {item.reason or item.effective}")
    return report.exit_code


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    try:
        sys.exit(main(*sys.argv[1:]))
    except EasopsError as error:
        sys.exit(f"{error}\n{error.next_step}")
