"""Watch a figure of the ActiveSync pool on all servers, once a minute: python watch_pool.py hosts.yml sync_pool_cpu 60

Any detector with the parameter above works (pool_memory, in GiB). The sessions stay open, so it logs on to each server
once, and not every minute. Ctrl-C ends it.
"""

from __future__ import annotations

import itertools
import sys
import time

from easops import SessionPool, detect, load_inventory


def main(inventory: str, detector: str, above: str, rounds: str = "0", seconds: str = "60") -> int:
    hosts = load_inventory(inventory).hosts
    with SessionPool() as sessions:
        for number in itertools.count(1):
            look = detect(detector, hosts, {"above": above}, sessions=sessions)
            for figure in look.measurements:
                mark = "!" if figure.host in look.hosts else " "
                print(f"{mark} {figure.host}  {figure.name}  {figure.value:.1f} {figure.unit}", flush=True)
            for away in look.unreachable:
                print(f"? {away.host}  {away.what}: {away.why}", flush=True)
            for unclear in look.undetermined:
                print(f"? {unclear.subject}  {unclear.why}", flush=True)
            if number == int(rounds):
                break
            time.sleep(float(seconds))
    return 0


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    try:
        sys.exit(main(*sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
