"""IIS on one server: sites, application pools, worker processes."""

from easops.iis.app_pool import AppPool, list_app_pools, recycle_app_pool, shutdown_time_limit
from easops.iis.request import ExecutingRequest, RequestReading, read_requests
from easops.iis.site import Site, eas_log_folder, list_sites, log_folder
from easops.iis.worker_process import WorkerProcess, WorkerProcessReading, read_worker_processes

__all__ = [
    "AppPool",
    "ExecutingRequest",
    "RequestReading",
    "Site",
    "WorkerProcess",
    "WorkerProcessReading",
    "eas_log_folder",
    "list_app_pools",
    "list_sites",
    "log_folder",
    "read_requests",
    "read_worker_processes",
    "recycle_app_pool",
    "shutdown_time_limit",
]
