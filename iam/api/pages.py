"""How PostgreSQL finds one page of a long list, whatever it is filtered and sorted by (decision 0005).

The planner guesses how many rows a filter lets through, and a wrong guess walks a whole index to fill a page. So unless it
expects many rows, a filtered list is first asked for EXACT + 1 rows in no order. Are there no more, then these are all:
the database sorts them and counts them in the same statement. Of many, walking the index of the sorting column meets
enough soon. A page far behind is walked by ids alone, which an index may answer without its table, and read then.
Plans are made for the values of each request, never kept: one for a common name is of no use for a rare one.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import QuerySet
from django.db.models.query import ModelIterable

from iam.api import totals

FAR = 1000
"""From this offset on ids are walked alone."""
MANY = 3
"""Times EXACT: when the planner expects more rows than that, they are not counted first."""


@dataclass(frozen=True)
class Page:
    """What was found, with the `total` if it is known; else, if it was asked, how `many` the planner expects."""

    rows: list[Any]
    total: int | None = None
    many: int = 0


def page_of_rows(rows: "QuerySet[Any]", order: Sequence[str], offset: int, limit: int) -> Page:
    """One page in an order of columns, each with a sign before it when it falls; the order must be total."""
    plain = rows.order_by(*order)
    if not _by_ids(rows):
        return Page(list(plain[offset : offset + limit]))
    many = totals.expected(rows) if _is_filtered(rows) else 0
    if _is_filtered(rows) and many <= totals.EXACT * MANY:
        few = _page_of_few(rows, order, offset, limit)
        if few.total is not None:
            return few
        many = max(many, totals.EXACT + 1)
    return Page(_walked(plain, offset, limit), many=many)


@contextmanager
def planned_anew(alias: str) -> Iterator[None]:
    """Statements in here are planned for their values and not kept by the server."""
    connection = connections[alias]
    if connection.vendor != "postgresql":
        yield
        return
    connection.ensure_connection()
    driver = connection.connection
    before, driver.prepare_threshold = driver.prepare_threshold, None
    try:
        yield
    finally:
        driver.prepare_threshold = before


def _by_ids(rows: "QuerySet[Any]") -> bool:
    """Whether rows are whole, of one table with ids; what is put together otherwise is read as it is."""
    query = rows.query
    whole = rows._iterable_class is ModelIterable and not (query.combinator or query.distinct or query.is_sliced)  # type: ignore[attr-defined] - no public name
    return (
        connections[rows.db].vendor == "postgresql" and whole and any(f.name == "id" for f in rows.model._meta.fields)
    )


def _is_filtered(rows: "QuerySet[Any]") -> bool:
    """Whether more is asked than the instance."""
    return len(rows.query.where.children) > 1


def _page_of_few(rows: "QuerySet[Any]", order: Sequence[str], offset: int, limit: int) -> Page:
    """The page with its total if the filter lets few rows through."""
    names = [column.removeprefix("-") for column in order]
    asked = rows.order_by().values_list("id", *names)[: totals.EXACT + 1]
    try:
        inner, values = asked.query.get_compiler(rows.db).as_sql()
    except EmptyResultSet:
        return Page([], total=0)
    columns = [f"by_{number}" for number in range(len(order))]
    falling = [f"{at} DESC" if wanted[0] == "-" else at for at, wanted in zip(columns, order, strict=True)]
    statement = (
        f"WITH found (id, {', '.join(columns)}) AS MATERIALIZED ({inner}) SELECT (SELECT count(*) FROM found),"  # noqa: S608 - Django's statement, and our names
        f" ARRAY(SELECT id FROM found ORDER BY {', '.join(falling)} OFFSET {int(offset)} LIMIT {int(limit)})"
    )
    with connections[rows.db].cursor() as cursor:
        cursor.execute(statement, values)
        total, ids = cursor.fetchone()
    return Page([]) if total > totals.EXACT else Page(_in_order(rows, ids), total=total)


def _walked(plain: "QuerySet[Any]", offset: int, limit: int) -> list[Any]:
    if offset < FAR:
        return list(plain[offset : offset + limit])
    return _in_order(plain, list(plain.values_list("id", flat=True)[offset : offset + limit]))


def _in_order(rows: "QuerySet[Any]", ids: list[str]) -> list[Any]:
    """The rows of some ids; one that went away meanwhile is left out."""
    if not ids:
        return []
    found = {row.id: row for row in rows.order_by().filter(id__in=ids)}
    return [found[id] for id in ids if id in found]
