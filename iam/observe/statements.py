"""Code around each SQL statement of every connection that is made from now on."""

from collections.abc import Callable
from typing import Any

from django.db.backends.signals import connection_created

Wrapper = Callable[[Callable[..., Any], str, Any, bool, dict[str, Any]], Any]
"""`wrapper(execute, sql, params, many, context)`: Django's database instrumentation."""


def wrap_statements(wrapper: Wrapper) -> None:
    """Put a wrapper around the statements of new connections, around each once."""

    def put(connection: Any, **_: object) -> None:
        if wrapper not in connection.execute_wrappers:
            connection.execute_wrappers.append(wrapper)

    connection_created.connect(put, weak=False, dispatch_uid=wrapper)
