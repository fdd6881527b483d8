"""Connections that print nothing: ``http.client.HTTPConnection.debuglevel``, which a script may have set, prints each
header on stdout, and with it passwords and keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def silence(manager: Any, prepare: Callable[[Any], None]) -> None:
    """Let the connections that a pool manager of urllib3 makes print nothing; *prepare* is given each new one, which
    is not connected yet."""

    def silent(make: Callable[..., Any]) -> Any:
        def made(*values: Any, **options: Any) -> Any:
            pool = make(*values, **options)
            connect = pool.ConnectionCls

            def connection(*values: Any, **options: Any) -> Any:
                connection = connect(*values, **options)
                connection.debuglevel = 0
                prepare(connection)
                return connection

            pool.ConnectionCls = connection
            return pool

        return made

    manager.pool_classes_by_scheme = {scheme: silent(make) for scheme, make in manager.pool_classes_by_scheme.items()}
