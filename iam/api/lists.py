"""What lists share: filters by text, sorting, paging with bounds, the two kinds of list details."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.db.models import Q, QuerySet
from google.protobuf.timestamp_pb2 import Timestamp

from eventstore import replica
from iam.api.gen import filter_v2, v1
from iam.kernel.change import Receipt
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput
from projections import texts  # noqa: F401 - the lookups with regard to case
from projections.pages import page_and_total

T = TypeVar("T")
Columns = str | tuple[str, ...]
DEFAULT_LIMIT, MOST, FURTHEST = 100, 1000, 100_000
V1_QUERY = "zitadel.v1.ListQuery"
OLDER_QUERIES = (V1_QUERY, "zitadel.object.v2.ListQuery", "zitadel.object.v2beta.ListQuery")
"""Clients of the older style of lists may ask for any limit; they get pages of MOST, and `totalResult` says that there is more."""
LOOKUPS = {
    0: "exact",
    1: "iexact",
    2: "startswith",
    3: "istartswith",
    4: "contains",
    5: "icontains",
    6: "endswith",
    7: "iendswith",
}
"""Text methods with their numbers (zitadel.object.v2.TextQueryMethod, zitadel.filter.v2.TextFilterMethod)."""


def matches(column: str, value: str, method: int) -> Q:
    """A condition on a text; raises InvalidInput for an unknown method."""
    if method not in LOOKUPS:
        raise InvalidInput("api.query_unsupported", field="method")
    return Q(**{f"{column}__{LOOKUPS[method]}": value})


COMPARISONS: Mapping[int, Callable[[str, str], bool]] = {
    0: str.__eq__,
    2: str.startswith,
    4: str.__contains__,
    6: str.endswith,
}


def meets(value: str, method: int) -> Callable[[str], bool]:
    """The same condition on a text that is at hand; raises InvalidInput for an unknown method."""
    if method not in LOOKUPS:
        raise InvalidInput("api.query_unsupported", field="method")
    compare = COMPARISONS[method - method % 2]
    return (lambda text: compare(text.lower(), value.lower())) if method % 2 else (lambda text: compare(text, value))


MOMENTS = {0: "exact", 1: "gt", 2: "gte", 3: "lt", 4: "lte"}
"""Time methods with their numbers (zitadel.v1.TimestampQueryMethod, zitadel.filter.v2.TimestampFilterMethod)."""


def at_time(column: str, asked: Any, field: str = "timestamp") -> Q:
    """A condition on a time (`filter.v2.TimestampFilter`, or a message with the time in `field`); raises InvalidInput."""
    if asked.method not in MOMENTS or not asked.HasField(field):
        raise InvalidInput("api.query_unsupported", field=field)
    return Q(**{f"{column}__{MOMENTS[asked.method]}": moment(asked, field)})


@replica.lists
def paged(
    rows: "QuerySet[Any]",
    query: Any,
    *,
    sort: int = 0,
    columns: Mapping[int, Columns],
    key: Columns = "id",
    oldest_first: bool = False,
) -> tuple[list[Any], int]:
    """One page in a total order, and how many there are in all (see `totals`).

    `query` has offset, limit and asc. A sorting column may be several; `key` makes the order total. Without a sorting
    column the newest come first, unless the list is one of v1 or is to have the `oldest_first`: as the reference does.
    """
    if sort and sort not in columns:
        raise InvalidInput("api.sorting_unsupported", field="sortingColumn")
    _check_bounds(query)
    is_from_the_start = query.asc or (not sort and (oldest_first or _kind_of(query) == V1_QUERY))
    sign = "" if is_from_the_start else "-"
    order = dict.fromkeys([*_columns(columns.get(sort, ())), *_columns(key)])
    return page_and_total(rows, [sign + column for column in order], query.offset, _limit(query))


def sliced(things: Sequence[T], query: Any) -> list[T]:
    """One page of a list that is at hand, in its own order."""
    _check_bounds(query)
    return list(things[query.offset :][: _limit(query)])


def _check_bounds(query: Any) -> None:
    """Raises InvalidInput: a page shorter than what was asked would look like the end of the list."""
    if query.offset > FURTHEST:
        raise InvalidInput("api.list_offset", field="offset", reason=f"at most {FURTHEST}")
    if query.limit > MOST and _kind_of(query) not in OLDER_QUERIES:
        raise InvalidInput("api.list_limit", field="limit", reason=f"at most {MOST}")


def _kind_of(query: Any) -> str:
    described = getattr(query, "DESCRIPTOR", None)  # what is no message is a page of the console, or a test
    return described.full_name if described else ""


def _columns(named: Columns) -> tuple[str, ...]:
    return (named,) if isinstance(named, str) else named


def _limit(query: Any) -> int:
    return min(query.limit or DEFAULT_LIMIT, MOST)


def page_of(request: Any, total: int) -> Any:
    """`filter.v2.PaginationResponse`: how long the list is in all, and the limit that applied."""
    return filter_v2.PaginationResponse(total_result=total, applied_limit=_limit(request.pagination))


def list_details(ctx: Context, total: int) -> Any:
    """`v1.ListDetails`."""
    made = v1.ListDetails(total_result=total)
    made.view_timestamp.FromDatetime(ctx.now())
    return made


def stamp(at: datetime | None) -> Timestamp | None:
    """A time as the API sends it."""
    if at is None:
        return None
    made = Timestamp()
    made.FromDatetime(at)
    return made


def moment(message: Any, field: str) -> datetime | None:
    """A time as the API got it, the epoch too; None when it was not sent. Raises InvalidInput."""
    try:
        return getattr(message, field).ToDatetime(tzinfo=UTC) if message.HasField(field) else None
    except (ValueError, OverflowError):
        raise InvalidInput("api.body_invalid", reason="time out of range") from None


def details(kind: Any, receipt: Receipt) -> Any:
    """`object.v2.Details` or `v1.ObjectDetails` of a change."""
    made = kind(sequence=receipt.version, resource_owner=receipt.owner)
    made.creation_date.FromDatetime(receipt.created_at)
    made.change_date.FromDatetime(receipt.changed_at)
    return made


def row_details(kind: Any, row: Any, owner: str) -> Any:
    """The same of a row."""
    made = kind(sequence=row.version, resource_owner=owner)
    made.creation_date.FromDatetime(row.created_at)
    made.change_date.FromDatetime(row.changed_at)
    return made
