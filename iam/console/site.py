"""What the rooms contribute to the console: pages, menu entries, figures, searches, names of people."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from iam.console.kit import Column, Page
from iam.kernel.context import Context
from iam.kernel.ids import reserves


@dataclass(frozen=True)
class MenuEntry:
    """One line of the navigation, shown to whoever holds `needs` anywhere."""

    label: str
    to: str
    icon: str
    needs: str
    order: int


@dataclass(frozen=True)
class Figure:
    """A number on the home page."""

    label: str
    to: str
    needs: str
    count: Callable[[Context], int]


@dataclass(frozen=True)
class Hit:
    """Something that the search found."""

    kind: str
    title: str
    to: str
    detail: str = ""


Searcher = Callable[[Context, str], Iterable[Hit]]
Namer = Callable[[str, Iterable[str]], Mapping[str, str]]

_pages: dict[str, Page] = {}
_urls: list[tuple[str, Callable[..., Any]]] = []
_menu: list[MenuEntry] = []
_figures: list[Figure] = []
_searchers: list[Searcher] = []
_namers: dict[str, Namer] = {}


def add_pages(*pages: Page) -> None:
    """Put pages at their routes; a route belongs to one page."""
    for page in pages:
        if _pages.setdefault(page.route, page) is not page:
            raise ValueError(f"console route {page.route} is declared twice")


def label_of(section: str) -> str:
    """The word of the navigation for an address; empty when it is not in there."""
    return next((entry.label for entry in _menu if entry.to == section), "")


def add_urls(*urls: tuple[str, Callable[..., Any]]) -> None:
    """Add answers to parts of a page: (route, (request, ctx) → response)."""
    _urls.extend(urls)


def urls() -> list[tuple[str, Callable[..., Any]]]:
    """What `add_urls` collected."""
    return list(_urls)


def add_menu(*entries: MenuEntry) -> None:
    """Add lines to the navigation."""
    _menu.extend(entries)


def add_figures(*figures: Figure) -> None:
    """Add numbers to the home page."""
    _figures.extend(figures)


def finds(searcher: Searcher) -> Searcher:
    """Let the search box find a room's things; the searcher filters by the caller's reach."""
    _searchers.append(searcher)
    return searcher


def names(kind: str) -> Callable[[Namer], Namer]:
    """Let pages show names for ids of a kind of thing: (instance, ids) → {id: name}."""

    def register(namer: Namer) -> Namer:
        _namers[kind] = namer
        return namer

    return register


@reserves
def words() -> set[str]:
    """The literal parts of pages' addresses that stand where others have an id: `new` and the like."""
    routes = [page.route.strip("/").split("/") for page in _pages.values()]
    with_ids = {tuple(parts[:n]) for parts in routes for n in range(len(parts)) if "<" in parts[n]}
    return {
        parts[n]
        for parts in routes
        for n in range(len(parts))
        if "<" not in parts[n] and any(_same(parts[:n], list(before)) for before in with_ids)
    }


def _same(one: list[str], other: list[str]) -> bool:
    return len(one) == len(other) and all(a == b or "<" in a or "<" in b for a, b in zip(one, other, strict=True))


def pages() -> Iterable[Page]:
    """All pages; literal routes before variable ones, so that `users/new` is not taken for an id."""
    return sorted(_pages.values(), key=lambda page: (page.route.count("<"), page.route))


def menu(ctx: Context) -> list[MenuEntry]:
    """The navigation of this person."""
    return [
        entry for entry in sorted(_menu, key=lambda e: e.order) if not entry.needs or ctx.rights.anywhere(entry.needs)
    ]


def figures(ctx: Context) -> list[Figure]:
    """The numbers this person may see."""
    return [figure for figure in _figures if ctx.rights.anywhere(figure.needs)]


def search(ctx: Context, text: str) -> list[Hit]:
    """Everything the rooms find for a text."""
    return [hit for searcher in _searchers for hit in searcher(ctx, text)]


def names_of(instance: str, ids: Iterable[str], *kinds: str) -> dict[str, str]:
    """Names for ids, as far as the rooms know them: a query per kind of thing, for all kinds when none is told."""
    wanted = sorted({id for id in ids if id})
    asked = [_namers[kind] for kind in kinds or _namers] if wanted else []
    return {id: name for namer in asked for id, name in namer(instance, wanted).items()}


def names_in(instance: str, columns: Iterable[Column], rows: Iterable[Any]) -> dict[str, str]:
    """Names for the ids that these columns show in these rows."""
    shown = list(rows)
    found: dict[str, str] = {}
    for column in columns:
        if column.names:
            found |= names_of(instance, (column.value(row) for row in shown), *column.names)
    return found
