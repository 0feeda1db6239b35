"""How PostgreSQL finds one page of a long list, whatever it is filtered and sorted by (decision 0005).

The planner guesses how many rows a filter lets through, and a wrong guess walks a whole index to fill a page. So unless it
expects more, a filtered list is first asked for EXACT + 1 rows in no order (MANY times EXACT if the order is not that of
the ids). Are there no more, then these are all: the database sorts them and counts them in the same statement. Of many,
walking the index of the sorting column meets enough soon; where SOON rows of the order do not hold the page, all are
gathered and sorted after all. A page far behind is walked by keys alone, which an index may answer without its table, or a
table of `holders`. The rows of keys are read without the filter. Plans are made for the values of each request, never kept:
one for a common name is of no use for a rare one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import QuerySet
from django.db.models.expressions import Col
from django.db.models.lookups import Exact
from django.db.models.query import ModelIterable
from django.db.models.sql.datastructures import BaseTable
from django.db.models.sql.where import WhereNode

from projections import holders, texts, totals
from projections.planner import planned, planned_anew

KEY = ("instance_id", "id")
FAR = 1000
"""From this offset on ids are walked alone."""
MANY = 6
"""Times EXACT: so many rows are still gathered and sorted where a walk in the wanted order meets each elsewhere."""
OFTEN = 4
"""Times so many rows pass as are walked to: they are met soon, and compared where they are met."""
SOON = 20_000
"""Rows of an order that are walked for a first page, before all rows of the filter are gathered and sorted; or as many as
are expected, which take longer to gather than to walk past. What the index of the order can tell apart by itself (a kind,
a state) is not counted."""
WALKED = {"enable_seqscan": "off"}
"""A page far behind in the order of the ids is walked to, or what is gathered by an index is sorted; where as many rows are
expected as are passed over, PostgreSQL would read the whole table, and take half as long again."""


@dataclass(frozen=True)
class Page:
    """What was found, with the `total` if it is known; else, if it was asked, how `many` the planner expects."""

    rows: list[Any]
    total: int | None = None
    many: int = 0


def page_and_total(rows: "QuerySet[Any]", order: Sequence[str], offset: int, limit: int) -> tuple[list[Any], int]:
    """One page in a total order, and how many rows there are in all (see `totals`)."""
    with planned_anew(rows.db):
        page = page_of_rows(rows, order, offset, limit)
        if page.total is not None:
            return page.rows, page.total
        shown = offset + len(page.rows) if page.rows else 0
        if len(page.rows) < limit and (shown or not offset):
            return page.rows, shown
        return page.rows, totals.total_of(rows, shown=shown, many=page.many)


def first_of(rows: "QuerySet[Any]", limit: int) -> list[Any]:
    """Some of the rows: the first by their ids."""
    with planned_anew(rows.db):
        return page_of_rows(rows, ("id",), 0, limit).rows


def page_of_rows(rows: "QuerySet[Any]", order: Sequence[str], offset: int, limit: int) -> Page:
    """One page in an order of columns, each with a sign before it when it falls; the order must be total."""
    plain = rows.order_by(*order)
    if not _by_ids(rows, order):
        return Page(list(plain[offset : offset + limit]))
    lies_so = _lies_so(order)
    if not _is_filtered(rows):
        return Page(_walked(plain, offset, limit, lies_so=lies_so))
    many = totals.expected(rows)
    most = totals.EXACT * (1 if lies_so else MANY)
    if many <= most:
        few = _page_of_few(rows, order, offset, limit, most)
        if few.total is not None:
            return few
        many = most + 1
    walked = texts.asked_for(texts.WALK, rows) if many > OFTEN * (offset + limit) else rows
    if offset < FAR and not lies_so:
        near = _met_soon(walked, order, offset, limit, max(SOON, many))
        if near is None:
            total, found = _sorted(rows, order, offset, limit, None)
            return Page(found, total=total)
        return Page(near, many=many)
    return _far(walked.order_by(*order), offset, limit, many, lies_so=lies_so)


def _lies_so(order: Sequence[str]) -> bool:
    """Whether an order is that of the ids: they rise with time, and so rows lie in the table."""
    return [column.removeprefix("-") for column in order] == ["id"]


def _by_ids(rows: "QuerySet[Any]", order: Sequence[str]) -> bool:
    """Whether rows are whole, of one table with ids and the columns of the order; what is put together otherwise is read
    as it is."""
    query = rows.query
    whole = rows._iterable_class is ModelIterable and not (query.combinator or query.distinct or query.is_sliced)  # type: ignore[attr-defined] - no public name
    named = {field.name for field in rows.model._meta.fields}
    return (
        connections[rows.db].vendor == "postgresql"
        and whole
        and named.issuperset([*KEY, *(column.removeprefix("-") for column in order)])
    )


def _is_filtered(rows: "QuerySet[Any]") -> bool:
    """Whether more is asked than the instance."""
    return len(rows.query.where.children) > 1


def _page_of_few(rows: "QuerySet[Any]", order: Sequence[str], offset: int, limit: int, most: int) -> Page:
    """The page with its total if the filter lets at most so many rows through."""
    total, found = _sorted(rows, order, offset, limit, most + 1)
    return Page([]) if total > most else Page(found, total=total)


def _sorted(
    rows: "QuerySet[Any]", order: Sequence[str], offset: int, limit: int, most: int | None
) -> tuple[int, list[Any]]:
    """What the filter lets through, but not more than `most` rows of it, is put in order: how many it is, and the page."""
    names = [column.removeprefix("-") for column in order]
    asked = rows.order_by().values_list(*KEY, *names)[:most]
    try:
        inner, values = asked.query.get_compiler(rows.db).as_sql()
    except EmptyResultSet:
        return 0, []
    columns = [f"by_{number}" for number in range(len(order))]
    falling = [f"{at} DESC" if wanted[0] == "-" else at for at, wanted in zip(columns, order, strict=True)]
    statement = (
        f"WITH found (instance_id, id, {', '.join(columns)}) AS MATERIALIZED ({inner}) SELECT (SELECT count(*) FROM found),"  # noqa: S608 - Django's statement, and our names
        f" ARRAY(SELECT ARRAY[instance_id, id] FROM found ORDER BY {', '.join(falling)} OFFSET {int(offset)} LIMIT {int(limit)})"
    )
    with connections[rows.db].cursor() as cursor:
        cursor.execute(statement, values)
        total, keys = cursor.fetchone()
    return total, _in_order(rows, keys)


def _met_soon(rows: "QuerySet[Any]", order: Sequence[str], offset: int, limit: int, soon: int) -> list[Any] | None:
    """The page, if so many rows of the order hold it whole: what is filtered for may stand together behind them."""
    told = _told_by_index(rows, order[0].removeprefix("-"))
    walked = rows.model._default_manager.using(rows.db).filter(**told).order_by(*order)[:soon]
    near = rows.order_by(*order).values_list(*KEY)[offset : offset + limit]
    name = near.query.get_initial_alias()
    near.query.alias_map[name] = _First(rows.model._meta.db_table, name, walked)
    keys = list(near)
    return _in_order(rows, keys) if len(keys) == limit else None


class _First(BaseTable):
    """Stands for a table: the first rows of it, in their order. They are met one by one, until the page is full."""

    def __init__(self, table_name: str, alias: str, rows: "QuerySet[Any]") -> None:
        super().__init__(table_name, alias)
        self.rows = rows

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """A subselect under the table's name."""
        inner, values = self.rows.query.get_compiler(connection=connection).as_sql()
        return f"({inner}) {connection.ops.quote_name(self.table_alias)}", values


def _told_by_index(rows: "QuerySet[Any]", first: str) -> dict[str, Any]:
    """The instance, and what else is asked that an index beginning with a column knows: others are passed over unread."""
    indexes = (index.fields for index in rows.model._meta.indexes)
    known = {name for fields in indexes if fields[:2] == ["instance_id", first] for name in fields} | {"instance_id"}
    asked = (one for one in rows.query.where.children if isinstance(one, Exact) and isinstance(one.lhs, Col))
    return {one.lhs.target.name: one.rhs for one in asked if one.lhs.target.name in known}


def _walked(
    plain: "QuerySet[Any]", offset: int, limit: int, *, lies_so: bool, held: "QuerySet[Any] | None" = None
) -> list[Any]:
    """The page; far behind by keys alone, which the table of holders may tell in place of the rows."""
    if offset < FAR:
        return list(plain[offset : offset + limit])
    asked = plain if held is None else held
    with planned(plain.db, WALKED if lies_so else {}):
        keys = list(asked.values_list(*KEY)[offset : offset + limit])
    return _in_order(plain, keys)


def _far(plain: "QuerySet[Any]", offset: int, limit: int, many: int, *, lies_so: bool) -> Page:
    """A page of many rows. Where they are gathered and sorted they are counted before: from the end that is nearer,
    fewer need to be put in order."""
    held = holders.instead_of(plain) if lies_so and offset >= FAR else None
    if offset < FAR or held is not None or not _is_sorted(plain[offset : offset + limit], lies_so=lies_so):
        return Page(_walked(plain, offset, limit, lies_so=lies_so, held=held), many=many)
    total = plain.order_by().values("instance_id").count()
    after = max(total - offset - limit, 0)
    if after >= offset:
        return Page(_walked(plain, offset, limit, lies_so=lies_so), total=total)
    backwards = _walked(plain.reverse(), after, max(total - offset, 0) - after, lies_so=lies_so)
    return Page(backwards[::-1], total=total)


def _is_sorted(page: "QuerySet[Any]", *, lies_so: bool) -> bool:
    """Whether PostgreSQL would gather what passes, and sort it."""
    with planned(page.db, WALKED if lies_so else {}):
        told = page.values("instance_id", "id").explain(format="json")
    return '"Sort"' in told


def _in_order(rows: "QuerySet[Any]", keys: Sequence[Sequence[str]]) -> list[Any]:
    """The rows of some keys, without looking at the filter again; one that went away meanwhile is left out."""
    if not keys:
        return []
    bare = rows.order_by()
    bare.query.where = WhereNode()
    instances, ids = (list(dict.fromkeys(column)) for column in zip(*keys, strict=True))
    found = {(row.instance_id, row.id): row for row in bare.filter(instance_id__in=instances, id__in=ids)}
    return [found[instance, id] for instance, id in keys if (instance, id) in found]
