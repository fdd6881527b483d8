"""The users and devices that cost most in log files: python read_log.py W3SVC2/u_ex261124.log

It asks no server. It reads the hour before the last line: requests and mailbox calls (RPC) of each user and device.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections import Counter

from easops.logs import EasRequest, read_eas_files


def calls(request: EasRequest) -> int:
    log = request.query.log
    return 0 if log is None or log.rpc is None else log.rpc.value


def main(*paths: str) -> int:
    traffic = read_eas_files(paths, dt.timedelta(hours=1))
    requests, rpc = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for request in traffic.requests:
        who = request.username or "-", request.query.device_id or "-"
        requests[who] += 1
        rpc[who] += calls(request)
    for (user, device), most in rpc.most_common(10):
        print(f"{user}  {device}  {requests[user, device]} requests  {most:,} RPC")
    return 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
