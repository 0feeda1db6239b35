"""To whom a login name leads (decision 0008): of all who have it in some way, to whoever had it first."""

import unicodedata
from collections.abc import Iterator

from django.db.models import BigIntegerField, Case, F, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce, Greatest

from iam.instance.settings import settings_of
from orgs.domain.names import spellings
from orgs.models import OrgDomainRow
from projections.projection import UNKNOWN
from users.domain.profile import find_phone
from users.models import UserRow

NAME, PROOF, DOMAIN = 1, 2, 3
"""The order of those whose positions are the same or not known."""


def find_user_by_login(instance: str, login_name: str, *, org_id: str = "") -> UserRow | None:
    """The user of a login name: a user name, with or without a verified domain of its organization, a proved address or
    number. Of several the one who had it first; with `org_id` of the users of that organization, whose names need no
    domain then.

    The first to prove an address has it even where the settings do not let it sign anybody in: others get no way in by it.
    """
    name = unicodedata.normalize("NFC", login_name.strip())
    found = [*_named(instance, name, org_id), *_proved(instance, name, org_id)] if name else []
    if not found:
        return None
    _, way, row = min(found, key=lambda one: one[:2])
    return row if way != PROOF or _may_sign_in(row, name) else None


def find_user_named(instance: str, login_name: str) -> UserRow | None:
    """The user of a login name that is made of a user name, whoever else has proved it as an address."""
    found = _named(instance, login_name.strip(), "") if login_name.strip() else []
    return next((row for _, _, row in found), None)


def certain_name(row: UserRow) -> str:
    """A login name that leads to a user who is known: with the organization's domain, where somebody else has the bare name."""
    found = find_user_by_login(row.instance_id, row.preferred_login_name)
    if found is not None and found.id == row.id:
        return row.preferred_login_name
    domains = OrgDomainRow.objects.filter(instance_id=row.instance_id, org_id=row.org_id, is_primary=True)
    domain = domains.values_list("domain", flat=True).first()
    return f"{row.user_name}@{domain}" if domain else row.preferred_login_name


def org_of_domain(instance: str, domain: str) -> "QuerySet[OrgDomainRow]":
    """The verified claim on a domain."""
    return OrgDomainRow.objects.filter(instance_id=instance, domain__in=spellings(domain), is_verified=True)


def since(instance: str, name: str, *, is_bare: Q, bare: F) -> Case:
    """A column: since which position of the log a row has a login name, as it stands or by a domain."""
    domain = org_of_domain(instance, name.rpartition("@")[2]).values("verified_position")[:1]
    by_domain = Greatest(F("named_position"), Coalesce(Subquery(domain), UNKNOWN))
    return Case(When(is_bare, then=bare), default=by_domain, output_field=BigIntegerField())


def _named(instance: str, name: str, org_id: str) -> list[tuple[int, int, UserRow]]:
    """Who has it by a user name; the first one."""
    local, _, domain = name.rpartition("@")
    rows = UserRow.objects.filter(instance_id=instance)
    if org_id:
        is_bare, bare = Q(user_name__iexact=name), F("named_position")
        rows = rows.filter(org_id=org_id)
    else:
        is_bare, bare = Q(user_name__iexact=name, bare_position__isnull=False), F("bare_position")
    wanted = is_bare
    if local:
        owner = Subquery(org_of_domain(instance, domain).values("org_id")[:1])
        wanted = is_bare | Q(user_name__iexact=local, org_id=owner)
    rows = rows.filter(wanted).annotate(since=since(instance, name, is_bare=is_bare, bare=bare))
    return [
        (row.since, NAME if row.user_name.casefold() == name.casefold() else DOMAIN, row)
        for row in rows.order_by("since", "created_at", "id")[:1]
    ]


def _proved(instance: str, name: str, org_id: str) -> Iterator[tuple[int, int, UserRow]]:
    """Who has proved it; the first one."""
    rows = UserRow.objects.filter(instance_id=instance)
    if org_id:
        rows = rows.filter(org_id=org_id)
    if "@" in name:
        proved = rows.filter(email__iexact=name, email_verified=True).order_by("email_position", "created_at", "id")
        yield from ((row.email_position, PROOF, row) for row in proved[:1])
    elif number := find_phone(name):
        proved = rows.filter(phone=number, phone_verified=True).order_by("phone_position", "created_at", "id")
        yield from ((row.phone_position, PROOF, row) for row in proved[:1])


def _may_sign_in(row: UserRow, name: str) -> bool:
    login = settings_of(row.instance_id, row.org_id).login
    return not (login.disable_login_with_email if "@" in name else login.disable_login_with_phone)
