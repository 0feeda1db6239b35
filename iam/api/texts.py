"""Lookups that mean the same on both engines: text with regard to case or without, lists in JSON that hold one of some values.

On PostgreSQL a part of a text is found by trigrams (`users_trigrams`), which serve LIKE and ILIKE, but not Django's UPPER.
"""

import itertools
import json
from typing import Any

from django.db.models import CharField, JSONField, Lookup, TextField
from django.db.models.lookups import Contains, EndsWith, IContains, IEndsWith, IExact, IStartsWith, StartsWith

SHORT = 2
"""Signs of which every spelling is asked for; a longer text has a trigram, which finds few."""
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


class _StartsWith(_Globbed, StartsWith):
    pattern = "{}*"


class _EndsWith(_Globbed, EndsWith):
    pattern = "*{}"


class _Contains(_Globbed, Contains):
    pattern = "*{}*"


def _spelled(text: str) -> tuple[str, list[str]]:
    """The operator that finds a text in any case, and the texts to give it."""
    if text.lower() == text.upper():
        return "LIKE", [text]
    if len(text) > SHORT or not text.isascii():
        return "ILIKE", [text]
    return "LIKE", ["".join(signs) for signs in itertools.product(*map(_cases, text.lower()))]


def _cases(sign: str) -> list[str]:
    return list(dict.fromkeys([sign, sign.upper(), *FOLDED.get(sign, "")]))


class _InAnyCase:
    """PostgreSQL's ILIKE, or LIKE with every spelling of something short: ILIKE folds each text that it looks at."""

    shape = "{}"

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


for _lookup in (_StartsWith, _EndsWith, _Contains, _IExact, _IStartsWith, _IEndsWith, _IContains):
    CharField.register_lookup(_lookup)
    TextField.register_lookup(_lookup)
JSONField.register_lookup(HoldsAny)
