"""What waits for the end of a transaction, which a test never reaches."""

from django.db import connection


def at_once():
    """PostgreSQL checks now what waits, and henceforth at each statement: nothing is in the way of changes to a table."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
