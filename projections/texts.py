"""Lookups that mean the same on both engines: text with regard to case or without, one of many, JSON lists.

On PostgreSQL a part of a text is found by trigrams (`users_trigrams`), which serve LIKE and ILIKE, but not Django's UPPER.
"""

import itertools
import json
from typing import Any

from django.db.models import CharField, JSONField, Lookup, TextField
from django.db.models.expressions import Col
from django.db.models.lookups import Contains, EndsWith, IContains, IEndsWith, IExact, In, IStartsWith, StartsWith

from projections import indexes

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


def _backwards(lookup: Any, compiler: Any, connection: Any, *, in_any_case: bool) -> Any:
    """An end as the beginning of the text written backwards, if an index finds it so and the end is a plain text."""
    is_known = isinstance(lookup.lhs, Col) and indexes.know_ends_of(lookup.lhs.target, in_any_case=in_any_case)
    if not is_known or not isinstance(lookup.rhs, str):
        return None
    column, given = compiler.compile(lookup.lhs)
    wanted = connection.ops.prep_for_like_query(lookup.rhs[::-1]) + "%"
    pattern = "lower(%s)" if in_any_case else "%s"
    return f"{indexes.backwards(column, in_any_case=in_any_case)} LIKE {pattern}", [*given, wanted]


class _StartsWith(_Globbed, StartsWith):
    pattern = "{}*"


class _EndsWith(_Globbed, EndsWith):
    pattern = "*{}"

    def as_postgresql(self, compiler: Any, connection: Any) -> Any:
        """Backwards where an index knows the ends of the column."""
        return _backwards(self, compiler, connection, in_any_case=False) or self.as_sql(compiler, connection)


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


class _IEndsWith(_InAnyCase, IEndsWith):
    shape = "%{}"

    def as_postgresql(self, compiler: Any, connection: Any) -> Any:
        """Backwards where an index knows the ends of the column."""
        in_any_case = isinstance(self.rhs, str) and _has_cases(self.rhs)
        known = _backwards(self, compiler, connection, in_any_case=in_any_case)
        return known or super().as_postgresql(compiler, connection)


class _IContains(_InAnyCase, IContains):
    shape = "%{}%"


class _IExact(_InAnyCase, IExact):
    def as_postgresql(self, compiler: Any, connection: Any) -> Any:
        """Both ways at once: some columns have an index in upper case, others trigrams."""
        plain, given = self.as_sql(compiler, connection)
        if not isinstance(self.rhs, str):
            return plain, given
        alike, pattern = super().as_postgresql(compiler, connection)
        return f"({plain} AND {alike})", [*given, *pattern]


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
