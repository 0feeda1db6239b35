"""Tables that tell which rows hold a text. Where a column is a list of texts, its index finds who holds one, but not in the
order of the ids; a table of holders has a row for each text of each list, and its key is the text before the id."""

from typing import Any

from django.db.models import Model, QuerySet
from django.db.models.expressions import Col
from django.db.models.lookups import Exact
from django.db.models.sql.where import AND

from projections.texts import HoldsAny

_kept: dict[Any, tuple[type[Model], str]] = {}


def keep(rows: type[Model], field: str, holders: type[Model], text: str) -> None:
    """Declare the table of holders for a field, and which column has the text beside `instance_id` and `id`.

    The database must keep it (`by_database`): it is read in place of the rows.
    """
    _kept[rows._meta.get_field(field)] = (holders, text)


def instead_of(rows: "QuerySet[Any]") -> "QuerySet[Any] | None":
    """The holders in the order of the rows, where nothing but the instance and one text is asked for."""
    where = rows.query.where
    if where.connector != AND or where.negated:
        return None
    match where.children:
        case [Exact(lhs=Col(target=tenant), rhs=str(instance)), HoldsAny(lhs=Col(target=field), rhs=[str(text)])] if (
            tenant.model is field.model is rows.model and tenant.name == "instance_id" and field in _kept
        ):
            holders, column = _kept[field]
            wanted = {"instance_id": instance, column: text}
            return holders._default_manager.using(rows.db).filter(**wanted).order_by(*rows.query.order_by)
    return None
