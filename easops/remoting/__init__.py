"""Remote PowerShell: commands as values, sessions that run them, and what they return.

Importing this module imports neither pypsrp nor any other library: each name is imported when it is first used.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from easops.remoting.command import Command, Pipeline, Script
    from easops.remoting.pool import SessionPool, read_hosts
    from easops.remoting.result import RemoteObject, Result
    from easops.remoting.session import Session
else:
    from easops.lazy import lazy_names

    __getattr__ = lazy_names(
        __name__,
        {
            "Command": "easops.remoting.command",
            "Pipeline": "easops.remoting.command",
            "RemoteObject": "easops.remoting.result",
            "Result": "easops.remoting.result",
            "Script": "easops.remoting.command",
            "Session": "easops.remoting.session",
            "SessionPool": "easops.remoting.pool",
            "read_hosts": "easops.remoting.pool",
        },
    )

__all__ = [
    "Command",
    "Pipeline",
    "RemoteObject",
    "Result",
    "Script",
    "Session",
    "SessionPool",
    "read_hosts",
]
