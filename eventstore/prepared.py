"""Questions about read tables that are asked with every request: compiled once per process, bound per call.

Django builds and compiles a queryset anew each time, which costs several times what the database needs for a
token check. A prepared question keeps the compiled SQL and how rows become objects; only the values change.
"""

import inspect
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import QuerySet
from django.db.models.query import ValuesIterable, get_related_populators

R = TypeVar("R")
TEXT = "\x02{}\x03"
TIME = datetime(1, 2, 3, tzinfo=UTC)
"""Stand-ins for the values while the question is compiled; no row holds them."""


@dataclass(frozen=True)
class _Compiled:
    """SQL, its parameters (a `_Slot` where a value goes), the compiler that knows the columns, names for dicts."""

    sql: str
    parameters: tuple[Any, ...]
    compiler: Any
    names: tuple[str, ...]


@dataclass(frozen=True)
class _Slot:
    name: str


class Prepared(Generic[R]):
    """`Prepared(build)`: `build` takes texts, and times where it says so, and answers the queryset.

    Values may stand only where the database gets them unchanged: `=`, `<`, `>` and `in` with a list of them.
    """

    def __init__(self, build: Callable[..., "QuerySet[Any, Any]"]) -> None:
        self._build = build
        self._parameters = inspect.signature(build).parameters.items()
        self._compiled: dict[str, _Compiled] = {}
        self._lock = threading.Lock()

    def first(self, **values: Any) -> R | None:
        """The first row, in no order that was not asked for; None without rows."""
        return next(iter(self.all(**values)), None)

    def all(self, **values: Any) -> list[R]:
        """All rows: objects of the queryset's model, or dicts when it was built with `values()`."""
        ready = self._compiled.get(connection.vendor) or self._compile()
        bound = [_bound(values[one.name]) if isinstance(one, _Slot) else one for one in ready.parameters]
        with connection.cursor() as cursor:
            cursor.execute(ready.sql, bound)
            fetched = cursor.fetchall()
        return list(_rows(ready, fetched)) if fetched else []

    def _compile(self) -> _Compiled:
        with self._lock:
            stand_ins = {
                name: TIME if one.annotation is datetime else TEXT.format(name) for name, one in self._parameters
            }
            rows = self._build(**stand_ins)
            compiler = rows.query.get_compiler(connection.alias)
            sql, parameters = compiler.as_sql()
            names = _names(compiler) if issubclass(rows._iterable_class, ValuesIterable) else ()
            slots = {_bound(value): _Slot(name) for name, value in stand_ins.items()}
            ready = _Compiled(sql, tuple(slots.get(one, one) for one in parameters), compiler, names)
            if missing := {*slots.values()} - {*ready.parameters}:
                raise TypeError(f"{self._build.__name__}: {missing} cannot be bound")
            self._compiled[connection.vendor] = ready
            return ready


def prepared(build: Callable[..., "QuerySet[Any, Any]"]) -> "Prepared[Any]":
    """Prepare the question that a function builds."""
    return Prepared(build)


def _bound(value: Any) -> Any:
    """A value as the driver takes it."""
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value


def _names(compiler: Any) -> tuple[str, ...]:
    query = compiler.query
    return (*query.extra_select, *query.values_select, *query.annotation_select)


def _rows(ready: _Compiled, fetched: list[Any]) -> Iterator[Any]:
    compiler = ready.compiler
    rows = compiler.results_iter([fetched], tuple_expected=True)
    if ready.names:
        return (dict(zip(ready.names, row, strict=True)) for row in rows)
    return _objects(compiler, rows)


def _objects(compiler: Any, rows: Iterator[Any]) -> Iterator[Any]:
    """As Django's own iteration over a queryset, from the columns that the compiler chose."""
    info, select = compiler.klass_info, compiler.select
    start, end = info["select_fields"][0], info["select_fields"][-1] + 1
    names = [column[0].target.attname for column in select[start:end]]
    related = get_related_populators(info, select, connection.alias)
    for row in rows:
        made = info["model"].from_db(connection.alias, names, row[start:end])
        for populator in related:
            populator.populate(row, made)
        for name, place in compiler.annotation_col_map.items():
            setattr(made, name, row[place])
        yield made
