"""Turns off the debug output of HTTP connections.

A script may have set ``http.client.HTTPConnection.debuglevel``: every connection then prints its headers on stdout, and
with Basic one of them is the password.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def disable_debug_output(manager: Any, on_new: Callable[[Any], None]) -> None:
    """Let the connections of *manager*, a pool manager of urllib3, print nothing.

    *on_new* is called with each new connection before it connects.
    """

    def quiet(make_pool: Callable[..., Any]) -> Any:
        def make(*arguments: Any, **options: Any) -> Any:
            pool = make_pool(*arguments, **options)
            make_connection = pool.ConnectionCls

            def connection(*arguments: Any, **options: Any) -> Any:
                connection = make_connection(*arguments, **options)
                connection.debuglevel = 0
                on_new(connection)
                return connection

            pool.ConnectionCls = connection
            return pool

        return make

    manager.pool_classes_by_scheme = {scheme: quiet(make) for scheme, make in manager.pool_classes_by_scheme.items()}
