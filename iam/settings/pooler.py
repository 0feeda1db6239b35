"""Notices a pooler between us and PostgreSQL: in transaction mode older ones lose prepared statements (DESIGN §10)."""

import logging
from typing import Any

log = logging.getLogger(__name__)
_has_pooler: list[bool] = []


def look_at(connection: Any, **_: Any) -> None:
    """Called with every new connection: behind a pooler no statement is prepared.

    A pooler answers the connection itself and gives a process id of its own; the server's differs from it.
    """
    if connection.vendor != "postgresql":
        return
    driver = connection.connection
    if not _has_pooler:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            _has_pooler.append(cursor.fetchone()[0] != driver.info.backend_pid)
        if _has_pooler[0]:
            log.info("a pooler stands before PostgreSQL: statements are not prepared")
    if _has_pooler[0]:
        driver.prepare_threshold = None
