"""How long a list is in all, at a bounded price.

Up to EXACT rows the number is exact. Beyond that PostgreSQL's planner is asked how many rows it expects, which costs
no scan; the answer is never below what the page has shown, plus one while there is more, so that a client that reads until
the total is reached reads everything. The last page always tells the exact number. SQLite counts, and so do unions of short lists.
"""

import json
from typing import Any

from django.db import connections
from django.db.models import QuerySet

from projections.texts import ESTIMATE, asked_for

EXACT = 5_000


def total_of(rows: "QuerySet[Any]", *, shown: int, many: int = 0) -> int:
    """The total of a list of which at least `shown` rows exist; `many` is what `expected` answered, if more than EXACT."""
    plain = rows.order_by()
    if connections[rows.db].vendor != "postgresql" or rows.query.combinator:
        return plain.count()
    if max(shown, many) <= EXACT and (counted := plain.values("instance_id")[: EXACT + 1].count()) <= EXACT:
        return counted
    return max(many or expected(rows), shown + 1, EXACT + 1)


def expected(rows: "QuerySet[Any]") -> int:
    """How many rows PostgreSQL's planner expects."""
    told = asked_for(ESTIMATE, rows).order_by().values("instance_id").explain(format="json")
    return (
        int(json.loads(told)[0]["Plan"]["Plan Rows"]) if told else 0
    )  # nothing: the filter holds nothing whatever there is
