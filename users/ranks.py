"""Nobody changes a user who holds more than they do: neither state nor name, nor credentials, by which they would gain what
they do not hold themselves (checklist T06, E10)."""

from eventstore.store import Stream
from iam.access.models import MembershipRow
from iam.access.queries import find_memberships
from iam.access.roles import permissions_of
from iam.kernel.cascade import cascades, checks
from iam.kernel.change import Unit
from iam.kernel.context import Context
from iam.kernel.errors import PermissionDenied
from iam.kernel.levels import Level, Resource
from orgs.domain.events import OrgDeactivated, OrgRemoved
from users.domain.events import MfaInitSkipped
from users.domain.user import User
from users.models import UserRow

OWNERS = "iam.write"
"""The permission that only an instance's owner holds."""


def must_not_outrank(ctx: Context, user_id: str) -> None:
    """Raises PermissionDenied when the user administers something with a permission that the caller lacks there.

    Nobody stands above an instance's owner, who gives every role, also those with permissions that owners lack.
    """
    if ctx.allows(OWNERS, ctx.instance) or (user_id and ctx.caller.user_id == user_id):
        return
    for row in find_memberships(ctx.instance, user_id):
        for permission in permissions_of(row.roles):
            if not ctx.allows(permission, row.owner, Resource(Level(row.level), row.resource_id)):
                raise PermissionDenied("user.ranks_higher")


@checks
def changes_outrank_nobody(unit: Unit) -> None:
    """Whatever a permission allows to change of another user, by whichever door: raises PermissionDenied for who ranks higher.

    That setting up a factor was put off takes nothing from the person: a login of one's own notes it of everybody.
    """
    for user_id, events in unit.changed_by_right(User).items():
        if not all(isinstance(event, MfaInitSkipped) for event in events):
            must_not_outrank(unit.ctx, user_id)


@cascades(OrgDeactivated, OrgRemoved)
def stops_nobody_higher(unit: Unit, stream: Stream, _: OrgDeactivated | OrgRemoved) -> None:
    """An organization that stops takes its users with it: raises PermissionDenied when one of them ranks higher."""
    if unit.ctx.allows(OWNERS, unit.ctx.instance):
        return
    users = UserRow.objects.filter(instance_id=stream.instance, org_id=stream.id)
    held = MembershipRow.objects.filter(instance_id=stream.instance, user_id__in=users.values("id"))
    for user_id in sorted(set(held.values_list("user_id", flat=True))):
        must_not_outrank(unit.ctx, user_id)
