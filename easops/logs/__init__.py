"""Logs of IIS: the ActiveSync requests in them, and any line of a window."""

from easops.logs.eas_query import EasQuery
from easops.logs.eas_request import EasRequest
from easops.logs.eas_traffic import EasTraffic, read_eas_files, read_eas_traffic
from easops.logs.folder import local_logs
from easops.logs.window import LogLine, LogReading, Wanted, read_files, read_window

__all__ = [
    "EasQuery",
    "EasRequest",
    "EasTraffic",
    "LogLine",
    "LogReading",
    "Wanted",
    "local_logs",
    "read_eas_files",
    "read_eas_traffic",
    "read_files",
    "read_window",
]
