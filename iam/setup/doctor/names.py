"""Login names of before that several users have in some way: to whom each leads, and what to do about it."""

from collections.abc import Iterator

from django.db import connection

from iam.instance.models import InstanceRow
from iam.setup.doctor.findings import Finding, ok, warning
from projections.projection import UNKNOWN
from users.login_names import find_user_by_login
from users.models import UserRow

MOST_SHOWN = 20
AT_DOMAIN = (
    "orgs_domains d JOIN users_users o ON o.instance_id = d.instance_id AND o.org_id = d.org_id JOIN users_users u"
    " ON u.instance_id = d.instance_id AND u.id <> o.id"
)
AMBIGUOUS = (
    f"SELECT upper(u.user_name) AS name FROM {AT_DOMAIN} AND upper(u.user_name) = upper(o.user_name || '@' || d.domain)"  # noqa: S608 - ours
    " WHERE d.is_verified AND d.instance_id = %s",
    f"SELECT upper(u.email) AS name FROM {AT_DOMAIN} AND upper(u.email) = upper(o.user_name || '@' || d.domain)"  # noqa: S608 - ours
    " AND u.email_verified WHERE d.is_verified AND d.instance_id = %s",
    "SELECT upper(u.user_name) AS name FROM users_users o JOIN users_users u ON u.instance_id = o.instance_id"
    " AND u.id <> o.id AND upper(o.email) = upper(u.user_name) AND o.email_verified WHERE o.instance_id = %s",
    "SELECT upper(email) AS name FROM users_users WHERE email_verified AND instance_id = %s"
    " GROUP BY upper(email) HAVING count(*) > 1",
    "SELECT phone AS name FROM users_users WHERE phone_verified AND instance_id = %s GROUP BY phone HAVING count(*) > 1",
    "SELECT upper(user_name) AS name FROM users_users WHERE bare_position IS NOT NULL AND instance_id = %s"
    " GROUP BY upper(user_name) HAVING count(*) > 1",
    "SELECT u.user_name AS name FROM users_users u JOIN users_users o ON o.instance_id = u.instance_id AND o.id = u.user_name"
    " AND o.id <> u.id WHERE u.instance_id = %s",
    "SELECT u.user_name AS name FROM users_users u JOIN projects_apps a ON a.instance_id = u.instance_id"
    " AND a.client_id = u.user_name WHERE u.instance_id = %s",
)
"""Every way in which two users, or a user and an id, may be meant by one name."""


def login_names() -> Iterator[Finding]:
    """Whether each login name leads to one user, and whether it is known since when."""
    told = [line for instance in InstanceRow.objects.values_list("instance_id", flat=True) for line in _of(instance)]
    if not told:
        yield ok("login names", "each leads to one user")
    else:
        more = f" and {len(told) - MOST_SHOWN} more" if len(told) > MOST_SHOWN else ""
        yield warning(
            "login names",
            f"several users have {', '.join(told[:MOST_SHOWN])}{more}",
            cause="names, domains and addresses of before met; each leads to the user who had it first, an id before a name",
            remedy="rename the users to whom the names do not lead, or tell them which of their login names to use",
        )
    yield from _unknown()


def _of(instance: str) -> Iterator[str]:
    names = " UNION ".join(AMBIGUOUS)
    with connection.cursor() as cursor:
        cursor.execute(f"{names} ORDER BY 1 LIMIT {10 * MOST_SHOWN}", [instance] * len(AMBIGUOUS))
        found = [name for (name,) in cursor.fetchall()]
    for name in found:
        row = find_user_by_login(instance, name)
        yield f"{name.lower()} → {row.id if row else 'nobody'}"


def _unknown() -> Iterator[Finding]:
    unknown = 0
    for instance in InstanceRow.objects.values_list("instance_id", flat=True):
        unknown += UserRow.objects.filter(instance_id=instance, named_position=UNKNOWN).count()
    if unknown:
        yield warning(
            "login names",
            f"of {unknown} users it is not known since when they have their names",
            cause="a program of before wrote them while this one was set up",
            remedy="run `manage.py rebuild users` once no older program serves",
        )
