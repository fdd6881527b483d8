"""Unblock a user whom block_user.py blocked: python unblock_user.py RUN

The user gets back the settings from before. It is refused if somebody has changed them since.
"""

from __future__ import annotations

import sys

from easops import EasopsError, undo


def main(run_id: str) -> int:
    report = undo(run_id, confirm=True)
    for item in report.items:
        print(f"{item.item}: {item.reason or item.status}")
    return report.exit_code


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        sys.exit(main(*sys.argv[1:]))
    except EasopsError as error:
        sys.exit(f"{error}\n{error.next_step}")
