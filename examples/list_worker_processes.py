"""List the worker processes of every server of an inventory: python list_worker_processes.py hosts.yml"""

from __future__ import annotations

import sys

from easops import SessionPool, load_inventory
from easops.iis import read_worker_processes


def main(inventory: str) -> None:
    with SessionPool() as sessions:
        for host in load_inventory(inventory).hosts:
            for process in read_worker_processes(sessions.open(host, "windows")).processes:
                print(f"{host.name}  {process.app_pool}  {process.pid}  {process.private_bytes / 2**20:,.0f} MiB")


if __name__ == "__main__":
    main(sys.argv[1])
