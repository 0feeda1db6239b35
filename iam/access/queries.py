"""Rights from memberships. The expression lets a token check bring them in its own statement."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import F, Func, JSONField, OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject

from iam.access.models import MembershipRow
from iam.access.roles import permissions_of
from iam.kernel.context import Rights
from iam.kernel.levels import Level

Held = Mapping[str, Any]
"""One membership: {"level": …, "resource": …, "roles": […]}."""


class _JsonList(Func):
    """All rows of a subquery as one JSON list, on both engines; no rows give NULL or an empty list."""

    function = "JSONB_AGG"
    output_field = JSONField()  # type: ignore[assignment]

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """SQLite's name for it."""
        return self.as_sql(compiler, connection, function="JSON_GROUP_ARRAY", **extra)


def memberships_of(user_ref: str, instance_ref: str = "instance_id") -> Subquery:
    """Expression: the memberships of the user that the outer row names, as a JSON list of Held."""
    rows = MembershipRow.objects.filter(instance_id=OuterRef(instance_ref), user_id=OuterRef(user_ref))
    held = JSONObject(level=F("level"), resource=F("resource_id"), roles=F("roles"))
    return Subquery(rows.order_by().annotate(held=_JsonList(held)).values("held"), output_field=JSONField())


def json_list_of(rows: QuerySet[Any], column: str) -> Subquery:
    """Expression: a column of all rows of a question, as a JSON list; NULL or an empty list without rows."""
    return Subquery(rows.order_by().annotate(listed=_JsonList(column)).values("listed"), output_field=JSONField())


def find_memberships(instance_id: str, user_id: str) -> QuerySet[MembershipRow]:
    """Every membership of one user."""
    return MembershipRow.objects.filter(instance_id=instance_id, user_id=user_id)


def rights_from(memberships: Iterable[Held] | None) -> Rights:
    """Permissions by level from memberships."""
    levels: dict[str, dict[str, frozenset[str]]] = defaultdict(dict)
    for held in memberships or ():
        levels[held["level"]][held["resource"]] = permissions_of(_list(held["roles"]))
    return Rights(
        instance=frozenset().union(*levels[Level.INSTANCE].values(), *levels[Level.SYSTEM].values()),
        orgs=levels[Level.ORG],
        projects=levels[Level.PROJECT],
        grants=levels[Level.GRANT],
    )


def _list(roles: Any) -> Iterable[str]:
    """SQLite gives a JSON column inside a JSON object as its text."""
    return json.loads(roles) if isinstance(roles, str) else roles


def rights_of(instance_id: str, user_id: str) -> Rights:
    """The rights of one user, read now."""
    rows = find_memberships(instance_id, user_id).values_list("level", "resource_id", "roles")
    return rights_from({"level": level, "resource": resource, "roles": roles} for level, resource, roles in rows)


def resources_of(instance_id: str, user_id: str, level: Level) -> list[str]:
    """The ids of everything of a level that a user administers."""
    return list(find_memberships(instance_id, user_id).filter(level=level.value).values_list("resource_id", flat=True))
