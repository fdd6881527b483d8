"""Logs of IIS: the ActiveSync requests in them, and any other lines of a window of time."""

from easops.logs.eas_log import Changes, EasLog, Folder, RpcCount, Token
from easops.logs.eas_query import EasQuery
from easops.logs.eas_request import EasRequest
from easops.logs.eas_traffic import EasTraffic, read_eas_files, read_eas_traffic
from easops.logs.folder import local_logs
from easops.logs.w3c import Row
from easops.logs.window import LogLine, LogReading, Wanted, read_files, read_window

__all__ = [
    "Changes",
    "EasLog",
    "EasQuery",
    "EasRequest",
    "EasTraffic",
    "Folder",
    "LogLine",
    "LogReading",
    "Row",
    "RpcCount",
    "Token",
    "Wanted",
    "local_logs",
    "read_eas_files",
    "read_eas_traffic",
    "read_files",
    "read_window",
]
