"""The slowest ActiveSync requests of the last minutes on all servers: python read_server_logs.py hosts.yml 15

It reads only the end of each log, while IIS is writing it.
"""

from __future__ import annotations

import datetime as dt
import sys

from easops import EasopsError, load_inventory, read_hosts
from easops.iis import eas_log_folder
from easops.logs import read_eas_traffic


def main(inventory: str, minutes: str) -> int:
    hosts = {host.name: host for host in load_inventory(inventory).select("runs=activesync")}
    since = dt.timedelta(minutes=float(minutes))
    answers = read_hosts(
        tuple(hosts.values()),
        lambda session: read_eas_traffic(session, eas_log_folder(session, hosts[session.host]), since),
    )
    for host, answer in answers.items():
        if isinstance(answer, EasopsError):
            print(f"{host}: {answer}", file=sys.stderr)
            continue
        for request in sorted(answer.requests, key=lambda request: -request.time_taken)[:5]:
            command, user = request.query.command, request.username
            print(f"{host}  {request.ended:%H:%M:%S}Z  {request.time_taken:,} ms  {command}  {user}")
    return int(any(isinstance(answer, EasopsError) for answer in answers.values()))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
