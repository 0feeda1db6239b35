"""The kinds of page a room can declare: list, detail, form, confirm. Declarations only; `views` shows them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.db.models import Q, QuerySet

from iam.kernel.context import Context

Path = Mapping[str, str]
"""The variable parts of a page's address, by name."""

Show = Callable[[Any], Any]


@dataclass(frozen=True)
class Column:
    """One value of a row: an attribute by name, or computed by `show`. `link` is an address with `{attributes}`.

    `kind` text, long, address, state, time, code, list or yesno chooses how it is drawn. `sort` names the column to order by.
    `names` says that the value is the id of such a thing (user, org, project …): its name is shown instead.
    """

    name: str
    label: str
    kind: str = "text"
    link: str = ""
    sort: str = ""
    show: Show | None = None
    names: tuple[str, ...] = ()

    def value(self, row: Any) -> Any:
        """The value of a row."""
        return self.show(row) if self.show else getattr(row, self.name, "")


@dataclass(frozen=True)
class Choice:
    """A filter with a few values: (value in the address, label, condition on the rows)."""

    name: str
    label: str
    options: tuple[tuple[str, str, Mapping[str, Any]], ...]

    def narrow(self, rows: "QuerySet[Any]", asked: str) -> "QuerySet[Any]":
        """Only the rows of the option that was asked for; unknown options change nothing."""
        for value, _, condition in self.options:
            if asked == value:
                return rows.filter(**condition)
        return rows


STATES = Choice("state", "State", (("active", "Active", {"state": 1}), ("inactive", "Inactive", {"state": 2})))
"""The filter of everything that can be deactivated (users have a state more)."""


@dataclass(frozen=True)
class Link:
    """A way to another page; `to` may name attributes of the row (`users/{id}/rename`).

    Shown when `when` agrees and the person holds `needs` for the row's owner.
    """

    label: str
    to: str
    needs: str = ""
    when: Callable[[Any], bool] = lambda row: True
    danger: bool = False
    main: bool = False


@dataclass(frozen=True)
class Empty:
    """What an empty list says: what this is about, and what to do next."""

    title: str
    text: str = ""


@dataclass(frozen=True)
class ListPage:
    """A list that pages, sorts, filters and searches."""

    route: str
    title: str
    needs: str
    rows: Callable[[Context, Path], "QuerySet[Any]"]
    columns: tuple[Column, ...]
    empty: Empty
    search: tuple[str, ...] = ()
    """Columns of which any part is found, in any case."""
    ids: tuple[str, ...] = ()
    """Columns in which the search finds whole ids."""
    refers: Callable[[Context, str], Q] | None = None
    """What else the search finds: rows by what they refer to."""
    filters: tuple[Choice, ...] = ()
    links: tuple[Link, ...] = ()
    order: tuple[str, ...] = ("id",)
    intro: str = ""
    section: str = ""
    key: str = "id"
    """The column that makes the order total."""

    @property
    def is_searchable(self) -> bool:
        """Whether it has a box for texts."""
        return bool(self.search or self.ids)


@dataclass(frozen=True)
class Properties:
    """A block of labelled values on a detail page."""

    title: str
    columns: tuple[Column, ...]
    links: tuple[Link, ...] = ()
    when: Callable[[Any], bool] = lambda row: True


@dataclass(frozen=True)
class Related:
    """A table on a detail page: what belongs to the object shown."""

    title: str
    rows: Callable[[Context, Any], "QuerySet[Any] | list[Any]"]
    columns: tuple[Column, ...]
    empty: Empty
    links: tuple[Link, ...] = ()
    row_links: tuple[Link, ...] = ()
    when: Callable[[Any], bool] = lambda row: True
    more: str = ""


@dataclass(frozen=True)
class Tab:
    """One view of an object; the first one has an empty slug."""

    slug: str
    label: str
    blocks: tuple[Properties | Related, ...]
    when: Callable[[Any], bool] = lambda row: True


@dataclass(frozen=True)
class DetailPage:
    """One object. `get` answers it or raises NotFound; it checks the right to read."""

    route: str
    noun: str
    section: str
    get: Callable[..., Any]
    title: Callable[[Any], str]
    tabs: tuple[Tab, ...]
    state: Show | None = None
    subtitle: Show | None = None
    links: tuple[Link, ...] = ()
    crumbs: Callable[[Any], Iterable[tuple[str, str]]] = lambda row: ()
    stream: Callable[[Any], tuple[str, str]] | None = None
    """(aggregate kind, id) whose facts the history tab tells."""
    tells: Callable[[Any, Any], bool] = lambda row, fact: True
    """Which of those facts are about this object, where several share a stream."""


@dataclass(frozen=True)
class Outcome:
    """What a form led to: where to go on, what to say, and secrets that are shown this one time."""

    to: str
    notice: str = ""
    secrets: Mapping[str, str] = field(default_factory=dict)


def saves(command: Callable[..., Any], notice: str, to: str) -> Callable[[Context, Mapping[str, Any], Path], Outcome]:
    """A form that calls one command with the parts of the address and the fields as they are."""

    def save(ctx: Context, values: Mapping[str, Any], path: Path) -> Outcome:
        command(ctx, **path, **values)
        return Outcome(to.format(**path), notice)

    return save


@dataclass(frozen=True)
class FormPage:
    """A form. Without `form` it is a question to confirm. `save` calls a command; refusals land on their fields."""

    route: str
    title: str
    section: str
    save: Callable[[Context, Mapping[str, Any], Path], Outcome]
    form: type[forms.Form] | Callable[[Context, Path], type[forms.Form]] | None = None
    subject: Callable[[Context, Path], str] | None = None
    initial: Callable[[Context, Path], Mapping[str, Any]] = lambda ctx, path: {}
    from_link: tuple[str, ...] = ()  # fields that our own links choose for; nobody else's link fills any other
    submit: str = "Save"
    intro: str = ""
    danger: bool = False
    back: str = ""


Page = ListPage | DetailPage | FormPage


def filled(address: str, row: Any) -> str:
    """An address with the row's attributes put in place of `{names}`."""
    names = {name: getattr(row, name) for name in _names(address)}
    return address.format(**names)


def _names(address: str) -> list[str]:
    return [part.split("}")[0] for part in address.split("{")[1:]]
