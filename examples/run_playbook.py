"""Run a shipped playbook and act on its result: python run_playbook.py hosts.yml"""

from __future__ import annotations

import sys

from easops import RunReport, find_playbook, load_inventory, run


def main(inventory: str) -> RunReport:
    playbook = find_playbook("contacts-sync-storm")
    report = run(playbook, load_inventory(inventory).hosts, {"window": "1h"}, confirm=lambda preview: True)
    for detection in report.findings:
        for user in detection.users:
            print(f"{user.user}: {user.evidence}")
    print(f"{report.status}: {report.next or 'nothing to undo'}")
    return report


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]).exit_code)
