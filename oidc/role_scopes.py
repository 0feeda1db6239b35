"""Role scopes that a project adds by itself (reference/oidc.md §2): with projectRoleAssertion every sign-in asks for its roles."""

from collections.abc import Iterable

from iam.kernel.context import Context
from oidc.clients import Client
from oidc.scopes import MAX_SCOPES, ROLE, known
from projects.models import RoleRow


def with_roles(ctx: Context, client: Client, scopes: tuple[str, ...]) -> tuple[str, ...]:
    """The scopes of a request, and one for every role of the project where it asserts roles and none was asked for.

    One statement for such a project, none for others. Who holds which is looked up when it is told, so that the
    first MAX_SCOPES are enough.
    """
    if not client.asserts_roles or any(scope.startswith(ROLE) for scope in scopes):
        return scopes
    rows = RoleRow.objects.filter(instance_id=ctx.instance, project_id=client.project_id).order_by("key")
    return (*scopes, *scopes_of(rows.values_list("key", flat=True)[:MAX_SCOPES]))


def scopes_of(keys: Iterable[str]) -> tuple[str, ...]:
    """The scopes that name roles; a key that no scope can hold, such as one with a blank, has none."""
    named = (f"{ROLE}{key}" for key in keys)
    return tuple(scope for scope in named if known(scope) == (scope,))
