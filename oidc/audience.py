"""Which projects tokens are meant for, and who may get them for the product's own API (reference/oidc.md §5)."""

from collections.abc import Iterable

from django.db.models import Exists, OuterRef

from iam.instance.settings import Instance, instance_of
from iam.kernel.context import Context
from oidc.clients import Client
from oidc.errors import OAuthError
from oidc.scopes import OWN_PROJECT, ROLES, Scopes
from orgs.models import OrgRow
from projects.domain.project import State
from projects.models import ProjectGrantRow, ProjectRow


def projects_of(instance: str, scopes: Scopes, own_project: str) -> tuple[str, ...]:
    """The projects that scopes ask for, while they are active; any other id is no audience (checklist C17).

    One statement, and none for the product's own project alone.
    """
    named = _named(scopes, own_project)
    others = [one for one in named if one != own_project]
    there = _active(instance, others) if others else set()
    return tuple(one for one in named if one == own_project or one in there)


def must_exist(ctx: Context, scopes: Scopes, instance: Instance | None = None) -> None:
    """Refuse what asks for an audience that is no active project of this instance; raises OAuthError invalid_scope.

    `instance` when it was read already. Statements only for others than the product's own project.
    """
    if set(scopes.projects) <= {OWN_PROJECT}:
        return
    own_project = (instance or instance_of(ctx.instance)).iam_project_id
    if set(_named(scopes, own_project)) - set(projects_of(ctx.instance, scopes, own_project)):
        raise OAuthError("invalid_scope", "an audience that is asked for is no active project")


def must_be_trusted(ctx: Context, client: Client, org_id: str, scopes: Scopes) -> None:
    """Refuse the API of the product to applications that the person of an organization does not share a house with.

    Its tokens act as the person. Nobody is asked for them when the application belongs to the product's own project,
    the default organization, or the person's own one; everybody else's needs consent, and no page asks for that yet
    (checklist R23). Raises OAuthError consent_required.
    """
    if not scopes.projects:
        return
    instance = instance_of(ctx.instance)
    if instance.iam_project_id not in _named(scopes, instance.iam_project_id) or is_trusted(client, instance, org_id):
        return
    raise OAuthError("consent_required", "an application of another organization may not call this server's API")


def is_trusted(client: Client, instance: Instance, org_id: str) -> bool:
    """Whether an application may have tokens for the API of the product without asking the people of an organization."""
    return client.project_id == instance.iam_project_id or client.org_id in (instance.default_org_id, org_id)


def with_roles(instance: str, app_org: str, audience: Iterable[str], scopes: Scopes) -> tuple[str, ...]:
    """The members of an audience whose roles an application of an organization may learn.

    Those of the organization's own projects and of projects that were granted to it; the default organization learns
    all. A service user, without an application, asks about itself. Statements only where roles of several are wanted.
    """
    members = tuple(audience)
    if not app_org or ROLES not in scopes or not scopes.projects or app_org == instance_of(instance).default_org_id:
        return members
    owned = ProjectRow.objects.filter(instance_id=instance, org_id=app_org, id__in=members)
    lent = ProjectGrantRow.objects.filter(
        instance_id=instance, granted_org_id=app_org, project_id__in=members, state=State.ACTIVE
    )
    shown = {*owned.values_list("id", flat=True), *lent.values_list("project_id", flat=True)}
    return tuple(one for one in members if one in shown)


def _named(scopes: Scopes, own_project: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(own_project if one == OWN_PROJECT else one for one in scopes.projects))


def _active(instance: str, ids: Iterable[str]) -> set[str]:
    owner = OrgRow.objects.filter(instance_id=OuterRef("instance_id"), id=OuterRef("org_id"), state=State.ACTIVE)
    rows = ProjectRow.objects.filter(Exists(owner), instance_id=instance, id__in=ids, state=State.ACTIVE)
    return set(rows.values_list("id", flat=True))
