"""How fast the W3C reader drops lines, as a ratio against ``wc -l`` on the same file.

    python benchmarks/bench_w3c.py [MiB]

Makes a log of back-end lines (200 MiB unless told otherwise) of which one in a thousand is a contact sync, and reads
it as ``easops detect contact_sync_storm --logs`` does. Prints MB/s and the ratio of times; the file is removed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from easops.logs.eas_request import COLUMNS
from easops.logs.source import blocks
from easops.logs.w3c import W3cReader

HEADER = (
    b"#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) "
    b"sc-status sc-substatus sc-win32-status sc-bytes cs-bytes time-taken\r\n"
)
LINE = (
    "2026-11-24 %02d:%02d:%02d 10.0.0.1 POST /Microsoft-Server-ActiveSync/Proxy/default.eas "
    "Cmd=Sync&User=u%d&DeviceId=D%d&DeviceType=iPhone"
    "&Log=SC1:1_PrxFrom:10.0.0.11_Ver1:161_HH:mail.contoso.com_FldrC1:1_Fid:9_Ty:%s_St:S_Cli:1a0c0d0f0e_"
    "Fet:120_Mbx:EX1.contoso.com_Throttle:0_Budget:(D)Owner%%3au%%2cConn%%3a1%%2cMaxBurst%%3a480000_"
    "ActivityContextData:I32%%3aRPC.C%%5bEX1.DB1%%5d%%3d41%%3bI32%%3aROP.C%%5bEX1%%5d%%3d244_ "
    "444 CONTOSO\\u%d 10.0.0.11 Apple-iPhone12C1/1801.402 - 200 0 0 912 711 120\r\n"
)


def write(path: Path, size: int) -> None:
    lines = [
        (
            LINE % (at // 3600 % 24, at // 60 % 60, at % 60, at % 200, at % 200, "Em" if at % 1000 else "Co", at % 200)
        ).encode()
        for at in range(20_000)
    ]
    block = b"".join(lines)
    with path.open("wb") as file:
        file.write(HEADER)
        for _ in range(max(1, size // len(block))):
            file.write(block)


def read(path: Path) -> tuple[int, int]:
    """The lines, and the rows, of the log."""
    reader = W3cReader(COLUMNS, containing=(b"Ty:Co",))
    rows = sum(len(reader.feed(block)) for block in blocks(path))
    return reader.lines, rows


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "u_ex261124.log"
        write(path, size << 20)
        megabytes = path.stat().st_size / 1e6
        subprocess.run(["wc", "-l", str(path)], check=True, capture_output=True)  # into the cache
        begin = time.perf_counter()
        subprocess.run(["wc", "-l", str(path)], check=True, capture_output=True)
        counted = time.perf_counter() - begin
        begin = time.perf_counter()
        lines, rows = read(path)
        took = time.perf_counter() - begin
    print(
        f"{lines:,} lines, {rows:,} rows, {megabytes:.0f} MB: {megabytes / took:.0f} MB/s, "
        f"{took / counted:.1f} x the time of wc -l"
    )


if __name__ == "__main__":
    main()
