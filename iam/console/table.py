"""A page of a list: search, filter, sort, page. Everything the address asks for is checked against the declaration."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import QueryDict

from iam.console.kit import Choice, Column, ListPage
from iam.kernel.context import Context
from projections import totals
from projections.pages import page_and_total

PER_PAGE = 25
COUNTED = totals.EXACT
"""Rows are counted and paged up to here; further ones are reached by searching."""
LAST_PAGE = COUNTED // PER_PAGE


@dataclass(frozen=True)
class Heading:
    """A column's head; `to` sorts by it, or turns the order round."""

    label: str
    to: str = ""
    sorted: str = ""  # "", ascending, descending


@dataclass(frozen=True)
class FilterBox:
    """A filter with the option chosen now."""

    filter: Choice
    chosen: str


@dataclass(frozen=True)
class Table:
    """What a list shows now."""

    headings: tuple[Heading, ...]
    rows: list[Any]
    filters: tuple[FilterBox, ...]
    text: str
    sort: str
    total: int
    more_than_counted: bool
    page: int
    pages: int
    previous: str
    next: str
    searchable: bool
    narrowed: bool

    @property
    def first(self) -> int:
        """The number of the first row shown, from 1."""
        return (self.page - 1) * PER_PAGE + 1

    @property
    def last(self) -> int:
        """The number of the last row shown."""
        return self.first + len(self.rows) - 1


def table_of(ctx: Context, page: ListPage, rows: "QuerySet[Any]", asked: QueryDict) -> Table:
    """The table for what the address asks; unknown filters, columns and pages fall back to the defaults."""
    text = asked.get("q", "").strip()[:200]
    boxes = tuple(FilterBox(choice, asked.get(choice.name, "")) for choice in page.filters)
    for box in boxes:
        rows = box.filter.narrow(rows, box.chosen)
    if text and page.is_searchable:
        rows = rows.filter(_matching(ctx, page, text))
    sort, order = _order(page, asked.get("sort", ""))
    number = min(max(_number(asked.get("page", "")), 1), LAST_PAGE)
    found, total = _page(rows, order, number)
    pages = max(1, -(-min(total, COUNTED) // PER_PAGE))
    if number > pages:
        number = pages
        found, total = _page(rows, order, number)
    kept = {box.filter.name: box.chosen for box in boxes if box.chosen} | ({"q": text} if text else {})
    return Table(
        headings=tuple(_heading(column, sort, kept) for column in page.columns),
        rows=found,
        filters=boxes,
        text=text,
        sort=sort,
        total=min(total, COUNTED),
        more_than_counted=total > COUNTED,
        page=number,
        pages=pages,
        previous=_address(kept, sort, number - 1) if number > 1 else "",
        next=_address(kept, sort, number + 1) if number < pages else "",
        searchable=page.is_searchable,
        narrowed=bool(kept),
    )


def _page(rows: "QuerySet[Any]", order: tuple[str, ...], number: int) -> tuple[list[Any], int]:
    return page_and_total(rows, order, (number - 1) * PER_PAGE, PER_PAGE)


def _matching(ctx: Context, page: ListPage, text: str) -> Q:
    wanted = Q()
    for column in page.search:
        wanted |= Q(**{f"{column}__icontains": text})
    for column in page.ids:
        wanted |= Q(**{column: text})
    return wanted | page.refers(ctx, text) if page.refers else wanted


def _order(page: ListPage, asked: str) -> tuple[str, tuple[str, ...]]:
    """The sort as it stands in the address, and the order of the rows; the id makes it total."""
    allowed = {column.sort for column in page.columns if column.sort}
    if asked.removeprefix("-") not in allowed:
        return "", (*page.order, page.key)
    sign = "-" if asked.startswith("-") else ""
    return asked, (asked, f"{sign}{page.key}")


def _heading(column: Column, sort: str, kept: dict[str, str]) -> Heading:
    if not column.sort:
        return Heading(column.label)
    if sort == column.sort:
        return Heading(column.label, _address(kept, f"-{column.sort}", 1), "ascending")
    return Heading(column.label, _address(kept, column.sort, 1), "descending" if sort == f"-{column.sort}" else "")


def _address(kept: dict[str, str], sort: str, page: int) -> str:
    asked = kept | ({"sort": sort} if sort else {}) | ({"page": str(page)} if page > 1 else {})
    return "?" + urlencode(asked)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < len(str(COUNTED)) + 1 else 1
