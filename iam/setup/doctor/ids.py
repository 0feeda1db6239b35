"""Ids: whether two living things share one, and whether something has one that nothing may have.

From now on neither can be made; this finds what an earlier release let through. It looks at the read tables, which hold
what is alive: what was removed is no harm.
"""

from collections.abc import Iterable, Iterator

from django.db import connection
from django.db.models import F, Model

from iam.actions.models import TargetRow
from iam.instance.models import InstanceRow
from iam.kernel.errors import InvalidInput
from iam.kernel.ids import DRAWN, must_be_well_formed
from iam.setup.doctor.findings import Finding, ok, problem, warning
from oidc.models import WebKeyRow
from orgs.models import OrgRow
from projects.models import AppKeyRow, AppRow, ProjectGrantRow, ProjectRow, UserGrantRow
from users.models import MachineKeyRow, PatRow, SessionRow, UserRow

THINGS: tuple[tuple[type[Model], str, str], ...] = (
    (InstanceRow, "instance_id", "instance"),
    (OrgRow, "id", "organization"),
    (ProjectRow, "id", "project"),
    (ProjectGrantRow, "id", "project grant"),
    (UserGrantRow, "id", "authorization"),
    (AppRow, "id", "application"),
    (AppRow, "client_id", "client"),
    (AppKeyRow, "id", "application key"),
    (UserRow, "id", "user"),
    (MachineKeyRow, "id", "key of a service user"),
    (PatRow, "id", "personal access token"),
    (SessionRow, "id", "session"),
    (TargetRow, "id", "target"),
    (WebKeyRow, "id", "web key"),
)
"""Where ids are, and what they are of."""
CHOSEN = THINGS[1:3] + THINGS[5:6] + THINGS[8:9]
"""What callers could choose the id of."""
SHOWN = 10
REMEDY = (
    "look at both with `manage.py facts ID`, remove the one that was made later, and make it anew without an id of your own;"
    " then give its administrators and authorizations again"
)


def ids() -> Iterator[Finding]:
    """What shares its id with something else, what leads to somebody else, and what is out of reach."""
    found = [*_shared(), *_names(), *_forbidden()]
    yield from found or [ok("ids", "no two things share an id")]


def _shared() -> Iterator[Finding]:
    for instance, id, kinds in _several():
        yield problem(
            "ids",
            f"{id} (instance {instance}) is the id of {kinds}",
            cause="an earlier release let a caller choose the id of something else: rights over the one were rights over the other",
            remedy=REMEDY,
        )


def _several() -> Iterable[tuple[str, str, str]]:
    parts = " UNION ALL ".join(
        f"SELECT instance_id AS instance, {column} AS id, '{word}' AS kind FROM {model._meta.db_table}"  # noqa: S608 - names
        for model, column, word in THINGS
    )
    joined = "string_agg(kind, ' and ')" if connection.vendor == "postgresql" else "group_concat(kind, ' and ')"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT instance, id, {joined} FROM ({parts}) AS things WHERE id <> ''"  # noqa: S608 - names only
            f" GROUP BY instance, id HAVING count(*) > 1 ORDER BY instance, id LIMIT {SHOWN}"
        )
        return cursor.fetchall()


def _names() -> Iterator[Finding]:
    """A user name that is another user's id."""
    user, other = UserRow._meta.db_table, "other"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {user}.instance_id, {user}.id, {other}.id FROM {user} JOIN {user} AS {other}"  # noqa: S608 - names only
            f" ON {other}.instance_id = {user}.instance_id AND {other}.id = {user}.user_name AND {other}.id <> {user}.id"
            f" ORDER BY {user}.instance_id, {user}.id LIMIT {SHOWN}"
        )
        found = cursor.fetchall()
    for instance, id, taken in found:
        yield warning(
            "ids",
            f"user {id} (instance {instance}) has the id of user {taken} as user name",
            cause="an earlier release let a user be named like another's id, which is a client id where tokens are asked for",
            remedy="give the user another user name",
        )


def _forbidden() -> Iterator[Finding]:
    for model, column, word in CHOSEN:
        rows = model._default_manager.exclude(**{f"{column}__regex": f"^{DRAWN.pattern}$"})
        for instance, id in rows.annotate(own=F(column)).values_list("instance_id", "own").iterator():
            try:
                must_be_well_formed(id)
            except InvalidInput as refused:
                yield problem(
                    "ids",
                    f"{word} {id!r} (instance {instance}): {refused.code}",
                    cause="an earlier release let a caller choose an id that is a word of the product or that no address can hold",
                    remedy="make it anew without an id of your own, then remove this one",
                )
