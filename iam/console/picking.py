"""Choosing one of many in a form: from a list while they are few, by name or id beyond."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from iam.console.parts import choice_field, text_field

FEW = 200
"""So many are listed."""
HINT = "Its name or its id."


def listed(rows: "QuerySet[Any]") -> list[tuple[str, str]] | None:
    """Ids and names of the rows, by name; nothing if they are too many to choose from."""
    found = list(rows.order_by("name").values_list("id", "name")[: FEW + 1])
    return found if len(found) <= FEW else None


def picked_field(label: str, rows: "QuerySet[Any]", *, first: str = "") -> forms.Field:
    """One of the rows, each of which has an id and a name; the one with the id `first` leads the list."""
    few = listed(rows)
    if few is not None:
        return choice_field(label, sorted(few, key=lambda one: one[0] != first))
    return NamedField({"": rows}, label)


class NamedField(forms.Field):
    """Something by its name or id, in one or several tables: its id, after what leads those of its table."""

    default_error_messages = {  # noqa: RUF012 - as Django declares it
        "none": "There is none of this name or id.",
        "several": "Several are called so; give the id.",
    }

    def __init__(self, tables: "dict[str, QuerySet[Any]]", label: str, hint: str = HINT) -> None:
        line = text_field(label, 200, hint=hint)
        super().__init__(label=label, help_text=hint, widget=line.widget)
        self.tables = tables

    def prepare_value(self, value: Any) -> Any:
        """The name of an id."""
        named = (rows.filter(id=value).values_list("name", flat=True).first() for rows in self.tables.values())
        return next((name for name in named if name), value) if value else value

    def clean(self, value: Any) -> str:
        """The id; raises ValidationError where there is none, or several are called so."""
        typed = str(super().clean(value)).strip()[:200]
        found = [lead + id for lead, rows in self.tables.items() for id in _found(rows, typed)]
        if len(found) != 1:
            raise forms.ValidationError(self.error_messages["several" if found else "none"])
        return found[0]


def _found(rows: "QuerySet[Any]", typed: str) -> list[str]:
    """The row with this id, or else up to two of this name."""
    ids = rows.order_by().values_list("id", flat=True)
    return list(ids.filter(id=typed)) or list(ids.filter(name__iexact=typed)[:2])
