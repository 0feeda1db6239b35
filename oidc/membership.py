"""Scopes that name an organization: only its people may answer them (reference/oidc.md §2, §5)."""

from iam.kernel.context import Context
from oidc.errors import OAuthError
from oidc.scopes import ORG, ORG_DOMAIN, Scopes
from orgs.models import OrgDomainRow, OrgRow
from projects.domain.project import State
from users.models import UserRow

UNKNOWN = "Errors.Org.NotFound"
"""As the reference says it; login pages compare it."""


def org_asked(ctx: Context, scopes: Scopes) -> str:
    """The one organization that a request's person must belong to; empty for any.

    Raises OAuthError invalid_request for one that is unknown or inactive, invalid_scope for two different ones.
    Statements only when an organization is named.
    """
    if not scopes.org_ids and not scopes.org_domains:
        return ""
    named = {*scopes.org_ids, *(_of_primary_domain(ctx, one) for one in scopes.org_domains)}
    there = OrgRow.objects.filter(instance_id=ctx.instance, id__in=named, state=State.ACTIVE).count()
    if there != len(named):
        raise OAuthError("invalid_request", UNKNOWN)
    if len(named) > 1:
        raise OAuthError("invalid_scope", "the scopes name two organizations")
    return named.pop()


def is_member(ctx: Context, scopes: Scopes, org_id: str) -> bool:
    """Whether the people of an organization may answer a request."""
    try:
        return org_asked(ctx, scopes) in ("", org_id)
    except OAuthError:
        return False


def must_be_member(ctx: Context, scopes: Scopes, org_id: str) -> None:
    """Refuse a person of another organization than the scopes name; raises OAuthError access_denied."""
    if not is_member(ctx, scopes, org_id):
        raise OAuthError("access_denied", "the user does not belong to the organization that was asked for")


def of_own_org(ctx: Context, scopes: tuple[str, ...], user: UserRow) -> tuple[str, ...]:
    """The scopes of a service user: it asks for itself, so those that name another organization are dropped."""
    asked = Scopes(scopes)
    if not asked.org_ids and not asked.org_domains:
        return scopes
    own = {f"{ORG}{user.org_id}"}
    own |= {f"{ORG_DOMAIN}{one}" for one in asked.org_domains if _of_primary_domain(ctx, one) == user.org_id}
    return tuple(one for one in scopes if one in own or not one.startswith((ORG, ORG_DOMAIN)))


def _of_primary_domain(ctx: Context, domain: str) -> str:
    rows = OrgDomainRow.objects.filter(instance_id=ctx.instance, domain=domain.lower(), is_primary=True)
    return rows.values_list("org_id", flat=True).first() or ""
