"""Lookups that mean the same on both engines: text with regard to case or without, one of many, JSON lists.

On PostgreSQL a part of a text is found by trigrams (`users_trigrams`), which serve LIKE and ILIKE, but not Django's UPPER.
"""

import itertools
import json
from typing import Any

from django.db.models import CharField, JSONField, Lookup, QuerySet, TextField
from django.db.models.expressions import Col
from django.db.models.lookups import Contains, EndsWith, IContains, IEndsWith, IExact, In, IStartsWith, StartsWith

from projections import indexes
from projections.indexes import Beginnings, Ends

ESTIMATE, WALK = "estimate", "walk"
"""What a query may be for: how many rows the planner expects; rows that are met in an order, of which many pass."""
GROWS = 2
"""Times the letters of a text that it has in small letters, at most."""
SHORT = 2
"""Signs of which every spelling is asked for; a longer text has a trigram, which finds few."""
SINGLY = 10
"""Texts that are still given one by one where one of them is looked for."""
FOLDED = {"i": "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}", "k": "\N{KELVIN SIGN}"}
"""Signs beyond ASCII that are small ones of ASCII in lower case."""
SPECIAL = str.maketrans({sign: f"[{sign}]" for sign in "*?["})


class _Globbed:
    """SQLite's LIKE does not tell upper from lower case; its GLOB does, and a beginning is found by an index."""

    pattern = "{}"

    def as_sqlite(self, compiler: Any, connection: Any) -> Any:
        """`column GLOB pattern`."""
        if not isinstance(self.rhs, str):  # type: ignore[attr-defined] - of Lookup
            return self.as_sql(compiler, connection)  # type: ignore[attr-defined]
        column, given = self.process_lhs(compiler, connection)  # type: ignore[attr-defined]
        wanted = self.pattern.format(self.rhs.translate(SPECIAL))  # type: ignore[attr-defined]
        return f"{column} GLOB %s", [*given, wanted]


def _with_head(
    lookup: Any, compiler: Any, connection: Any, plain: tuple[str, Any], kind: type[Beginnings], *, in_any_case: bool
) -> tuple[str, Any]:
    """A condition on a beginning or an end, asked of an index that knows it; `plain` is the condition that any column takes.

    Where both are needed the planner would multiply what it expects of each, though they say nearly the same; so an
    ESTIMATE has the one that says more. On a WALK rows are compared, for which LIKE is cheaper and ILIKE is not.
    """
    text = lookup.rhs
    index = _heads_of(lookup, kind)
    if index is None or not text or not (in_any_case or text.isascii()):
        return plain
    if purpose(compiler.query) == WALK and (len(text) <= SHORT or not in_any_case):
        return plain
    column, given = compiler.compile(lookup.lhs)
    room = _room(text)
    part = text[-room:][::-1] if kind is Ends else text[:room]
    head = f"{index.head(column)} LIKE lower(%s)", [*given, connection.ops.prep_for_like_query(part) + "%"]
    if len(text) <= room and (in_any_case or not _has_cases(text)):
        return head
    return plain if purpose(compiler.query) == ESTIMATE else _both(head, _compared(plain, column))


def _heads_of(lookup: Any, kind: type[Beginnings]) -> Beginnings | None:
    is_plain = isinstance(lookup.lhs, Col) and isinstance(lookup.rhs, str)
    return indexes.heads_of(lookup.lhs.target, kind) if is_plain else None


def _room(text: str) -> int:
    """How many of its letters fill no more than the head of a text in small letters, where they may be more."""
    return indexes.HEAD if text.isascii() else indexes.HEAD // GROWS


def _compared(plain: tuple[str, Any], column: str) -> tuple[str, Any]:
    """The same condition, hidden from indexes: trigrams would be looked up as well, which often takes longer."""
    return plain[0].replace(column, f"({column} || '')"), plain[1]


def _both(one: tuple[str, Any], other: tuple[str, Any]) -> tuple[str, Any]:
    return f"({one[0]} AND {other[0]})", [*one[1], *other[1]]


def asked_for(purpose: str, rows: "QuerySet[Any]") -> "QuerySet[Any]":
    """The same rows, with conditions on texts as they serve a purpose: ESTIMATE or WALK."""
    same = rows.all()
    same.query.purpose = purpose  # type: ignore[attr-defined] - for the lookups here
    return same


def purpose(query: Any) -> str:
    """What a query is for, if not for finding rows by an index."""
    return getattr(query, "purpose", "")


class _StartsWith(_Globbed, StartsWith):
    pattern = "{}*"

    def as_postgresql(self, compiler: Any, connection: Any) -> Any:
        """By its head where an index knows the beginnings of the column."""
        plain = self.as_sql(compiler, connection)
        return _with_head(self, compiler, connection, plain, Beginnings, in_any_case=False)


class _EndsWith(_Globbed, EndsWith):
    pattern = "*{}"

    def as_postgresql(self, compiler: Any, connection: Any) -> Any:
        """Backwards where an index knows the ends of the column."""
        plain = self.as_sql(compiler, connection)
        return _with_head(self, compiler, connection, plain, Ends, in_any_case=False)


class _Contains(_Globbed, Contains):
    pattern = "*{}*"


def _spelled(text: str) -> tuple[str, list[str]]:
    """The operator that finds a text in any case, and the texts to give it."""
    if not _has_cases(text):
        return "LIKE", [text]
    if len(text) > SHORT or not text.isascii():
        return "ILIKE", [text]
    return "LIKE", ["".join(signs) for signs in itertools.product(*map(_cases, text.lower()))]


def _has_cases(text: str) -> bool:
    return text.lower() != text.upper()


def _cases(sign: str) -> list[str]:
    return list(dict.fromkeys([sign, sign.upper(), *FOLDED.get(sign, "")]))


def _lowered(text: str | None) -> str | None:
    return None if text is None else text.lower()


class _InAnyCase:
    """PostgreSQL's ILIKE, or LIKE with every spelling of something short: ILIKE folds each text that it looks at.

    SQLite's LIKE folds the letters of ASCII only; a text with others is compared in small letters, by a function of ours.
    """

    shape = "{}"

    def as_sqlite(self, compiler: Any, connection: Any) -> Any:
        """`lowered(column) LIKE pattern`, or Django's own."""
        if not isinstance(self.rhs, str) or self.rhs.isascii():  # type: ignore[attr-defined] - of Lookup
            return self.as_sql(compiler, connection)  # type: ignore[attr-defined]
        connection.ensure_connection()
        connection.connection.create_function("lowered", 1, _lowered, deterministic=True)
        column, given = compiler.compile(self.lhs)  # type: ignore[attr-defined]
        wanted = self.shape.format(connection.ops.prep_for_like_query(self.rhs.lower()))  # type: ignore[attr-defined]
        return f"lowered({column}) LIKE %s ESCAPE '\\'", [*given, wanted]

    def as_postgresql(self, compiler: Any, connection: Any) -> Any:
        """`column ILIKE pattern`."""
        if not isinstance(self.rhs, str):  # type: ignore[attr-defined] - of Lookup
            return self.as_sql(compiler, connection)  # type: ignore[attr-defined]
        column, given = compiler.compile(self.lhs)  # type: ignore[attr-defined]
        operator, texts = _spelled(self.rhs)  # type: ignore[attr-defined]
        wanted = [self.shape.format(connection.ops.prep_for_like_query(text)) for text in texts]
        either = " OR ".join([f"{column}::text {operator} %s"] * len(wanted))
        return (f"({either})" if len(wanted) > 1 else either), [one for text in wanted for one in (*given, text)]


class _IStartsWith(_InAnyCase, IStartsWith):
    shape = "{}%"

    def as_postgresql(self, compiler: Any, connection: Any) -> Any:
        """By its head where an index knows the beginnings of the column."""
        plain = super().as_postgresql(compiler, connection)
        return _with_head(self, compiler, connection, plain, Beginnings, in_any_case=True)


class _IEndsWith(_InAnyCase, IEndsWith):
    shape = "%{}"

    def as_postgresql(self, compiler: Any, connection: Any) -> Any:
        """Backwards where an index knows the ends of the column."""
        plain = super().as_postgresql(compiler, connection)
        return _with_head(self, compiler, connection, plain, Ends, in_any_case=True)


class _IContains(_InAnyCase, IContains):
    shape = "%{}%"


class _IExact(_InAnyCase, IExact):
    def as_postgresql(self, compiler: Any, connection: Any) -> Any:
        """All ways at once: some columns have an index in upper case, others of beginnings, others trigrams."""
        plain = self.as_sql(compiler, connection)
        if not isinstance(self.rhs, str):
            return plain
        both = _both(plain, super().as_postgresql(compiler, connection))
        index = _heads_of(self, Beginnings)
        if index is None:
            return both
        column, given = compiler.compile(self.lhs)
        head = f"{index.head(column)} = {index.head('%s')}", [*given, self.rhs]
        if purpose(compiler.query) == ESTIMATE:
            return head if len(self.rhs) < _room(self.rhs) else both
        return _both(head, _compared(both, column))


class _Among(In):
    """Many texts go to PostgreSQL as one value: a thousand of them, each for itself, take Django longer than the search."""

    def as_postgresql(self, compiler: Any, connection: Any) -> Any:
        """`column = ANY(texts)`."""
        is_long = self.rhs_is_direct_value() and len(self.rhs) > SINGLY
        if not is_long or not all(isinstance(one, str) for one in self.rhs):
            return self.as_sql(compiler, connection)
        column, given = compiler.compile(self.lhs)
        return f"{column} = ANY(%s)", [*given, list(dict.fromkeys(self.rhs))]


class HoldsAny(Lookup):  # type: ignore[type-arg] - not subscriptable when it runs
    """`roles__holds_any=["a", "b"]`: a JSON list of texts that holds one of them. A GIN index serves it on PostgreSQL."""

    lookup_name = "holds_any"
    prepare_rhs = False

    def as_postgresql(self, compiler: Any, connection: Any) -> Any:
        """The operator that asks for any of some texts."""
        column, given = self.process_lhs(compiler, connection)
        return f"{column} ?| %s::text[]", [*given, list(self.rhs)]

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        """SQLite unfolds both lists."""
        column, given = self.process_lhs(compiler, connection)
        unfolded = "EXISTS (SELECT 1 FROM json_each({}) AS held WHERE held.value IN (SELECT value FROM json_each(%s)))"
        return unfolded.format(column), [*given, json.dumps(list(self.rhs))]


for _lookup in (_StartsWith, _EndsWith, _Contains, _IExact, _IStartsWith, _IEndsWith, _IContains, _Among):
    CharField.register_lookup(_lookup)
    TextField.register_lookup(_lookup)
JSONField.register_lookup(HoldsAny)
