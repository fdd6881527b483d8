"""Limit a user's share of ActiveSync for some minutes: python limit_for_a_time.py hosts.yml anna@contoso.com 120

Before anything is changed, the run is recorded and the command that ends the limit is printed. If this script dies
while it waits, that command still puts everything back; easops runs list shows the run.
"""

from __future__ import annotations

import sys
import time

from easops import EasopsError, Observer, do, load_inventory, undo


class PrintUndo(Observer):
    def started(self, run_id: str | None) -> None:
        print(f"to end it at any time: easops undo {run_id}", flush=True)


def main(inventory: str, user: str, minutes: str) -> int:
    hosts, because = load_inventory(inventory).hosts, f"for {minutes} minutes"
    limited = do("limit_eas_usage", hosts, {"user": user}, because=because, confirm=True, observer=PrintUndo())
    for item in limited.items:
        print(f"{item.item}: {item.status};", item.reason or f"{item.before} -> {item.after}", flush=True)
    if limited.run_id is None or not limited.undoable:
        return limited.exit_code
    try:
        time.sleep(60 * float(minutes))
    finally:  # Ctrl-C ends it early
        ended = undo(limited.run_id, confirm=True)
        print(f"{user}: {ended.status}")
    return ended.exit_code


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    try:
        sys.exit(main(*sys.argv[1:]))
    except EasopsError as error:
        sys.exit(f"{error}\n{error.next_step}")
