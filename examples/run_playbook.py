"""Run a shipped playbook and act on its result: python run_playbook.py hosts.yml"""

from __future__ import annotations

import sys

from easops import EasopsError, Observer, Status, load_inventory, run


class PrintProgress(Observer):
    def progress(self, text: str) -> None:
        print(text, file=sys.stderr)


def main(inventory: str) -> int:
    hosts = load_inventory(inventory).hosts
    report = run("contacts-sync-storm", hosts, {"window": "1h"}, confirm=True, observer=PrintProgress())
    for detection in report.findings:
        for user in detection.users:
            print(f"{user.user}: {user.evidence}")
    if report.status is Status.OK:
        print("nothing to do")
    elif report.status is Status.CHANGED:
        print(f"cured; to put it back: {report.next}")
    else:
        print(f"{report.status}: look at it with easops runs show {report.run_id}, then {report.next}")
    return report.exit_code


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        sys.exit(main(*sys.argv[1:]))
    except EasopsError as error:
        sys.exit(f"{error}\n{error.next_step}")
