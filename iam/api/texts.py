"""Lookups that mean the same on both engines: text with regard to case, and lists in JSON that hold one of some values.

On PostgreSQL a part of a text is found by the trigrams of its upper case (`users_trigrams` and its like): one index serves
both ways of asking. Asked with regard to case, the text must match in upper case, which the index finds, and as it is.
"""

import json
from typing import Any

from django.db.models import CharField, JSONField, Lookup, TextField
from django.db.models.lookups import Contains, EndsWith, StartsWith

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


class _Cased(_Globbed):
    """Asked with regard to case; PostgreSQL's trigrams are of the text in upper case."""

    again = "CASE WHEN {} THEN 1 ELSE 0 END <> 0"
    """How the text is looked at once more. The planner expects such a comparison to keep all rows: it counts them once."""

    def as_postgresql(self, compiler: Any, connection: Any) -> Any:
        """`UPPER(column) LIKE UPPER(pattern)`, and `column LIKE pattern`."""
        plain, given = self.as_sql(compiler, connection)  # type: ignore[attr-defined] - of Lookup
        if not isinstance(self.rhs, str):  # type: ignore[attr-defined]
            return plain, given
        column, of_column = self.process_lhs(compiler, connection)  # type: ignore[attr-defined]
        _, pattern = self.process_rhs(compiler, connection)  # type: ignore[attr-defined]
        return f"(UPPER({column}) LIKE UPPER(%s) AND {self.again.format(plain)})", [*of_column, *pattern, *given]


class _StartsWith(_Cased, StartsWith):
    pattern = "{}*"
    again = "{}"  # an index in the order of bytes serves this half, too


class _EndsWith(_Cased, EndsWith):
    pattern = "*{}"


class _Contains(_Cased, Contains):
    pattern = "*{}*"


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


for _lookup in (_StartsWith, _EndsWith, _Contains):
    CharField.register_lookup(_lookup)
    TextField.register_lookup(_lookup)
JSONField.register_lookup(HoldsAny)
