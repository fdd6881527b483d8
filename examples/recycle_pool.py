"""Recycle an application pool of one server, with proof: python recycle_pool.py hosts.yml EX01 POOL "why"

The recycle is proved when the pool's old worker processes are gone; until then the script says what it waits for.
"""

from __future__ import annotations

import sys

from easops import EasopsError, Observer, do, load_inventory


class PrintProgress(Observer):
    def progress(self, text: str) -> None:
        print(text, file=sys.stderr)


def main(inventory: str, host: str, pool: str, because: str) -> int:
    report = do(
        "recycle_app_pool",
        load_inventory(inventory).hosts,
        {"pool": pool},
        on=f'name="{host}"',
        because=because,
        confirm=True,
        observer=PrintProgress(),
    )
    for item in report.items:
        print(f"{item.item}: {item.status};", item.reason or f"{item.before} -> {item.after}")
    return report.exit_code  # 0: proved; 6: recycled, but not proved


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    try:
        sys.exit(main(*sys.argv[1:]))
    except EasopsError as error:
        sys.exit(f"{error}\n{error.next_step}")
