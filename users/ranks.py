"""Nobody gains through somebody else's credentials what they do not hold themselves (checklist T06)."""

from iam.access.queries import find_memberships
from iam.access.roles import permissions_of
from iam.kernel.context import Context
from iam.kernel.errors import PermissionDenied

OWNERS = "iam.write"
"""The permission that only an instance's owner holds."""


def must_not_outrank(ctx: Context, user_id: str) -> None:
    """Raises PermissionDenied when the user administers something with a permission that the caller lacks there.

    Nobody stands above an instance's owner, who gives every role, also those with permissions that owners lack.
    """
    if ctx.rights.allow(OWNERS, owner=ctx.instance) or (user_id and ctx.caller.user_id == user_id):
        return
    for row in find_memberships(ctx.instance, user_id):
        for permission in permissions_of(row.roles):
            if not ctx.rights.allow(permission, owner=row.owner, resource=row.resource_id):
                raise PermissionDenied("user.ranks_higher")
