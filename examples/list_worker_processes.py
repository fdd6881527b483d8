"""List the worker processes of all servers of an inventory at once: python list_worker_processes.py hosts.yml"""

from __future__ import annotations

import sys

from easops import EasopsError, load_inventory, read_hosts
from easops.iis import read_worker_processes


def main(inventory: str) -> int:
    answers = read_hosts(load_inventory(inventory).hosts, read_worker_processes)
    for host, answer in answers.items():
        if isinstance(answer, EasopsError):
            print(f"{host}: {answer}", file=sys.stderr)
            continue
        for worker in answer.processes:
            up = (answer.time - worker.started).days
            print(f"{host}  {worker.app_pool}  {worker.pid}  {worker.private_bytes / 2**20:,.0f} MiB  up {up} days")
    return int(any(isinstance(answer, EasopsError) for answer in answers.values()))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
